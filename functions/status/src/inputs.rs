//! What the checks look at: the endpoints as they are here, and what reconciliation gathered.

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::{ACTIVITY_INTERVAL, EndpointRow};
use shared::health::{
    self, Arrivals, ErasureHealth, GapReport, OpenEvents, PayoutHealth, SecretPresence, StripeView,
    Undelivered,
};
use shared::mode::Mode;
use shared::probe::ProbeOutcome;
use shared::records::{IncompleteRecords, OpenRecords};
use shared::registry::{DriftProgress, EndpointActivity, HourlyCounts, Import, LastProbe, PayoutProgress};
use shared::stripe::{StripeFailure, WebhookEndpoint};
use shared::unix_time::{UnixMillis, UnixSeconds};

/// How long before an undelivered event was made a request may have been refused and still be that event:
/// activity is recorded up to a minute late, and clocks differ.
const REFUSED_BEFORE_MADE: SignedDuration = SignedDuration::from_mins(5);

/// All that the checks look at.
#[derive(Debug, Clone)]
pub(crate) struct StatusInputs {
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    /// The stack's id, once it has created an endpoint.
    pub(crate) stack_id: Option<String>,
    /// The address that Stripe sends to.
    pub(crate) public_url: String,
    /// After how many days signing secrets are to be rotated; 0 is never.
    pub(crate) rotate_days: i64,
    pub(crate) endpoints: Vec<EndpointInputs>,
    pub(crate) stripe_key: StripeKeyState,
    /// When Stripe was asked for its endpoints; none if there is no key to ask with.
    pub(crate) stripe_asked_at: Option<Timestamp>,
    /// The account's endpoints at Stripe.
    pub(crate) at_stripe: StripeView<Vec<WebhookEndpoint>>,
    /// Why Stripe did not answer just now, where `at_stripe` is what it answered a few minutes ago.
    pub(crate) no_answer: Option<StripeFailure>,
    /// Whether the key may read events.
    pub(crate) events_readable: StripeView<()>,
    /// How far our clock is ahead of Stripe's, in milliseconds.
    pub(crate) clock_ahead_ms: Option<i64>,
    pub(crate) open: OpenEvents,
    pub(crate) uncertain: OpenRecords,
    /// Records with a list that is cut; none where nobody has looked.
    pub(crate) incomplete: Option<IncompleteRecords>,
    /// Patterns of event types that are kept and not applied.
    pub(crate) ignore: Vec<String>,
    /// What the last reconciliation found with the present key when it compared Stripe's events with the
    /// ledger.
    pub(crate) gaps: StripeView<GapReport>,
    /// Whether what the last reconciliation gathered is recent, complete and of the stack as it is now: what
    /// does not answer just now did then.
    pub(crate) is_reconciled_lately: bool,
    /// When the last reconciliation ran.
    pub(crate) reconciled_at: Option<Timestamp>,
    /// When the first Stripe key was set.
    pub(crate) key_since: Option<Timestamp>,
    pub(crate) hours: Vec<HourlyCounts>,
    /// The latest import.
    pub(crate) import: Option<Import>,
    pub(crate) erasures: ErasureHealth,
    /// How far comparing records with Stripe's objects is.
    pub(crate) drift: Option<DriftProgress>,
    /// How payouts are; none if nobody has looked.
    pub(crate) payouts: Option<PayoutHealth>,
    /// How far the listing of payouts and their transactions is.
    pub(crate) payout_progress: Option<PayoutProgress>,
}

/// One endpoint, as it is here.
#[derive(Debug, Clone)]
pub(crate) struct EndpointInputs {
    pub(crate) row: EndpointRow,
    pub(crate) activity: EndpointActivity,
    pub(crate) secret: SecretPresence,
    /// What Stripe could not deliver to it.
    pub(crate) undelivered: Option<Undelivered>,
    /// How the events that Stripe made came here.
    pub(crate) arrivals: Arrivals,
    /// The last probe, if it was sent to the endpoint as it is now.
    pub(crate) probe: Option<LastProbe>,
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
    /// What became of the last probe.
    pub(crate) fn probe_outcome(&self) -> Option<&ProbeOutcome> {
        self.probe.as_ref().map(|probe| &probe.report.outcome)
    }

    /// When the newest event was made that did not arrive by itself.
    pub(crate) fn newest_missed(&self) -> Option<UnixSeconds> {
        health::newest_missed(self.undelivered.as_ref(), Some(&self.arrivals))
    }

    /// Whether an event that it wants did not arrive, and nothing was delivered since that was made.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.newest_missed().is_some_and(|newest| health::is_still_missed(newest, self.activity.at))
    }

    /// Whether a request that was refused at `at` may have been one of the events that did not arrive.
    pub(crate) fn may_be_undelivered(&self, at: Option<UnixMillis>) -> bool {
        let since = self.newest_missed().map(|newest| UnixMillis::from(newest) - REFUSED_BEFORE_MADE);
        matches!((at, since), (Some(at), Some(since)) if at >= since)
    }

    /// Whether a probe was stored after the newest event was made that did not arrive.
    pub(crate) fn was_probed_since(&self) -> bool {
        let stored = self.probe.as_ref().filter(|probe| probe.report.outcome == ProbeOutcome::Stored);
        stored.is_some_and(|probe| self.newest_missed().is_none_or(|newest| probe.at >= newest.into()))
    }

    /// Whether a delivery came in after this probe. That is recorded once a minute, so one from the minute
    /// before may stand for a later one.
    pub(crate) fn was_heard_since(&self, probe: &LastProbe) -> bool {
        self.activity.at.is_some_and(|at| at + ACTIVITY_INTERVAL >= probe.at)
    }

    /// Whether nothing was ever delivered, and requests came whose signature does not match.
    pub(crate) fn has_only_mismatches(&self) -> bool {
        self.activity.at.is_none() && self.activity.mismatched_at.is_some()
    }

    /// Whether it is known that what is sent to it arrives: Stripe was heard, or a probe came through. What
    /// Stripe signs with another secret is no delivery, whatever becomes of probes.
    pub(crate) fn was_reached(&self) -> bool {
        let was_probed = self.probe_outcome() == Some(&ProbeOutcome::Stored);
        self.activity.at.is_some() || was_probed && !self.has_only_mismatches()
    }
}
