//! Shows the settings of the stack: how events are treated, which Stripe key there is, and what that key may
//! do, as Stripe says now.
//!
//! Only reading can be tried without changing anything, so only rights to read are shown. If Stripe cannot be
//! asked in time, a right is `unknown`; the settings are answered all the same. What Stripe answered is kept
//! for a minute, and one request at a time asks: whoever reads the settings must not use up Stripe's rate
//! limit.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::error_chain;
use shared::http::{Query, json};
use shared::mode::Mode;
use shared::registry::{KeyRight, KeyRights, RightsTurn, Rules, Settings};
use shared::retry::Retry;
use shared::stripe::{Session, StripeError};

use crate::context::RequestContext;
use crate::error::RegisterError;

/// How long Stripe may take to say what the key may do.
const ASKED_WITHIN: Duration = Duration::from_secs(5);

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

/// What the key may do: as Stripe said within the last minute, or says now.
async fn key_rights(context: RequestContext<'_>, settings: &Settings) -> KeyRights {
    let registry = &context.deps.registry;
    let check = match registry.key_rights(settings, context.now).await {
        Ok(RightsTurn::Stored(rights)) => return rights,
        Ok(RightsTurn::Ask(check)) => check,
        Err(error) => {
            tracing::warn!(error = error_chain(&error), "it is not known what the Stripe key may do");
            return KeyRights::UNKNOWN;
        }
    };
    let rights = ask_stripe(context, settings).await;
    if let Err(error) = registry.store_key_rights(&check, rights).await {
        tracing::warn!(error = error_chain(&error), "what the Stripe key may do could not be kept");
    }
    rights
}

async fn ask_stripe(context: RequestContext<'_>, settings: &Settings) -> KeyRights {
    let deadline = context.stripe_deadline.within(ASKED_WITHIN);
    match context.deps.stripe.session(settings.stripe_key_set_at, deadline).await {
        Ok(Some(session)) => try_rights(&session).await,
        Ok(None) => KeyRights { read_webhook_endpoints: KeyRight::Denied, read_events: KeyRight::Denied },
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                "the Stripe key could not be read, so its rights are unknown"
            );
            KeyRights::UNKNOWN
        }
    }
}

async fn try_rights(session: &Session<'_>) -> KeyRights {
    let (endpoints, events) = tokio::join!(session.try_reading_endpoints(), session.try_reading_events());
    KeyRights { read_webhook_endpoints: right(endpoints), read_events: right(events) }
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
