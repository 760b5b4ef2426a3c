//! Whether the erasing of personal data goes on, as it is kept and as the status reads it: types only. It has
//! one size, however many erasures there are.

use serde::{Deserialize, Serialize};

use crate::event::EventId;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixMillis;

/// How the erasures of personal data are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureHealth {
    /// How many are carried on.
    pub running: u64,
    /// How many are finished.
    pub finished: u64,
    /// How many were stopped, because their customers are not deleted at Stripe.
    pub stopped: u64,
    /// The gravest that is wrong; none if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<ErasureTrouble>,
    /// The first ten of which that is so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<StuckErasure>,
}

/// What can be wrong with an erasure, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureTrouble {
    /// It was due an hour ago, and nobody went on with it.
    Overdue,
    /// It was stopped.
    Stopped,
    /// It waits for events that an admin has to decide about.
    WaitsForAdmin,
    /// It has waited for over a day for events that the program tries again.
    WaitsForLong,
}

/// An erasure with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckErasure {
    /// Whose data it is.
    pub customer: ObjectKey,
    /// When it was asked for, last.
    pub asked_at: UnixMillis,
    /// When a run last got further.
    pub moved_at: UnixMillis,
    /// When it is to be gone on with.
    pub due_at: UnixMillis,
    /// Events that it waits for, the first ten.
    pub waiting: Vec<EventId>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<UnixMillis>,
}

impl ErasureHealth {
    /// Returns whether nobody's data was ever to be erased.
    pub fn is_empty(&self) -> bool {
        self.running + self.finished + self.stopped == 0
    }
}
