//! Processes that can be killed.
//!
//! A test drops the future of a process to kill it. To do that between any two of its calls it has to know
//! when a call has come in, so each process has an address of its own at the proxy, which says when the call
//! has come. The call at which a process is killed gets no answer.

use std::future::Future;

use shared::aws::AwsEnv;
use tokio::sync::oneshot;

use crate::TestCloud;
use crate::call::Call;

/// A process, as AWS sees it, whose calls are listed under its name.
#[derive(Debug)]
pub struct KillableProcess<'a> {
    cloud: &'a TestCloud,
    name: String,
}

/// The call at which a process is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KillPoint {
    /// Its n-th call from now, before it is done. The first is 1.
    BeforeCall(usize),
    /// Its n-th call from now, after it is done and before it is answered.
    AfterCall(usize),
    /// The call that would write the record with this key.
    RecordWrite(String),
}

impl<'a> KillableProcess<'a> {
    pub(crate) fn new(cloud: &'a TestCloud, name: String) -> Self {
        Self { cloud, name }
    }

    /// Returns the name under which its calls are listed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where its SDKs find AWS.
    pub fn aws(&self) -> AwsEnv {
        AwsEnv::at(&format!("{}/{}", self.cloud.url(), self.name))
    }

    /// Returns a future that is ready when the process is to be killed; never, if that call does not come.
    /// Calls count from now on, until the future is dropped. It is for a `select!` beside what the process
    /// does.
    pub fn killed_at(&self, point: KillPoint) -> impl Future<Output = ()> + Send + use<> {
        let killed = self.cloud.proxy.kill_at(&self.name, point);
        async move {
            if killed.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// A kill that a test waits for.
#[derive(Debug)]
pub(crate) struct PendingKill {
    process: String,
    point: KillPoint,
    sender: oneshot::Sender<()>,
}

impl PendingKill {
    pub(crate) fn new(process: &str, point: KillPoint) -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self { process: process.to_owned(), point, sender }, receiver)
    }

    /// Whether a test still waits for it.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Counts the call, and returns whether it is the one to be killed at.
    pub(crate) fn is_reached_by(&mut self, call: &Call) -> bool {
        if self.process != call.process {
            return false;
        }
        match &mut self.point {
            KillPoint::BeforeCall(left) | KillPoint::AfterCall(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            KillPoint::RecordWrite(key) => {
                call.operation == "PutItem" && call.table == "RecordsTable" && call.item == *key
            }
        }
    }

    /// Whether the call is still to be done.
    pub(crate) fn is_after_call(&self) -> bool {
        matches!(self.point, KillPoint::AfterCall(_))
    }

    pub(crate) fn trigger(self) {
        // The test may have stopped waiting meanwhile.
        let _ = self.sender.send(());
    }
}
