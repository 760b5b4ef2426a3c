//! What the nightly comparison keeps: how far it is, and what the last one found.
//!
//! Only the holder of the import's lease writes it, so it needs no revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::progress::{Halt, RefusedKind, Sampled};
use super::{Registry, THE_STACK};
use crate::aws::StoreError;
use crate::event::EventId;
use crate::kind::Kind;
use crate::ledger::EventPosition;
use crate::object_key::ObjectKey;
use crate::stripe::StripeFailure;
use crate::unix_time::UnixMillis;

pub(super) const COMPARISON: &str = "comparison";

/// The nightly comparison of records with Stripe's objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftProgress {
    /// The pass under way.
    #[serde(rename = "walk", default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<DriftPass>,
    /// The last one that was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<FinishedPass>,
    /// Why the last run got no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// Events that waited to be applied when a pass came to them: the next one looks at them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<EventId>,
    /// When the earliest event came in that waited and is not named; the next pass begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<UnixMillis>,
    /// Of what waited before, the events that the pass under way is still to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<EventId>,
}

/// A pass of the comparison under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftPass {
    /// When it was begun.
    pub begun_at: UnixMillis,
    /// It looks at events that came in from here…
    pub since: UnixMillis,
    /// …to here.
    pub until: UnixMillis,
    /// The event that came last, from the latest backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EventPosition>,
    /// Whether all have been listed.
    #[serde(rename = "walked")]
    pub all_listed: bool,
    /// Objects that are not as their records say, to be compared again when an event of the
    /// change would be here.
    #[serde(rename = "doubts")]
    pub mismatches: Vec<Mismatch>,
    /// The object at which runs halt, because Stripe gives no answer to it.
    #[serde(rename = "stuck", default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<UnansweredObject>,
    /// What it has found so far.
    #[serde(rename = "seen")]
    pub report: DriftReport,
}

/// An object that is not as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// Which.
    pub key: ObjectKey,
    /// Since when.
    pub at: UnixMillis,
    /// Whether it is in the report already. Its record is corrected next.
    #[serde(rename = "told", default)]
    pub reported: bool,
}

/// An object that Stripe gives no answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnansweredObject {
    /// Which.
    pub key: ObjectKey,
    /// So many runs have halted there.
    pub runs: u32,
}

/// A comparison that was finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedPass {
    /// When it was begun.
    pub begun_at: UnixMillis,
    /// When it was finished.
    pub finished_at: UnixMillis,
    /// It looked at events that came in up to here.
    pub until: UnixMillis,
    /// What it found.
    #[serde(rename = "seen")]
    pub report: DriftReport,
}

/// What a pass found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Objects that Stripe was asked for.
    pub looked_at: u64,
    /// Calls to Stripe of each kind, each try counted.
    #[serde(default)]
    pub calls: BTreeMap<Kind, u64>,
    /// Those that had changed at Stripe without an event here. Their records are corrected.
    pub differed: Sampled<Difference>,
    /// Kinds of accounts that the key may not read.
    pub refused: Sampled<RefusedKind>,
    /// Objects that Stripe refused each by itself, or gave no answer to in run after run, or that cannot be
    /// read. Their records stay.
    #[serde(default)]
    pub unread: Sampled<UncomparedObject>,
    /// Objects that Stripe does not know though there are events of them: the key is of another account, or
    /// its account is not known. Their records stay.
    pub missing: Sampled<ObjectKey>,
    /// Objects that are gone from their account at Stripe, such as those of a test clock. Their records stay.
    #[serde(default)]
    pub gone: Sampled<ObjectKey>,
    /// Objects too large to be kept as they are now.
    pub too_large: Sampled<ObjectKey>,
}

/// An object that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncomparedObject {
    /// Which.
    pub key: ObjectKey,
    /// Stripe's words, or what happened instead of an answer.
    #[serde(rename = "refusal")]
    pub failure: StripeFailure,
}

/// A record that was not as its object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which.
    pub key: ObjectKey,
    /// The fields that were not the same.
    pub fields: Vec<String>,
}

impl Registry {
    /// Keeps how far the nightly comparison is.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn store_drift_progress(&self, comparison: &DriftProgress) -> Result<(), StoreError> {
        self.put_unconditionally(COMPARISON, THE_STACK, comparison, "keeping how far the comparison is").await
    }
}
