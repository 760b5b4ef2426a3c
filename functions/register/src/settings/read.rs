//! Shows the settings of the stack: how events are treated, which Stripe key there is, and what that key may
//! do, as Stripe says now.
//!
//! Only reading can be tried without changing anything, so only rights to read are shown. If Stripe cannot be
//! asked in time, a right is `unknown`; the settings are answered all the same. What Stripe answered is kept
//! for a minute, and one request at a time asks: whoever reads the settings must not use up Stripe's rate
//! limit.

use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::error_chain;
use shared::http::{Query, json};
use shared::mode::Mode;
use shared::registry::{KeyRight, KeyRights, LookKind, Readable, Rules, Settings, Turn};
use shared::retry::Retry;
use shared::stripe::{Session, StripeError};

use crate::context::RequestContext;
use crate::error::RegisterError;

/// How long Stripe may take to say what the key may do.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// Stripe takes 25 calls a second in a sandbox, and needs a part of a second for each.
const CALLS_AT_ONCE: usize = 5;

#[derive(Debug, Serialize)]
struct SettingsView<'a> {
    mode: Mode,
    ignore: &'a [String],
    retry: Retry,
    stripe_key: Option<StripeKeyView<'a>>,
}

#[derive(Debug, Serialize)]
struct StripeKeyView<'a> {
    hint: &'a str,
    set_at: Option<Timestamp>,
    account: Option<&'a str>,
    rights: KeyRights,
}

/// `GET /settings`
pub(crate) async fn get(
    context: RequestContext<'_>,
    request: &Request,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let registry = &context.deps.registry;
    let (settings, rules) = tokio::try_join!(registry.settings(), registry.rules())?;
    Ok(respond(context, settings.as_ref(), &rules).await)
}

/// The settings as `GET /settings` answers them.
pub(super) async fn respond(
    context: RequestContext<'_>,
    settings: Option<&Settings>,
    rules: &Rules,
) -> Response<Body> {
    let stripe_key = match settings {
        Some(settings) => Some(StripeKeyView {
            hint: &settings.stripe_key_hint,
            set_at: settings.stripe_key_set_at.to_timestamp(),
            account: settings.stripe_account.as_deref(),
            rights: key_rights(context, settings).await,
        }),
        None => None,
    };
    let mode = context.deps.mode;
    json(StatusCode::OK, &SettingsView { mode, ignore: &rules.ignore, retry: rules.retry, stripe_key })
}

/// What the key may do: as Stripe said within the last minute, or says now; while another request asks, as it
/// said within the last two.
async fn key_rights(context: RequestContext<'_>, settings: &Settings) -> KeyRights {
    let registry = &context.deps.registry;
    let this_key = settings.stripe_key_set_at.to_string();
    let look = match registry.look(LookKind::KeyRights, &this_key, context.now).await {
        Ok(Turn::Answered { answer, .. }) => return answer,
        Ok(Turn::Pending(before)) => return before.unwrap_or_else(|| KeyRights::each(KeyRight::Unknown)),
        Ok(Turn::Ask(look)) => look,
        Err(error) => {
            tracing::warn!(error = error_chain(&error), "it is not known what the Stripe key may do");
            return KeyRights::each(KeyRight::Unknown);
        }
    };
    let rights = ask_stripe(context, settings).await;
    if let Err(error) = registry.store_look(LookKind::KeyRights, &look, &rights).await {
        tracing::warn!(error = error_chain(&error), "what the Stripe key may do could not be kept");
    }
    rights
}

async fn ask_stripe(context: RequestContext<'_>, settings: &Settings) -> KeyRights {
    let deadline = context.stripe_deadline.within(ASKED_WITHIN);
    match context.deps.stripe.session(settings.stripe_key_set_at, deadline).await {
        Ok(Some(session)) => try_rights(&session).await,
        Ok(None) => KeyRights::each(KeyRight::Denied),
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                "the Stripe key could not be read, so its rights are unknown"
            );
            KeyRights::each(KeyRight::Unknown)
        }
    }
}

async fn try_rights(session: &Session<'_>) -> KeyRights {
    let asked = Readable::all().map(async |readable| (readable, right(try_reading(session, readable).await)));
    futures::stream::iter(asked)
        .buffer_unordered(CALLS_AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect()
}

async fn try_reading(session: &Session<'_>, readable: Readable) -> Result<(), StripeError> {
    match readable {
        Readable::WebhookEndpoints => session.try_reading_endpoints().await,
        Readable::Events => session.try_reading_events().await,
        Readable::Objects(kind) => session.try_reading_objects(kind).await,
    }
}

fn right(tried: Result<(), StripeError>) -> KeyRight {
    match tried {
        Ok(()) => KeyRight::Ok,
        Err(StripeError::Unauthorized(_) | StripeError::Forbidden(_)) => KeyRight::Denied,
        Err(StripeError::Refused(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_)) => {
            KeyRight::Unknown
        }
    }
}
