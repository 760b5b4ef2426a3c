//! Asks Stripe how its endpoints stand and whether events can be read, for whoever wants the status live: at
//! most every ten seconds for all of them together, and one request at a time. The others are given its
//! answer, so that nobody who may only read uses up Stripe's rate limit.
//!
//! An answer is of the endpoints as they are here: one from before a change of theirs is not used.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::aws::error_chain;
use shared::deadline::Deadline;
use shared::health::{self, OwnStack, StripeView};
use shared::registry::{LookKind, Settings, Turn};
use shared::stripe::{Session, StripeFailure, WebhookEndpoint};
use shared::unix_time::UnixMillis;

use crate::deps::Deps;

/// DynamoDB answers this long before the rest has to, or nothing can be answered.
pub(crate) const AFTER_READING: Duration = Duration::from_millis(600);
/// How long is waited between two looks for the answer that another request is getting.
const WAIT: Duration = Duration::from_millis(200);
/// Time to store an answer that came at the last moment.
const TO_STORE: Duration = Duration::from_millis(200);

/// What Stripe said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StripeAnswers {
    pub(crate) endpoints: StripeView<Vec<WebhookEndpoint>>,
    /// How far our clock was ahead of Stripe's, in milliseconds.
    pub(crate) clock_ahead_ms: Option<i64>,
    pub(crate) events_readable: StripeView<()>,
}

impl StripeAnswers {
    /// There is no key to ask with.
    pub(crate) const NONE: Self =
        Self { endpoints: StripeView::NotAsked, clock_ahead_ms: None, events_readable: StripeView::NotAsked };

    fn unavailable(why: &str) -> Self {
        let failure = StripeFailure::happened(why);
        Self {
            endpoints: StripeView::Unavailable(failure.clone()),
            clock_ahead_ms: None,
            events_readable: StripeView::Unavailable(failure),
        }
    }
}

/// What Stripe says, or has said within the last ten seconds; and when it was asked, if that is known.
pub(crate) async fn ask_stripe(
    deps: &Deps,
    session: &Session<'_>,
    settings: &Settings,
    own: OwnStack<'_>,
    deadline: Deadline,
    now: Timestamp,
) -> (StripeAnswers, Option<UnixMillis>) {
    let subject = subject(settings, own);
    loop {
        let turn = deps.registry.look::<StripeAnswers>(LookKind::Status, &subject, now);
        let look = match deadline.earlier_by(AFTER_READING).bound(turn).await {
            Some(Ok(Turn::Answered { answer, asked_at })) => return (answer, Some(asked_at)),
            Some(Ok(Turn::Ask(look))) => look,
            // What was said before is older than what is shown.
            Some(Ok(Turn::Pending(_))) => {
                if !deadline.allows(WAIT + AFTER_READING) {
                    break;
                }
                tokio::time::sleep(WAIT).await;
                continue;
            }
            Some(Err(error)) => {
                tracing::warn!(error = error_chain(&error), "what Stripe said last could not be read");
                return (StripeAnswers::unavailable("not asked: what it said last cannot be read"), None);
            }
            None => break,
        };
        let endpoints = health::endpoints(Some(session), own, now);
        let ((endpoints, clock_ahead_ms), events_readable) =
            tokio::join!(endpoints, events_readable(session));
        let answers = StripeAnswers { endpoints, clock_ahead_ms, events_readable };
        let stored = deps.registry.store_look(LookKind::Status, &look, &answers);
        if let Some(Err(error)) = deadline.later_by(TO_STORE).bound(stored).await {
            tracing::warn!(error = error_chain(&error), "what Stripe said could not be kept");
        }
        return (answers, Some(look.begun_at()));
    }
    (StripeAnswers::unavailable("not asked: another request was asking, and has no answer yet"), None)
}

/// What an answer is of: this key, and these endpoints as they are here.
fn subject(settings: &Settings, own: OwnStack<'_>) -> String {
    let mut subject = settings.stripe_key_set_at.to_string();
    for row in own.rows {
        // Writing to a text cannot fail.
        let _ = write!(subject, " {}/{}/{}", row.name, row.registration, row.rev);
    }
    subject
}

/// Whether Stripe lets the key read events now.
async fn events_readable(session: &Session<'_>) -> StripeView<()> {
    let readable = session.try_reading_events().await;
    readable.map_or_else(Into::into, |()| StripeView::Answered { value: (), request_id: None })
}
