//! What is known of the stack beyond its own rows, as it is kept and as the status reads it: types only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arrivals::{Arrivals, RunArrivals};
use super::erasures::ErasureHealth;
use super::payouts::PayoutHealth;
use crate::endpoint::{ACTIVITY_INTERVAL, EndpointRow};
use crate::event::EventId;
use crate::ledger::OpenCount;
use crate::records::{IncompleteRecords, OpenRecords};
use crate::stripe::{StripeError, StripeFailure, WebhookEndpoint};
use crate::unix_time::{UnixMillis, UnixSeconds};

/// All that was gathered at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthSnapshot {
    /// When.
    pub at: UnixMillis,
    /// The account's endpoints at Stripe: those of this stack, and others that point here.
    pub endpoints: StripeView<Vec<WebhookEndpoint>>,
    /// How far our clock is ahead of Stripe's, in milliseconds, give or take a second: its `Date` has whole
    /// ones.
    #[serde(rename = "clock_ahead", default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
    /// What comparing Stripe's events with the ledger came to.
    pub events: StripeView<GapReport>,
    /// What Stripe could not deliver to an endpoint, by its name.
    pub undelivered: BTreeMap<String, Undelivered>,
    /// How the events of each endpoint came here, by its name.
    #[serde(default)]
    pub arrivals: BTreeMap<String, Arrivals>,
    /// The signing secret of each endpoint, by its name here.
    pub secrets: BTreeMap<String, SecretPresence>,
    /// Events that are not final.
    pub open: OpenEvents,
    /// Records whose events could not be put in order.
    pub uncertain: OpenRecords,
    /// Records with a list that is cut; none in a snapshot of an earlier version of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<IncompleteRecords>,
    /// How the erasures of personal data are; none in a snapshot of an earlier version of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasures: Option<ErasureHealth>,
    /// How payouts are; none in a snapshot of an earlier version of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payouts: Option<PayoutHealth>,
}

/// An answer of Stripe, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StripeView<T> {
    /// It was not asked: there is no key, or nothing to ask for.
    #[serde(rename = "nothing")]
    NotAsked,
    /// Stripe answered.
    #[serde(rename = "this")]
    Answered {
        /// The answer.
        value: T,
        /// Stripe's `Request-Id`.
        request_id: Option<String>,
    },
    /// It does not accept the key.
    #[serde(rename = "key_refused")]
    KeyRejected(StripeFailure),
    /// The key may not ask this.
    #[serde(rename = "may_not")]
    Forbidden(StripeFailure),
    /// It gave no answer that counts.
    #[serde(rename = "no_answer")]
    Unavailable(StripeFailure),
}

impl<T> From<StripeError> for StripeView<T> {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Unauthorized(failure) => Self::KeyRejected(*failure),
            StripeError::Forbidden(failure) => Self::Forbidden(*failure),
            // A limit on calls, or something between us and Stripe: either way nothing is known.
            StripeError::Refused(failure)
            | StripeError::IdempotencyKeySpent(failure)
            | StripeError::NoAnswer(failure) => Self::Unavailable(*failure),
        }
    }
}

/// What comparing events came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapReport {
    /// Everything up to this second of Stripe's has been compared, in every account.
    pub until: UnixSeconds,
    /// Events looked at in the last run.
    pub looked_at: u64,
    /// Of those, wanted and not here; they are now.
    pub filled: u64,
    /// Of those looked at, what Stripe could not deliver, by the endpoint that wants it.
    pub undelivered: BTreeMap<String, Undelivered>,
    /// How the events that were looked at for the first time came here, by the endpoint that wants them.
    #[serde(skip)]
    pub arrivals: BTreeMap<String, RunArrivals>,
    /// Whether a window is left for the next run.
    pub more: bool,
    /// How many connected accounts there are of which an endpoint wants events.
    #[serde(default)]
    pub connected: u64,
    /// Connected accounts that Stripe does not let the key ask for, the first ten.
    pub refused: Vec<String>,
    /// Connected accounts for which Stripe did not answer, the first ten.
    pub unanswered: Vec<String>,
}

/// Events of the last day that an endpoint wants and Stripe says are not delivered, though it tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// When the newest was made of Stripe's.
    pub newest: UnixSeconds,
    /// How many a run saw.
    pub count: u64,
}

/// Returns when the newest event was made that did not arrive at an endpoint by itself: Stripe says that it
/// could not deliver it, or it had to be fetched though Stripe believes that it was taken.
pub fn newest_missed(undelivered: Option<&Undelivered>, arrivals: Option<&Arrivals>) -> Option<UnixSeconds> {
    undelivered.map(|missed| missed.newest).max(arrivals.and_then(Arrivals::newest_fetched))
}

/// Returns whether nothing has been delivered since the newest missed event was made. `last_delivery_at` is
/// when a delivery last came in; that is recorded once a minute, so one from the minute before may stand for
/// a later one. What another endpoint of the account failed to take counts as undelivered too, while this one
/// had deliveries.
pub fn is_still_missed(newest: UnixSeconds, last_delivery_at: Option<UnixMillis>) -> bool {
    last_delivery_at
        .is_none_or(|last_delivery_at| last_delivery_at + ACTIVITY_INTERVAL < UnixMillis::from(newest))
}

/// Whether a signing secret is where the endpoint's row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPresence {
    /// It is where the row says.
    There,
    /// It is not there.
    Missing,
    /// The row names none.
    NotNamed,
    /// Secrets Manager could not be asked.
    Unknown,
}

/// Events that are not final.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEvents {
    /// To be applied.
    pub pending: OpenCount,
    /// To be tried again.
    pub failed: OpenCount,
    /// Tried often enough.
    pub dead: OpenCount,
    /// Set aside.
    pub quarantined: OpenCount,
    /// The pending event that has waited longest beyond its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<EventId>,
    /// Of those that failed, a few that have done so the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_because: Option<CommonReason>,
    /// Of the dead, the last few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_because: Option<CommonReason>,
    /// Of those set aside, the last few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined_because: Option<CommonReason>,
}

/// What some of the events in one state say of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonReason {
    /// How many were looked at.
    pub looked_at: usize,
    /// The commonest reason.
    pub reason: String,
    /// How many have it.
    pub count: usize,
    /// One of them.
    pub example: EventId,
    /// Since when the first of those looked at has been so.
    pub since: UnixMillis,
}

/// How the endpoints of this stack are known.
#[derive(Debug, Clone, Copy)]
pub struct OwnStack<'a> {
    /// The stack's id, as owner tags hold it; none before it has registered anything.
    pub stack_id: Option<&'a str>,
    /// The address they point to, without a slash at its end.
    pub public_url: &'a str,
    /// Their rows here.
    pub rows: &'a [EndpointRow],
}

impl OwnStack<'_> {
    /// Returns whether it is of this stack, or points here.
    pub(super) fn concerns(&self, endpoint: &WebhookEndpoint) -> bool {
        endpoint.is_created_by(self.stack_id)
            || endpoint.is_known(self.rows)
            || endpoint.points_to(self.public_url)
    }
}
