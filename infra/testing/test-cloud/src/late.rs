//! Indexes that lag behind: DynamoDB's are eventually consistent, and cannot be read in another way.
//!
//! The model is exact: a second database gets the same writes in the same order, some writes later, and reads of an index go to
//! it. So what an index shows is always what was true a while ago. Writes go one after another while it is on, so that both
//! databases see one order.

use std::collections::VecDeque;

use dynoxide::Database;
use shared::aws::AwsEnv;

use crate::{listen, tables};

/// The database that lags.
#[derive(Debug)]
pub(crate) struct Late {
    url: String,
    lag: usize,
    waiting: VecDeque<(String, String)>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Late {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Late {
    /// Begins with a copy of what is there.
    #[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
    pub(crate) async fn of(there: &AwsEnv, lag: usize) -> Self {
        let listener = listen().await;
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::memory().expect("an empty database");
        let task = tokio::spawn(dynoxide::server::serve_on(listener, database));
        tables::copy(there, &AwsEnv::at(&url)).await;
        Self { url, lag, waiting: VecDeque::new(), task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Takes note of a write that was done. Gives those whose time has come.
    pub(crate) fn note(&mut self, operation: String, request: String) -> Vec<(String, String)> {
        self.waiting.push_back((operation, request));
        let due = self.waiting.len().saturating_sub(self.lag);
        self.waiting.drain(..due).collect()
    }

    /// All writes that are still waiting.
    pub(crate) fn rest(&mut self) -> Vec<(String, String)> {
        self.waiting.drain(..).collect()
    }
}
