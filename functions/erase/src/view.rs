//! An erasure as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use shared::event::EventId;
use shared::registry::{ErasureJob, ErasureState, Sampled};
use shared::unix_time::UnixMillis;

/// The erasing of one customer's personal data.
#[derive(Debug, Serialize)]
pub(crate) struct ErasureView {
    customer: String,
    account: Option<String>,
    /// `running`, `finished` or `stopped`.
    state: &'static str,
    asked_at: Option<Timestamp>,
    /// When nothing was left for the first time.
    finished_at: Option<Timestamp>,
    /// When a run last got further.
    moved_at: Option<Timestamp>,
    /// When the schedule goes on with it, or looks at it again.
    due_at: Option<Timestamp>,
    records: u64,
    events: u64,
    /// Events that are not final, whose payload is still needed: how many, and the first ten.
    waiting: Sampled<EventId>,
}

impl From<&ErasureJob> for ErasureView {
    fn from(job: &ErasureJob) -> Self {
        Self {
            customer: job.customer.id().to_owned(),
            account: job.customer.account().map(str::to_owned),
            state: match job.state {
                ErasureState::Running => "running",
                ErasureState::Finished => "finished",
                ErasureState::Stopped => "stopped",
            },
            asked_at: job.asked_at.to_timestamp(),
            finished_at: job.finished_at.and_then(UnixMillis::to_timestamp),
            moved_at: job.moved_at.to_timestamp(),
            due_at: job.due_at.to_timestamp(),
            records: job.records,
            events: job.events,
            waiting: job.waiting.clone(),
        }
    }
}

/// The place of an erasure in their list: when it was asked for, and whose data it erases.
pub(crate) type ErasurePlace = (UnixMillis, String);

/// Returns the place of an erasure.
pub(crate) fn place(job: &ErasureJob) -> ErasurePlace {
    (job.asked_at, job.customer.to_string())
}
