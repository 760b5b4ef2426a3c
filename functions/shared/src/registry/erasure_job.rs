//! What erasing one customer's personal data keeps from one run to the next. It holds ids only: who asked for
//! it, and why, stands in the audit.
//!
//! One row a customer (`erasure`). Requests and runs write it, so it is written under the condition that it
//! is as it was read.

use serde::{Deserialize, Serialize};

use super::progress::Sampled;
use super::{Registry, Written};
use crate::aws::StoreError;
use crate::event::EventId;
use crate::kind::Kind;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixMillis;

const ERASURE: &str = "erasure";

/// The erasing of one customer's personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureJob {
    /// The customer.
    pub customer: ObjectKey,
    /// Whether a payload or an object is left.
    pub state: ErasureState,
    /// When it was asked for, last.
    pub asked_at: UnixMillis,
    /// When nothing was left for the first time since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<UnixMillis>,
    /// When a run last got further.
    pub moved_at: UnixMillis,
    /// When it is to be gone on with: by the next pass over all that is the customer's, where none is under
    /// way.
    pub due_at: UnixMillis,
    /// How far the pass is that is under way; none at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<ErasurePosition>,
    /// Records that were erased, in all.
    pub records: u64,
    /// Events whose payload was erased, in all.
    pub events: u64,
    /// Events that this pass found not yet final. Their payload is needed until they are.
    #[serde(default)]
    pub waiting: Sampled<EventId>,
    /// When the first pass was over that left such events, of those that all have since; none if the last
    /// left none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<UnixMillis>,
    /// How many of these the program tries again by itself; for the others an admin decides.
    #[serde(default)]
    pub tried_again: u64,
    /// Counts the changes of this row.
    pub rev: u64,
}

/// Whether an erasure is through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// The schedule carries it on.
    Running,
    /// Nothing was left. It is looked at again each day.
    Finished,
    /// The customer turned out not to be deleted at Stripe. That is looked at again each day.
    Stopped,
}

impl ErasureJob {
    /// Whether a pass is over, and what it left waits for an admin alone.
    pub fn waits_for_admin(&self) -> bool {
        let is_between_passes = self.state == ErasureState::Running && self.position.is_none();
        is_between_passes && self.waiting.count > 0 && self.tried_again == 0
    }
}

/// How far a pass is: the customer first, then kind by kind what names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasurePosition {
    /// The kind that is gone through.
    pub kind: Kind,
    /// The record that came last, by its place in the list of that kind; none at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Registry {
    /// All erasures, in no order that means anything.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn erasures(&self) -> Result<Vec<ErasureJob>, StoreError> {
        self.query(ERASURE, "", "reading the erasures").await
    }

    /// The erasure of this customer's data, if there was ever one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn erasure(&self, customer: &ObjectKey) -> Result<Option<ErasureJob>, StoreError> {
        self.get(ERASURE, &customer.to_string(), "reading an erasure").await
    }

    /// Stores an erasure, if it still is as `old`.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_erasure(
        &self,
        old: Option<&ErasureJob>,
        new: &mut ErasureJob,
    ) -> Result<Written, StoreError> {
        new.rev = old.map_or(0, |old| old.rev + 1);
        let as_read = old.map(|old| (old.rev, None));
        self.put(ERASURE, &new.customer.to_string(), new, as_read, "storing an erasure").await
    }
}
