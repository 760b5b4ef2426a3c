//! Sets the Stripe key: checked with Stripe first, kept in Secrets Manager, and never shown again.
//!
//! ```text
//! parse ──► mode ──► Stripe accepts it? ──► same account? ──► kept in the vault ──► settings say so
//! ```
//!
//! The key is kept before the settings say so: other processes read it again when the settings have changed. Of two admins at
//! once, the one whose key lies in the vault is the one whose settings hold; the other is told.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::http::{ApiError, Fields, Query};
use shared::registry::{Settings, Written};
use shared::secret::StripeKey;
use shared::stripe::{Session, StripeError, StripeFailure};

use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::same_account::{self, Account};
use crate::{Deps, Moment, settings};

/// Writes of the settings, when others write them at the same time.
const WRITES: usize = 3;

/// `PUT /settings/stripe-key`
pub(crate) async fn set(
    deps: &Deps,
    request: &Request,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let key = read(request)?;
    if key.mode() != deps.mode {
        return Err(RegisterError::KeyOfOtherMode { key: key.mode(), stack: deps.mode });
    }
    let (old, rules) = tokio::try_join!(deps.registry.settings(), deps.registry.rules())?;
    trace.before = old.as_ref().map(for_audit);

    let session = deps.stripe.session_with(key.clone(), moment.stripe_until);
    let checked = session.try_reading_endpoints().await;
    checked.map_err(RegisterError::stripe(Doing::CheckingKey))?;
    let told = account(&session, old.is_none()).await?;
    let known = old.as_ref().and_then(|old| old.stripe_account.clone());
    let account = match same_account::compare(deps, old.as_ref(), told.as_deref(), &session, moment).await? {
        Account::Same => told.or(known),
        Account::NothingHere => told,
        Account::Other => return Err(RegisterError::AccountDiffers),
        Account::Unknown => return Err(RegisterError::AccountUnknown),
    };

    deps.secret_store.set_stripe_key(&deps.stripe_key_secret, &key).await?;
    let new = store(deps, old, &key, account, moment).await?;
    trace.after = Some(for_audit(&new));
    settings::answer(deps, Some(&new), &rules, moment).await
}

fn read(request: &Request) -> Result<StripeKey, ApiError> {
    let fields = Fields::read(request.body(), &["key"])?;
    let text = fields.text("key")?.ok_or_else(|| {
        ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", "`key` is missing")
            .field("key")
            .remedy("send {\"key\": \"sk_…\"} or a restricted key, rk_…")
    })?;
    // What is copied from a page or a file often brings a space or a line's end along, and no key has one.
    text.trim().parse().map_err(|error: shared::secret::InvalidStripeKey| {
        ApiError::invalid("key", error.to_string())
            .remedy("copy the key from Stripe's dashboard, under Developers > API keys")
    })
}

/// The key's account, if Stripe tells. A key that may not ask is as good as any other, and so is a Stripe without this call. One
/// that does not answer now may tell later, and then nothing is changed; but the first key of a stack meets nothing that could be
/// mixed up, and need not wait for that.
async fn account(session: &Session<'_>, is_first: bool) -> Result<Option<String>, RegisterError> {
    let untold = |failure: &StripeFailure| {
        tracing::warn!(error = error_chain(failure), "Stripe did not tell the key's account");
        Ok(None)
    };
    match session.account().await {
        Ok(account) => Ok(account),
        Err(StripeError::Refused(failure)) if !failure.is_rate_limit() => untold(&failure),
        Err(StripeError::NoAnswer(failure)) if is_first => untold(&failure),
        Err(error) => Err(RegisterError::stripe(Doing::CheckingKey)(error)),
    }
}

/// Says in the settings which key is in the vault.
async fn store(
    deps: &Deps,
    mut old: Option<Settings>,
    key: &StripeKey,
    account: Option<String>,
    moment: Moment,
) -> Result<Settings, RegisterError> {
    for _ in 0..WRITES {
        let mut new = Settings {
            since: old.as_ref().map_or(moment.now.as_millisecond(), |old| old.since),
            stripe_key_hint: key.hint(),
            stripe_key_set_at: moment.now.as_millisecond(),
            stripe_account: account.clone(),
            rev: 0,
        };
        if deps.registry.store_settings(old.as_ref(), &mut new).await? == Written::Done {
            return Ok(new);
        }
        // Another admin was quicker. Whose key is in the vault goes on, so that the settings end up telling of that one.
        if deps.secret_store.stripe_key(&deps.stripe_key_secret).await?.as_ref() != Some(key) {
            return Err(RegisterError::SettingsOvertaken);
        }
        old = deps.registry.settings().await?;
    }
    Err(RegisterError::SettingsOvertaken)
}

fn for_audit(settings: &Settings) -> Value {
    json!({ "hint": settings.stripe_key_hint, "account": settings.stripe_account })
}
