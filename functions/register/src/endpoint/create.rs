//! Registers an endpoint: what is wanted is stored, Stripe creates the endpoint, its signing secret is kept,
//! the row becomes active.
//!
//! ```text
//! row `registering` ──► Stripe: create (`attempt`) ──► secret kept ──► row `active` ──► probe
//! ```
//!
//! Stripe creates it enabled. What takes the place of a disabled endpoint is `changing` in place of `active`,
//! and then disabled (`update`).
//!
//! Requests for the same endpoint at the same time are one attempt, and all are answered with it. A request
//! that finds its row removed or begun anew removes what it created itself.

mod registration;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::http::{ApiError, Fields, Query, json};
use shared::registry::Written;
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};

use self::registration::Registration;
use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::deps::Deps;
use crate::endpoint::attempt::{create_at_stripe, delete_orphan};
use crate::endpoint::probe::ProbeView;
use crate::endpoint::view::{EndpointView, EndpointWithSecretView};
use crate::endpoint::{probe, row, secret, spec, update};
use crate::error::RegisterError;

/// The answer: the endpoint with its signing secret, and whether its address takes deliveries.
#[derive(Serialize)]
struct RegisteredView<'a> {
    #[serde(flatten)]
    endpoint: EndpointWithSecretView<'a>,
    /// What became of a probe; none if there was no time for one.
    probe: Option<ProbeView>,
}

/// `POST /endpoints`
pub(crate) async fn create(
    context: RequestContext<'_>,
    request: &Request,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let deps = context.deps;
    let fields = Fields::read(request.body(), &spec::CREATE_FIELDS)?;
    details.target = spec::requested_name(&fields);
    let (name, spec) = spec::read(&fields, &deps.public_url, deps.local)?;
    refuse_inside_host(deps, &spec.url).await?;
    let session = context.stripe_session().await?;

    let registration = Registration::begin(context, name, spec).await?;
    let (row, secret) = finish(context.with_session(&session), registration).await?;
    // Until then, a process that has just looked in vain would refuse a delivery; after the answer, none
    // does.
    tokio::time::sleep(deps.unknown_endpoint_lookup_interval).await;

    let probe = probe::after_registering(context, &row, &secret).await;

    let view = EndpointView::new(&row, deps.mode);
    details.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::CREATED, &RegisteredView { endpoint: view.with_secret(&secret), probe }))
}

/// Goes on with a registration that a request left half done. Returns the row as it is then.
pub(crate) async fn resume(
    stripe: StripeContext<'_>,
    row: EndpointRow,
) -> Result<EndpointRow, RegisterError> {
    let (row, _) = finish(stripe, Registration::resumed(row)).await?;
    Ok(row)
}

/// Registers the endpoint of a row that this request has begun, in place of another. Returns the row as it is
/// then.
pub(crate) async fn replace(
    stripe: StripeContext<'_>,
    row: EndpointRow,
) -> Result<EndpointRow, RegisterError> {
    let (row, _) = finish(stripe, Registration::begun(row)).await?;
    Ok(row)
}

/// Refuses an address whose host's name leads into a machine or network. On the local stack all names do.
async fn refuse_inside_host(deps: &Deps, url: &str) -> Result<(), ApiError> {
    if deps.local {
        return Ok(());
    }
    let Some(inside) = shared::probe::leads_inside(url).await else { return Ok(()) };
    let message = format!("`{url}` leads to {inside}, inside a machine or network, where Stripe cannot send");
    Err(ApiError::invalid("url", message).remedy("give an address whose name leads to the internet"))
}

/// Has Stripe create the endpoint, keeps its signing secret, then writes that the endpoint is active;
/// disables it if it takes the place of one that is disabled.
async fn finish(
    stripe: StripeContext<'_>,
    mut registration: Registration,
) -> Result<(EndpointRow, SigningSecret), RegisterError> {
    let (stripe_id, secret) = create_at_stripe(stripe, &mut registration).await?;
    let RequestContext { deps, now, .. } = stripe.request;
    let row = registration.row;
    let secrets = SigningSecrets {
        signing: vec![EndpointSecret { stripe_id: stripe_id.clone(), secret: secret.clone() }],
    };
    let entry = secret::entry_name(deps, &row);
    let version = deps.secret_store.store_signing_secrets(&entry, &row.registration, &secrets).await?;
    let mut active = EndpointRow {
        // A replacement of an endpoint that is disabled is still to be disabled.
        state: if row.pending_change.is_some() { EndpointState::Changing } else { EndpointState::Active },
        state_since: now.into(),
        is_replacement: false,
        subscribed_since: now.into(),
        stripe_id: Some(stripe_id.clone()),
        secret: Some(version),
        signing_secret_hint: Some(secret.hint()),
        ..row.clone()
    };
    match deps.registry.replace(&row, &mut active).await? {
        Written::Done if active.pending_change.is_some() => {
            Ok((update::send(stripe, active, None).await?, secret))
        }
        Written::Done => Ok((active, secret)),
        Written::Conflict => match deps.registry.endpoint(&row.name).await? {
            // Another request has finished the same attempt. What it, or one after it, changes is its to
            // send.
            Some(other) if other.registration == row.registration && other.state.accepts_deliveries() => {
                Ok((other, secret))
            }
            Some(_) | None => Err(undo(stripe, &row, stripe_id).await),
        },
    }
}

/// Removes what this request created for a row that somebody has removed or begun anew meanwhile. Returns how
/// to answer.
async fn undo(stripe: StripeContext<'_>, row: &EndpointRow, stripe_id: String) -> RegisterError {
    let deps = stripe.request.deps;
    let name = row.name.to_string();
    let is_gone = delete_orphan(stripe, &stripe_id).await;
    let entry = secret::entry_name(deps, row);
    if let Err(error) = deps.secret_store.remove(&entry).await {
        tracing::error!(error = error_chain(&error), secret.name = entry, "a secret is left over");
    }
    if is_gone {
        row::overtaken(stripe.request, &row.name).await
    } else {
        RegisterError::OrphanAtStripe { name, stripe_id }
    }
}
