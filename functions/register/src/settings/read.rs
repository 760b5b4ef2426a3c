//! Shows the settings of the stack: how events are treated, which Stripe key there is, and what that key may
//! do, as Stripe says now.
//!
//! Only reading can be tried without changing anything, so only rights to read are shown. If Stripe cannot be
//! asked in time, a right is `unknown`; the settings are answered all the same.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::error_chain;
use shared::http::{Query, json};
use shared::mode::Mode;
use shared::registry::{Rules, Settings};
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

#[derive(Debug, Clone, Copy, Serialize)]
struct KeyRights {
    read_webhook_endpoints: KeyRight,
    read_events: KeyRight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum KeyRight {
    Ok,
    Denied,
    Unknown,
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

async fn key_rights(context: RequestContext<'_>, settings: &Settings) -> KeyRights {
    let deadline = context.stripe_deadline.within(ASKED_WITHIN);
    match context.deps.stripe.session(settings.stripe_key_set_at, deadline).await {
        Ok(Some(session)) => try_rights(&session).await,
        Ok(None) => KeyRights { read_webhook_endpoints: KeyRight::Denied, read_events: KeyRight::Denied },
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                "the Stripe key could not be read, so its rights are unknown"
            );
            KeyRights { read_webhook_endpoints: KeyRight::Unknown, read_events: KeyRight::Unknown }
        }
    }
}

async fn try_rights(session: &Session<'_>) -> KeyRights {
    let (endpoints, events) = tokio::join!(session.try_reading_endpoints(), session.try_reading_events());
    KeyRights { read_webhook_endpoints: endpoints.into(), read_events: events.into() }
}

impl From<Result<(), StripeError>> for KeyRight {
    fn from(tried: Result<(), StripeError>) -> Self {
        match tried {
            Ok(()) => Self::Ok,
            Err(StripeError::Unauthorized(_) | StripeError::Forbidden(_)) => Self::Denied,
            Err(StripeError::Refused(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_)) => {
                Self::Unknown
            }
        }
    }
}
