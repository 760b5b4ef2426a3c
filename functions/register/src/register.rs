//! Registers an endpoint: the wish is stored, Stripe makes the endpoint, its secret is kept, the row becomes active.
//!
//! ```text
//! row `registering` ──► Stripe: create ──► secret kept ──► row `active`
//!        ▲                   │
//!        │                   ├── refused, nothing done ──► row taken back
//!        │                   ├── no answer ──────────────► row stays; the same request goes on
//!        └── new attempt ◄───┴── the answer is lost for good (no secret in it, a kept 500, a day gone):
//!                                what the attempt made is found by its mark and removed
//! ```
//!
//! Each attempt has a fresh registration id, stored first. It is Stripe's idempotency key, so that going on gives the same endpoint
//! and the same secret; it stands in the endpoint's metadata, in the secret's name, and is the id of the secret's version.
//!
//! Requests at once with the same wish are one attempt, and all are answered with it. Whoever finds the row overtaken removes
//! what it made itself.

mod attempt;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::http::{ApiError, Fields, Query, json};
use shared::probe;
use shared::registry::Written;
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};
use shared::stripe::{NewEndpoint, Session, StripeError};

use self::attempt::{Attempt, begin, start_over};
use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::mark::remove_marked;
use crate::view::EndpointView;
use crate::{Deps, Moment, cap, spec};

/// New attempts that one request begins. The second is for a kept 500 met by the first; a third would meet no other luck.
const ATTEMPTS: usize = 2;

/// `POST /endpoints`
pub(crate) async fn register(
    deps: &Deps,
    request: &Request,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &spec::FIELDS)?;
    trace.target = spec::asked_name(&fields);
    let (name, spec) = spec::read(&fields, &deps.public_url, deps.local)?;
    if let Some(inside) = leads_inside(deps, &spec.url).await {
        return Err(inside.into());
    }
    let (_, session) = deps.with_stripe(moment).await?;

    let attempt = begin(deps, name, spec, moment).await?;
    let (endpoint, secret) = make(deps, &session, attempt, moment).await?;
    // Until then, a process that has just looked in vain would refuse a delivery; after the answer, none does.
    tokio::time::sleep(deps.endpoint_refresh_interval).await;

    let view = EndpointView::of(&endpoint, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::CREATED, &view.with_secret(&secret)))
}

/// Refuses an address whose name leads into a machine or network. On the local stack all names do.
async fn leads_inside(deps: &Deps, url: &str) -> Option<ApiError> {
    if deps.local {
        return None;
    }
    let inside = probe::leads_inside(url).await?;
    let message = format!("`{url}` leads to {inside}, inside a machine or network, where Stripe cannot send");
    Some(ApiError::invalid("url", message).remedy("give an address whose name leads to the internet"))
}

/// Goes on with a registration that a request left half done.
pub(crate) async fn finish_registering(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    let (endpoint, _) = make(deps, session, Attempt::of(row, moment.now), moment).await?;
    Ok(endpoint)
}

/// Has Stripe make the endpoint, in one attempt or, where its answer is lost for good, in a second one.
async fn make(
    deps: &Deps,
    session: &Session<'_>,
    mut attempt: Attempt,
    moment: Moment,
) -> Result<(EndpointRow, SigningSecret), RegisterError> {
    for _ in 0..ATTEMPTS {
        if attempt.is_lost {
            attempt = start_over(deps, session, attempt.row, moment).await?;
        }
        let mark = deps.owner_tag(&attempt.row);
        let new = NewEndpoint { spec: &attempt.row.spec, mark: &mark };
        match session.create_endpoint(&new, &attempt.row.registration).await {
            Ok(created) => match created.value.secret {
                Some(secret) => {
                    return finish(deps, session, attempt.row, &created.value.endpoint.id, secret, moment)
                        .await;
                }
                None => attempt.is_lost = true,
            },
            Err(StripeError::IdempotencyKeySpent(_)) => attempt.is_lost = true,
            Err(error) => return Err(refused(deps, session, &attempt, error, moment).await),
        }
    }
    Err(RegisterError::AnswerLost)
}

