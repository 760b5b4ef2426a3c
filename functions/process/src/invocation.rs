//! One run of the function: what each of its steps works with, and the bounds of the run.

use std::time::Instant;

use jiff::Timestamp;
use shared::deadline::Deadline;
use shared::registry::Rules;

use crate::deps::Deps;

/// Objects worked on at a time. The work is waiting for DynamoDB, and the SDK's connection carries this many
/// easily.
pub(crate) const CONCURRENCY: usize = 16;

/// What one invocation works with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) rules: &'a Rules,
    pub(crate) now: Timestamp,
    /// When it began, to measure how long applying takes.
    pub(crate) begun: Instant,
    /// When no new row is started any more.
    pub(crate) deadline: Deadline,
}

impl Invocation<'_> {
    /// Whether another row may be started. What is not started any more is left to the sweep.
    pub(crate) fn has_time(self) -> bool {
        !self.deadline.has_passed()
    }
}
