//! Indexes that lag behind: DynamoDB's are eventually consistent, and cannot be read in another way.
//!
//! The model is exact: a second database gets the same writes in the same order, some writes later, and reads
//! of an index go to it. So what an index shows is always what was true a while ago. Writes go one after
//! another while it is on, so that both databases see one order.

use std::collections::VecDeque;

use dynoxide::Database;
use shared::aws::AwsEnv;

use crate::{listen, tables};

/// The database that lags.
#[derive(Debug)]
pub(crate) struct LaggingIndexes {
    url: String,
    lag: usize,
    waiting: VecDeque<Write>,
    task: tokio::task::JoinHandle<()>,
}

/// A write that was done in the main database.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) operation: String,
    pub(crate) request: String,
}

impl Drop for LaggingIndexes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LaggingIndexes {
    /// Starts the second database with a copy of the main one.
    #[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
    pub(crate) async fn start(main: &AwsEnv, lag: usize) -> Self {
        let listener = listen().await;
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::memory().expect("an empty database");
        let task = tokio::spawn(dynoxide::server::serve_on(listener, database));
        tables::copy(main, &AwsEnv::at(&url)).await;
        Self { url, lag, waiting: VecDeque::new(), task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Adds a write that was done, and takes those that have waited for `lag` others.
    pub(crate) fn push(&mut self, write: Write) -> Vec<Write> {
        self.waiting.push_back(write);
        let due = self.waiting.len().saturating_sub(self.lag);
        self.waiting.drain(..due).collect()
    }

    /// Takes all writes that are still waiting.
    pub(crate) fn take_all(&mut self) -> Vec<Write> {
        self.waiting.drain(..).collect()
    }
}
