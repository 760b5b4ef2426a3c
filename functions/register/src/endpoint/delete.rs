//! Deregisters an endpoint: at Stripe first, then its signing secret, then its row.
//!
//! ```text
//! row `deregistering` ──► Stripe: delete ──► secret removed ──► row removed
//! ```
//!
//! From the first step on, deliveries are refused (receive sees it within 10 s). The row stays until all else
//! is gone, so that the same request again goes on after a failure anywhere. An endpoint that Stripe does not
//! know counts as deleted.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::{EndpointRow, EndpointState};
use shared::http::{ApiError, Query, no_content};
use shared::registry::Written;

use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::EndpointView;
use crate::endpoint::{row, secret, tag};
use crate::error::{RegisterError, StripeOperation};

/// How often the row is read, when others write it at the same time.
const READS: usize = 3;

/// `DELETE /endpoints/{name}?confirm={name}`
pub(crate) async fn delete(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    let query = Query::read(request, &["confirm"])?;
    let name = row::parse_name(name)?;
    if query.get("confirm") != Some(name.as_str()) {
        return Err(unconfirmed(name.as_str()).into());
    }
    let row = row::load(context, name.as_str()).await?;
    details.before = serde_json::to_value(EndpointView::new(&row, context.deps.mode)).ok();
    let session = context.stripe_session().await?;

    if let Some(row) = begin(context, row).await? {
        finish(context.with_session(&session), &row).await?;
    }
    Ok(no_content())
}

/// Removes all of an endpoint that is `deregistering`, also if that was cut off somewhere before.
pub(crate) async fn finish(stripe: StripeContext<'_>, row: &EndpointRow) -> Result<(), RegisterError> {
    let deps = stripe.request.deps;
    delete_at_stripe(stripe, row).await?;
    deps.secret_store.remove(&secret::entry_name(deps, row)).await?;
    remove_row(stripe.request, row).await
}

fn unconfirmed(name: &str) -> ApiError {
    let message = "deregistering stops all deliveries, and the name was not repeated";
    ApiError::new(StatusCode::BAD_REQUEST, "confirmation_required", message)
        .field("confirm")
        .remedy(format!("send DELETE /endpoints/{name}?confirm={name}"))
}

/// Writes that the endpoint is `deregistering`. Returns none if somebody else has removed it meanwhile.
async fn begin(
    context: RequestContext<'_>,
    mut row: EndpointRow,
) -> Result<Option<EndpointRow>, RegisterError> {
    let RequestContext { deps, now, .. } = context;
    for _ in 0..READS {
        if row.state == EndpointState::Deregistering {
            return Ok(Some(row));
        }
        let mut deregistering =
            EndpointRow { state: EndpointState::Deregistering, state_since: now.into(), ..row.clone() };
        if deps.registry.replace(&row, &mut deregistering).await? == Written::Done {
            return Ok(Some(deregistering));
        }
        // Changed, or registered to its end: it is this endpoint all the same that is to go.
        match deps.registry.endpoint(&row.name).await? {
            Some(changed) => row = changed,
            None => return Ok(None),
        }
    }
    Err(RegisterError::EndpointConflict(row.name.to_string()))
}

async fn delete_at_stripe(stripe: StripeContext<'_>, row: &EndpointRow) -> Result<(), RegisterError> {
    let session = stripe.session;
    let deleted = match &row.stripe_id {
        Some(id) => session.delete_endpoint(id).await.map(drop),
        // Its registering never came to an end: what Stripe may have created is known by its tag alone.
        None => tag::delete_created_by(session, &row.registration).await,
    };
    deleted.map_err(RegisterError::stripe(StripeOperation::Deregister))?;
    // A rotation that was under way leaves a second one, of which perhaps only the tag is known.
    if let Some(rotation) = &row.rotation {
        let deleted = tag::delete_created_by(session, &rotation.registration).await;
        deleted.map_err(RegisterError::stripe(StripeOperation::Deregister))?;
    }
    Ok(())
}

async fn remove_row(context: RequestContext<'_>, row: &EndpointRow) -> Result<(), RegisterError> {
    let registry = &context.deps.registry;
    if registry.remove(row).await? == Written::Done {
        return Ok(());
    }
    // Removed already, by this request's own earlier try or by another: only a row that still is this one is
    // a conflict.
    match registry.endpoint(&row.name).await? {
        Some(still) if still.registration == row.registration => {
            Err(RegisterError::EndpointConflict(row.name.to_string()))
        }
        Some(_) | None => Ok(()),
    }
}
