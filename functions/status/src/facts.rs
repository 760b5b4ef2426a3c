//! What is known: here, at Stripe, in Secrets Manager.
//!
//! DynamoDB first, because it says whom to ask what; then Stripe and Secrets Manager at once. What has not answered when time is
//! out is told as not known.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, chain};
use shared::event::EventId;
use shared::ledger::{OpenCount, State};
use shared::mode::Mode;
use shared::records::Uncertain;
use shared::registry::{Endpoint, Hour, Settings};
use shared::stripe::{Refusal, StripeError, WebhookEndpoint};
use tokio::time::Instant;

use crate::Deps;

/// For DynamoDB, of the 3 s that are promised.
const READ_WITHIN: Duration = Duration::from_millis(2_000);
/// For all; the rest is for judging and the way.
const GATHERED_WITHIN: Duration = Duration::from_millis(2_600);
/// A pending event this long after its time waits for something that does not happen: the sweep runs every minute.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// `last_day`.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// All that is judged.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) stack: String,
    pub(crate) endpoints: Vec<EndpointFacts>,
    pub(crate) key: Key,
    pub(crate) at_stripe: AtStripe,
    pub(crate) open: Open,
    pub(crate) uncertain: Uncertain,
    pub(crate) hours: Vec<Hour>,
}

/// One endpoint, as it is here.
#[derive(Debug, Clone)]
pub(crate) struct EndpointFacts {
    pub(crate) row: Endpoint,
    pub(crate) heard_at: Option<Timestamp>,
    pub(crate) secret: Secret,
}

/// Is the signing secret where the row says?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    There,
    Missing,
    /// The row names none.
    NotNamed,
    /// Secrets Manager could not be asked.
    Unknown,
}

/// The Stripe key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    NotSet,
    /// Secrets Manager could not be asked.
    Unknown,
    Set {
        hint: String,
    },
}

/// What Stripe says of the account's endpoints.
#[derive(Debug, Clone)]
pub(crate) enum AtStripe {
    /// It could not be asked without a key.
    NotAsked,
    Endpoints {
        list: Vec<WebhookEndpoint>,
        request_id: Option<String>,
    },
    KeyRefused(Refusal),
    KeyMayNot(Refusal),
    NoAnswer(Refusal),
}

/// Events that are not final.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) pending: OpenCount,
    pub(crate) failed: OpenCount,
    pub(crate) dead: OpenCount,
    pub(crate) quarantined: OpenCount,
    /// The pending event that has waited longest beyond its time.
    pub(crate) overdue: Option<EventId>,
}

/// Asks everybody.
pub(crate) async fn gather(deps: &Deps, now: Timestamp) -> Result<Facts, StoreError> {
    let until = Instant::now() + GATHERED_WITHIN;
    let stored = async {
        tokio::try_join!(
            deps.registry.endpoints(),
            deps.registry.settings(),
            deps.registry.heard_at(),
            deps.registry.hours(now - DAY),
            open(deps, now),
            deps.records.uncertain(),
        )
    };
    let stored = tokio::time::timeout(READ_WITHIN, stored).await;
    let (rows, settings, heard, hours, open, uncertain) =
        stored.map_err(StoreError::while_("reading what is stored")).flatten()?;
    let secrets = join_all(rows.iter().map(|row| secret(deps, row, until)));
    let ((key, at_stripe), secrets) = tokio::join!(ask_stripe(deps, settings, until), secrets);
    let heard: HashMap<String, Timestamp> = heard.into_iter().collect();
    let endpoints = rows
        .into_iter()
        .zip(secrets)
        .map(|(row, secret)| {
            let heard_at = heard.get(row.name.as_str()).copied();
            EndpointFacts { row, heard_at, secret }
        })
        .collect();
    let stack = deps.stack.clone();
    Ok(Facts { now, mode: deps.mode, stack, endpoints, key, at_stripe, open, uncertain, hours })
}

/// One state after the other: each count asks all shards at once, and 64 new connections would take longer.
async fn open(deps: &Deps, now: Timestamp) -> Result<Open, StoreError> {
    let pending = deps.ledger.count(State::Pending).await?;
    let overdue = if pending == OpenCount::Exactly(0) {
        None
    } else {
        deps.ledger.due(State::Pending, now - OVERDUE_AFTER, 1).await?.into_iter().next()
    };
    Ok(Open {
        pending,
        failed: deps.ledger.count(State::Failed).await?,
        dead: deps.ledger.count(State::Dead).await?,
        quarantined: deps.ledger.count(State::Quarantined).await?,
        overdue,
    })
}

async fn secret(deps: &Deps, row: &Endpoint, until: Instant) -> Secret {
    let Some(version) = &row.secret else { return Secret::NotNamed };
    match tokio::time::timeout_at(until, deps.vault.has(version)).await {
        Ok(Ok(true)) => Secret::There,
        Ok(Ok(false)) => Secret::Missing,
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), endpoint.name = %row.name, "a secret could not be looked for");
            Secret::Unknown
        }
        Err(_) => Secret::Unknown,
    }
}

async fn ask_stripe(deps: &Deps, settings: Option<Settings>, until: Instant) -> (Key, AtStripe) {
    let Some(settings) = settings else { return (Key::NotSet, AtStripe::NotAsked) };
    let session = deps.stripe.session(settings.stripe_key_set_at, until);
    let session = match tokio::time::timeout_at(until, session).await {
        Ok(Ok(Some(session))) => session,
        Ok(Ok(None)) => return (Key::NotSet, AtStripe::NotAsked),
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "the Stripe key could not be read");
            return (Key::Unknown, AtStripe::NotAsked);
        }
        Err(_) => return (Key::Unknown, AtStripe::NotAsked),
    };
    let at_stripe = match session.endpoints().await {
        Ok(answer) => AtStripe::Endpoints { list: answer.value, request_id: answer.request_id },
        Err(StripeError::Unauthorized(refusal)) => AtStripe::KeyRefused(*refusal),
        Err(StripeError::Forbidden(refusal)) => AtStripe::KeyMayNot(*refusal),
        // A limit on calls, or something between us and Stripe: either way nothing is known of the endpoints.
        Err(StripeError::Refused(refusal) | StripeError::Spent(refusal) | StripeError::NoAnswer(refusal)) => {
            AtStripe::NoAnswer(*refusal)
        }
    };
    (Key::Set { hint: settings.stripe_key_hint }, at_stripe)
}
