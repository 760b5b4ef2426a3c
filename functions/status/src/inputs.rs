//! What the checks look at: the endpoints as they are here, and what reconciliation gathered.

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::EndpointRow;
use shared::health::{GapReport, OpenEvents, SecretPresence, StripeView, Undelivered};
use shared::mode::Mode;
use shared::probe::ProbeOutcome;
use shared::records::UncertainRecords;
use shared::registry::{DriftProgress, EndpointActivity, HourlyCounts, Import};
use shared::stripe::WebhookEndpoint;
use shared::unix_time::UnixMillis;

/// How long before an undelivered event was made a request may have been refused and still be that event:
/// activity is recorded up to a minute late, and clocks differ.
const REFUSED_BEFORE_MADE: SignedDuration = SignedDuration::from_mins(5);

/// All that the checks look at.
#[derive(Debug, Clone)]
pub(crate) struct StatusInputs {
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    /// The stack's name.
    pub(crate) stack: String,
    /// The address that Stripe sends to.
    pub(crate) public_url: String,
    /// After how many days signing secrets are to be rotated; 0 is never.
    pub(crate) rotate_days: i64,
    pub(crate) endpoints: Vec<EndpointInputs>,
    pub(crate) stripe_key: StripeKeyState,
    /// The account's endpoints at Stripe.
    pub(crate) at_stripe: StripeView<Vec<WebhookEndpoint>>,
    /// How far our clock is ahead of Stripe's, in milliseconds.
    pub(crate) clock_ahead_ms: Option<i64>,
    pub(crate) open: OpenEvents,
    pub(crate) uncertain: UncertainRecords,
    /// What the last reconciliation found when it compared Stripe's events with the ledger.
    pub(crate) gaps: StripeView<GapReport>,
    /// When the last reconciliation ran.
    pub(crate) reconciled_at: Option<Timestamp>,
    /// When the first Stripe key was set.
    pub(crate) key_since: Option<Timestamp>,
    pub(crate) hours: Vec<HourlyCounts>,
    /// The latest import.
    pub(crate) import: Option<Import>,
    /// How far comparing records with Stripe's objects is.
    pub(crate) drift: Option<DriftProgress>,
}

/// One endpoint, as it is here.
#[derive(Debug, Clone)]
pub(crate) struct EndpointInputs {
    pub(crate) row: EndpointRow,
    pub(crate) activity: EndpointActivity,
    pub(crate) secret: SecretPresence,
    /// What Stripe could not deliver to it.
    pub(crate) undelivered: Option<Undelivered>,
    /// What became of a probe, if Stripe could not reach it.
    pub(crate) probe_outcome: Option<ProbeOutcome>,
}

/// Whether the stack has a Stripe key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StripeKeyState {
    NotSet,
    /// Secrets Manager could not be asked.
    Unknown,
    Set {
        hint: String,
    },
}

impl EndpointInputs {
    /// Whether Stripe could not deliver an event that it wants, and nothing was delivered since then.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.undelivered.is_some_and(|undelivered| undelivered.still_holds(self.activity.at))
    }

    /// Whether a request that was refused at `at` may have been one of the undelivered events.
    pub(crate) fn may_be_undelivered(&self, at: Option<UnixMillis>) -> bool {
        let since = self.undelivered.map(|missed| UnixMillis::from(missed.newest) - REFUSED_BEFORE_MADE);
        matches!((at, since), (Some(at), Some(since)) if at >= since)
    }
}
