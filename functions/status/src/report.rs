//! The answer of `GET /status`.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use shared::ledger::{COUNTED, OpenCount};
use shared::mode::Mode;

/// Whether the webhooks work, with every check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StatusReport {
    pub(crate) status: HealthStatus,
    pub(crate) mode: Mode,
    /// When Stripe was asked for what is said here of it; null if it was not.
    pub(crate) stripe_asked_at: Option<Timestamp>,
    pub(crate) endpoints: Vec<EndpointReport>,
    /// The checks of the whole stack.
    pub(crate) checks: Vec<Check>,
    pub(crate) counts: OpenEventCounts,
    /// What events came to, by the hour.
    pub(crate) last_day: Vec<Value>,
}

/// The overall status of all checks, of the stack or of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthStatus {
    Active,
    Inactive,
    Error,
}

/// One endpoint's part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EndpointReport {
    pub(crate) name: String,
    pub(crate) status: HealthStatus,
    pub(crate) checks: Vec<Check>,
    pub(crate) last_delivery_at: Option<Timestamp>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// Its stable name.
    pub(crate) code: &'static str,
    pub(crate) outcome: CheckOutcome,
    /// Whether the outcome is `ok`.
    pub(crate) ok: bool,
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    /// What a person can compare.
    pub(crate) evidence: Value,
    /// What to do, or what an unknown outcome waits for; null if it is ok.
    pub(crate) remedy: Option<String>,
}

/// What looking came to. Nothing is `ok` that nobody has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckOutcome {
    /// It was looked at and is as it should be.
    Ok,
    /// It was looked at and is not.
    Failed,
    /// There is no evidence either way, or none yet.
    Unknown,
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

/// How many events are in each state that is not final.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OpenEventCounts {
    pub(crate) pending: OpenCountView,
    pub(crate) failed: OpenCountView,
    pub(crate) dead: OpenCountView,
    pub(crate) quarantined: OpenCountView,
}

/// A count as the answer shows it: a number, or `"1000+"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenCountView(pub(crate) OpenCount);

impl Serialize for OpenCountView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            OpenCount::Exactly(count) => serializer.serialize_u64(count as u64),
            OpenCount::More => serializer.serialize_str(&format!("{COUNTED}+")),
        }
    }
}

impl Check {
    /// A check that is ok.
    pub(crate) fn pass(
        code: &'static str,
        severity: Severity,
        summary: impl Into<String>,
        evidence: Value,
    ) -> Self {
        let (outcome, summary) = (CheckOutcome::Ok, summary.into());
        Self { code, outcome, ok: true, severity, summary, evidence, remedy: None }
    }

    /// A check that failed.
    pub(crate) fn fail(
        code: &'static str,
        severity: Severity,
        summary: impl Into<String>,
        evidence: Value,
        remedy: impl Into<String>,
    ) -> Self {
        let (outcome, summary, remedy) = (CheckOutcome::Failed, summary.into(), Some(remedy.into()));
        Self { code, outcome, ok: false, severity, summary, evidence, remedy }
    }

    /// A check without evidence. `waits_for` says what evidence would come from.
    pub(crate) fn unknown(
        code: &'static str,
        severity: Severity,
        summary: impl Into<String>,
        evidence: Value,
        waits_for: impl Into<String>,
    ) -> Self {
        let outcome = CheckOutcome::Unknown;
        Self { outcome, ..Self::fail(code, severity, summary, evidence, waits_for) }
    }

    /// Whether it failed, and that is an error.
    pub(crate) fn is_error(&self) -> bool {
        self.outcome == CheckOutcome::Failed && self.severity == Severity::Error
    }
}
