//! Processes that can be killed.
//!
//! A test drops the future of a process to kill it. To do that between any two of its calls it has to know when a call has come
//! in, so a process has an address of its own at the door, and the door tells. The call at which it dies gets no answer.

use std::future::Future;

use shared::aws::AwsEnv;
use tokio::sync::oneshot;

use crate::TestCloud;
use crate::call::Call;

/// A process, as AWS sees it: its calls can be told from those of others.
#[derive(Debug)]
pub struct Process<'a> {
    cloud: &'a TestCloud,
    name: String,
}

/// The call at which a process dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// At its so-many-th call from now, which is not done any more. The first is 1.
    Before(usize),
    /// At its so-many-th call from now, which is done, but no answer comes.
    After(usize),
    /// At the call that would write the record with this key.
    AtRecord(String),
}

impl<'a> Process<'a> {
    pub(crate) fn new(cloud: &'a TestCloud, name: String) -> Self {
        Self { cloud, name }
    }

    /// The name by which its calls are listed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its SDKs find AWS.
    pub fn aws(&self) -> AwsEnv {
        AwsEnv::at(&format!("{}/{}", self.cloud.url(), self.name))
    }

    /// Is ready when the process is to die; never, if that call does not come. It counts from now on, and no more once it is
    /// dropped. For `select!` beside what the process does.
    pub fn dies(&self, death: Death) -> impl Future<Output = ()> + Send + use<> {
        let told = self.cloud.door.set_trap(&self.name, death);
        async move {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// A death that has been ordered.
#[derive(Debug)]
pub(crate) struct Trap {
    process: String,
    death: Death,
    tell: oneshot::Sender<()>,
}

impl Trap {
    pub(crate) fn new(process: &str, death: Death) -> (Self, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        (Self { process: process.to_owned(), death, tell }, told)
    }

    /// Does somebody still wait for it?
    pub(crate) fn is_set(&self) -> bool {
        !self.tell.is_closed()
    }

    /// Is it the call to die at? Counts it.
    pub(crate) fn is_sprung_by(&mut self, call: &Call) -> bool {
        if self.process != call.process {
            return false;
        }
        match &mut self.death {
            Death::Before(left) | Death::After(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            Death::AtRecord(key) => {
                call.operation == "PutItem" && call.table == "RecordsTable" && call.item == *key
            }
        }
    }

    /// Is the call still to be done?
    pub(crate) fn comes_after(&self) -> bool {
        matches!(self.death, Death::After(_))
    }

    pub(crate) fn spring(self) {
        // Whoever waited has gone meanwhile.
        let _ = self.tell.send(());
    }
}