/// Keeps the secret, then says that the endpoint is active.
async fn finish(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    stripe_id: &str,
    secret: SigningSecret,
    moment: Moment,
) -> Result<(EndpointRow, SigningSecret), RegisterError> {
    let one = EndpointSecret { stripe_id: stripe_id.to_owned(), secret: secret.clone() };
    let secrets = SigningSecrets { signing: vec![one] };
    let name = deps.secret_name(&row);
    let version = deps.secret_store.store_signing_secrets(&name, &row.registration, &secrets).await?;
    let mut active = EndpointRow {
        // A replacement of one that is disabled is still to be told so.
        state: if row.pending_change.is_some() { EndpointState::Changing } else { EndpointState::Active },
        state_since: moment.now.as_millisecond(),
        is_replacement: false,
        subscribed_since: moment.now.as_millisecond(),
        stripe_id: Some(stripe_id.to_owned()),
        secret: Some(version),
        signing_secret_hint: Some(secret.hint()),
        ..row.clone()
    };
    match deps.registry.replace(&row, &mut active).await? {
        Written::Done => Ok((active, secret)),
        Written::Conflict => match deps.registry.endpoint(&row.name).await? {
            // Another request has finished the same attempt.
            Some(other) if other.registration == row.registration && other.state.takes_deliveries() => {
                Ok((other, secret))
            }
            Some(_) | None => Err(undo(deps, session, &row, stripe_id).await),
        },
    }
}

/// Removes what this request made for a row that somebody has removed or begun anew meanwhile, and tells how that ended.
async fn undo(deps: &Deps, session: &Session<'_>, row: &EndpointRow, stripe_id: &str) -> RegisterError {
    let name = row.name.to_string();
    let mut told = RegisterError::EndpointOvertaken(name.clone());
    if let Err(error) = session.delete_endpoint(stripe_id).await {
        tracing::error!(
            error = error_chain(&error),
            stripe.endpoint = stripe_id,
            "an endpoint is left over at Stripe"
        );
        told = RegisterError::LeftOver { name, stripe_id: stripe_id.to_owned() };
    }
    let secret = deps.secret_name(row);
    if let Err(error) = deps.secret_store.remove(&secret).await {
        tracing::error!(error = error_chain(&error), secret.name = secret, "a secret is left over");
    }
    told
}

/// Takes the row back if Stripe has certainly made nothing, and tells why.
async fn refused(
    deps: &Deps,
    session: &Session<'_>,
    attempt: &Attempt,
    error: StripeError,
    moment: Moment,
) -> RegisterError {
    let mut hint = None;
    if let StripeError::Refused(failure) = &error
        && cap::is_reached(failure)
    {
        let rows = deps.registry.endpoints().await.unwrap_or_default();
        hint = Some(cap::remedy(deps, session, &rows, moment.now).await);
    }
    if attempt.made_nothing(&error) && attempt.row.is_replacement {
        // It was whole once: it stays, as one that Stripe does not know.
        let mut kept = EndpointRow { state: EndpointState::Active, is_replacement: false, ..attempt.row.clone() };
        if let Err(error) = deps.registry.replace(&attempt.row, &mut kept).await {
            tracing::warn!(error = error_chain(&error), endpoint.name = %attempt.row.name, "a replacement could not be taken back");
        }
    } else if attempt.made_nothing(&error) {
        // If it cannot be removed, it stays `registering`: shown as such, and gone on with by the same request.
        if let Err(error) = deps.registry.remove(&attempt.row).await {
            tracing::warn!(error = error_chain(&error), endpoint.name = %attempt.row.name, "a wish could not be taken back");
        }
    }
    RegisterError::Stripe { doing: Doing::Registering, error, hint }
}
