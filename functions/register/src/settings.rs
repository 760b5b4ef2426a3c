//! Shows the settings of the stack: how events are treated, which Stripe key there is, and what the Stripe key may do as Stripe says now.
//!
//! Only reading can be tried without changing anything, so only rights to read are told. If Stripe cannot be asked in time, a
//! right is `unknown`; the settings are answered all the same.

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
use tokio::time::Instant;

use crate::error::RegisterError;
use crate::{Deps, Moment};

const ASKED_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct SettingsView<'a> {
    mode: Mode,
    ignore: &'a [String],
    retry: Retry,
    stripe_key: Option<KeyView<'a>>,
}

#[derive(Debug, Serialize)]
struct KeyView<'a> {
    hint: &'a str,
    set_at: Option<Timestamp>,
    account: Option<&'a str>,
    rights: Rights,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Rights {
    read_webhook_endpoints: Right,
    read_events: Right,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Right {
    Ok,
    Denied,
    Unknown,
}

/// `GET /settings`
pub(crate) async fn show(
    deps: &Deps,
    request: &Request,
    moment: Moment,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let (settings, rules) = tokio::try_join!(deps.registry.settings(), deps.registry.rules())?;
    answer(deps, settings.as_ref(), &rules, moment).await
}

/// The settings as `GET /settings` answers them.
pub(crate) async fn answer(
    deps: &Deps,
    settings: Option<&Settings>,
    rules: &Rules,
    moment: Moment,
) -> Result<Response<Body>, RegisterError> {
    let stripe_key = match settings {
        Some(settings) => Some(KeyView {
            hint: &settings.stripe_key_hint,
            set_at: Timestamp::from_millisecond(settings.stripe_key_set_at).ok(),
            account: settings.stripe_account.as_deref(),
            rights: rights(deps, settings, moment).await,
        }),
        None => None,
    };
    let view = SettingsView { mode: deps.mode, ignore: &rules.ignore, retry: rules.retry, stripe_key };
    Ok(json(StatusCode::OK, &view))
}

async fn rights(deps: &Deps, settings: &Settings, moment: Moment) -> Rights {
    let until = moment.stripe_until.min(Instant::now() + ASKED_WITHIN);
    match deps.stripe.session(settings.stripe_key_set_at, until).await {
        Ok(Some(session)) => ask(&session).await,
        Ok(None) => Rights { read_webhook_endpoints: Right::Denied, read_events: Right::Denied },
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                "the Stripe key could not be read, so its rights are unknown"
            );
            Rights { read_webhook_endpoints: Right::Unknown, read_events: Right::Unknown }
        }
    }
}

async fn ask(session: &Session<'_>) -> Rights {
    let (endpoints, events) = tokio::join!(session.try_reading_endpoints(), session.try_reading_events());
    Rights { read_webhook_endpoints: Right::of(&endpoints), read_events: Right::of(&events) }
}

impl Right {
    fn of(tried: &Result<(), StripeError>) -> Self {
        match tried {
            Ok(()) => Self::Ok,
            Err(StripeError::Unauthorized(_) | StripeError::Forbidden(_)) => Self::Denied,
            Err(StripeError::Refused(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_)) => {
                Self::Unknown
            }
        }
    }
}
