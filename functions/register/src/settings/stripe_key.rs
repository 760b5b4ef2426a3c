//! Sets the Stripe key: checked with Stripe first, kept in Secrets Manager, and never shown again.
//!
//! ```text
//! parse ──► right mode ──► Stripe accepts it ──► same account ──► in Secrets Manager ──► settings say so
//! ```
//!
//! The key is kept before the settings say so: other processes read it again when the settings have changed.
//! Of two admins at the same time, the one whose key is in Secrets Manager is the one whose settings hold;
//! the other is refused.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::http::{ApiError, Fields, Query};
use shared::registry::{Settings, Written};
use shared::secret::StripeKey;
use shared::stripe::{Session, StripeError, StripeFailure};

use crate::audit::ChangeDetails;
use crate::context::RequestContext;
use crate::error::{RegisterError, StripeOperation};
use crate::settings::read;
use crate::settings::same_account::{self, AccountMatch};

/// How often the settings are written, when others write them at the same time.
const WRITES: usize = 3;

/// `PUT /settings/stripe-key`
pub(crate) async fn set(
    context: RequestContext<'_>,
    request: &Request,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let deps = context.deps;
    let key = read_key(request)?;
    if key.mode() != deps.mode {
        return Err(RegisterError::KeyOfOtherMode { key: key.mode(), stack: deps.mode });
    }
    let (old, rules) = tokio::try_join!(deps.registry.settings(), deps.registry.rules())?;
    details.before = old.as_ref().map(for_audit);

    let session = deps.stripe.session_with(key.clone(), context.stripe_deadline);
    let checked = session.try_reading_endpoints().await;
    checked.map_err(RegisterError::stripe(StripeOperation::CheckKey))?;
    let account = account_of_key(&session, old.is_none()).await?;
    let known = old.as_ref().and_then(|old| old.stripe_account.clone());
    let compared = same_account::compare(context, old.as_ref(), account.as_deref(), &session).await?;
    let account = match compared {
        AccountMatch::Same => account.or(known),
        AccountMatch::NothingHere => account,
        AccountMatch::Other => return Err(RegisterError::AccountDiffers),
        AccountMatch::Unknown => return Err(RegisterError::AccountUnknown),
    };

    deps.secret_store.set_stripe_key(&deps.stripe_key_secret, &key).await?;
    let new = store(context, old, &key, account).await?;
    details.after = Some(for_audit(&new));
    Ok(read::respond(context, Some(&new), &rules).await)
}

fn read_key(request: &Request) -> Result<StripeKey, ApiError> {
    let fields = Fields::read(request.body(), &["key"])?;
    let text = fields.text("key")?.ok_or_else(|| {
        ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", "`key` is missing")
            .field("key")
            .remedy("send {\"key\": \"sk_…\"} or a restricted key, rk_…")
    })?;
    StripeKey::from_copied(text).map_err(|error| {
        ApiError::invalid("key", error.to_string()).remedy(
            "copy the account's secret key, or a restricted one, from Stripe's dashboard, under Developers > API keys",
        )
    })
}

/// The key's account, if Stripe says it. A key that may not ask for it is as good as any other, and so is a
/// Stripe without this call. If Stripe does not answer now, it may later, and nothing is changed; but the
/// first key of a stack meets nothing that could be mixed up, and need not wait for that.
async fn account_of_key(session: &Session<'_>, is_first: bool) -> Result<Option<String>, RegisterError> {
    let unknown = |failure: &StripeFailure| {
        tracing::warn!(error = error_chain(failure), "Stripe did not say which account the key belongs to");
        Ok(None)
    };
    match session.account().await {
        Ok(account) => Ok(account),
        Err(StripeError::Refused(failure)) if !failure.is_rate_limit() => unknown(&failure),
        Err(StripeError::NoAnswer(failure)) if is_first => unknown(&failure),
        Err(error) => Err(RegisterError::stripe(StripeOperation::CheckKey)(error)),
    }
}

/// Writes into the settings which key is in Secrets Manager.
async fn store(
    context: RequestContext<'_>,
    mut old: Option<Settings>,
    key: &StripeKey,
    account: Option<String>,
) -> Result<Settings, RegisterError> {
    let RequestContext { deps, now, .. } = context;
    for _ in 0..WRITES {
        let mut new = Settings {
            since: old.as_ref().map_or(now.into(), |old| old.since),
            stripe_key_hint: key.hint(),
            stripe_key_set_at: now.into(),
            stripe_account: account.clone(),
            rev: 0,
        };
        if deps.registry.store_settings(old.as_ref(), &mut new).await? == Written::Done {
            return Ok(new);
        }
        // Another admin was quicker. The one whose key is in Secrets Manager goes on, so that the settings
        // end as that key's.
        if deps.secret_store.stripe_key(&deps.stripe_key_secret).await?.as_ref() != Some(key) {
            return Err(RegisterError::SettingsConflict);
        }
        old = deps.registry.settings().await?;
    }
    Err(RegisterError::SettingsConflict)
}

fn for_audit(settings: &Settings) -> Value {
    json!({ "hint": settings.stripe_key_hint, "account": settings.stripe_account })
}
