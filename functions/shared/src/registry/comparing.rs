//! What the nightly comparison keeps: how far it is, and what the last one found.
//!
//! Only the holder of the import's lease writes it, so it needs no revision.

use serde::{Deserialize, Serialize};

use super::importing::{Halt, Noted, Refused};
use super::{Registry, THE_STACK};
use crate::aws::StoreError;
use crate::ledger::Position;
use crate::object_key::ObjectKey;
use crate::stripe::Refusal;

pub(super) const COMPARISON: &str = "comparison";

/// The nightly comparison of records with Stripe's objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The one that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// The last one that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Finished>,
    /// Why the last run got no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
}

/// A comparison under way. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// When it was begun.
    pub begun_at: i64,
    /// It looks at events that came in from here…
    pub since: i64,
    /// …to here.
    pub until: i64,
    /// The event that came last, from the latest backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Position>,
    /// Have all been looked at?
    pub walked: bool,
    /// Objects that are not as their records say, to be looked at again when an event that tells of it would be here.
    pub doubts: Vec<Doubt>,
    /// The object at which runs halt, because Stripe gives no answer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Stuck>,
    /// What it has seen.
    pub seen: Seen,
}

/// An object that is not as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Which.
    pub key: ObjectKey,
    /// Since when, in unix milliseconds.
    pub at: i64,
    /// Is it told already? Its record is then mended next.
    #[serde(default)]
    pub told: bool,
}

/// An object that Stripe gives no answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Which.
    pub key: ObjectKey,
    /// So many runs have halted there.
    pub runs: u32,
}

/// A comparison that was finished. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// When it was begun.
    pub begun_at: i64,
    /// When it was finished.
    pub finished_at: i64,
    /// It looked at events that came in up to here.
    pub until: i64,
    /// What it saw.
    pub seen: Seen,
}

/// What a comparison saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Objects that Stripe was asked for.
    pub looked_at: u64,
    /// Those that had changed at Stripe without an event here. Their records are mended.
    pub differed: Noted<Difference>,
    /// Kinds of accounts that the key may not read.
    pub refused: Noted<Refused>,
    /// Objects that Stripe refused each by itself, or gave no answer to in run after run. Their records stay.
    #[serde(default)]
    pub unread: Noted<Unread>,
    /// Objects that Stripe does not know although it has told of them. Their records stay.
    pub missing: Noted<ObjectKey>,
    /// Objects too large to be kept as they are now.
    pub too_large: Noted<ObjectKey>,
}

/// An object that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Which.
    pub key: ObjectKey,
    /// Stripe's words, or what happened instead of an answer.
    pub refusal: Refusal,
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
    pub async fn keep_comparison(&self, comparison: &Comparison) -> Result<(), StoreError> {
        self.put_over(COMPARISON, THE_STACK, comparison, "keeping how far the comparison is").await
    }
}
