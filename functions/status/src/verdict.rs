//! The answer of `GET /status`.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use shared::ledger::{COUNTED, OpenCount};
use shared::mode::Mode;

/// Does it work?
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    pub(crate) status: Condition,
    pub(crate) mode: Mode,
    pub(crate) endpoints: Vec<EndpointStatus>,
    pub(crate) checks: Vec<Check>,
    pub(crate) counts: Counts,
    pub(crate) last_day: Vec<Value>,
}

/// The one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Condition {
    Active,
    Inactive,
    Error,
}

/// One endpoint's part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EndpointStatus {
    pub(crate) name: String,
    pub(crate) status: Condition,
    pub(crate) checks: Vec<Check>,
    pub(crate) last_delivery_at: Option<Timestamp>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    pub(crate) code: &'static str,
    pub(crate) ok: bool,
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    /// What a person can compare.
    pub(crate) evidence: Value,
    /// What to do; null if it is ok.
    pub(crate) remedy: Option<String>,
}

/// How much a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Events are or may be lost to the records until somebody acts.
    Error,
    /// Worth a look; nothing is lost by it.
    Warning,
}

/// Events that are not final.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Counts {
    pub(crate) pending: Count,
    pub(crate) failed: Count,
    pub(crate) dead: Count,
    pub(crate) quarantined: Count,
}

/// A number, or `"1000+"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) OpenCount);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            OpenCount::Exactly(count) => serializer.serialize_u64(count as u64),
            OpenCount::More => serializer.serialize_str(&format!("{COUNTED}+")),
        }
    }
}

impl Check {
    pub(crate) fn is_error(&self) -> bool {
        !self.ok && self.severity == Severity::Error
    }
}
