//! Deregisters an endpoint: at Stripe first, then its secret, then its row.
//!
//! ```text
//! row `deregistering` ──► Stripe: delete ──► secret removed ──► row removed
//! ```
//!
//! From the first step on, deliveries are refused (receive sees it within 10 s); the row stays until all else is gone, so that the
//! same request again goes on after a failure anywhere. What Stripe has already forgotten counts as deleted.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::{EndpointName, EndpointRow, EndpointState};
use shared::http::{ApiError, Query, no_content};
use shared::registry::Written;
use shared::stripe::{OwnerTag, Session};

use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::mark::remove_marked;
use crate::view::EndpointView;
use crate::{Deps, Moment};

/// Looks at the row, when others write it at the same time.
const LOOKS: usize = 3;

/// `DELETE /endpoints/{name}?confirm={name}`
pub(crate) async fn deregister(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    let query = Query::read(request, &["confirm"])?;
    let unknown = || RegisterError::NoSuchEndpoint(name.to_owned());
    let parsed: EndpointName = name.parse().map_err(|_| unknown())?;
    if query.get("confirm") != Some(name) {
        return Err(unconfirmed(name).into());
    }
    let row = deps.registry.endpoint(&parsed).await?.ok_or_else(unknown)?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    let (_, session) = deps.with_stripe(moment).await?;

    if let Some(row) = mark_deregistering(deps, row, moment).await? {
        remove_everywhere(deps, &session, &row).await?;
    }
    Ok(no_content())
}

/// Removes an endpoint that is marked `deregistering`; again, if that was cut off somewhere.
pub(crate) async fn remove_everywhere(
    deps: &Deps,
    session: &Session<'_>,
    row: &EndpointRow,
) -> Result<(), RegisterError> {
    remove_at_stripe(deps, session, row).await?;
    deps.secret_store.remove(&deps.secret_name(row)).await?;
    remove_row(deps, row).await
}

fn unconfirmed(name: &str) -> ApiError {
    let message = "deregistering stops all deliveries, and the name was not repeated";
    ApiError::new(StatusCode::BAD_REQUEST, "confirmation_required", message)
        .field("confirm")
        .remedy(format!("send DELETE /endpoints/{name}?confirm={name}"))
}

/// The row in its last state; none if somebody else has removed it meanwhile.
async fn mark_deregistering(
    deps: &Deps,
    mut row: EndpointRow,
    moment: Moment,
) -> Result<Option<EndpointRow>, RegisterError> {
    for _ in 0..LOOKS {
        if row.state == EndpointState::Deregistering {
            return Ok(Some(row));
        }
        let mut marked = EndpointRow {
            state: EndpointState::Deregistering,
            state_since: moment.now.as_millisecond(),
            ..row.clone()
        };
        if deps.registry.replace(&row, &mut marked).await? == Written::Done {
            return Ok(Some(marked));
        }
        // Changed, or registered to its end: it is this endpoint all the same that is to go.
        match deps.registry.endpoint(&row.name).await? {
            Some(changed) => row = changed,
            None => return Ok(None),
        }
    }
    Err(RegisterError::EndpointOvertaken(row.name.to_string()))
}

async fn remove_at_stripe(
    deps: &Deps,
    session: &Session<'_>,
    row: &EndpointRow,
) -> Result<(), RegisterError> {
    let removed = match &row.stripe_id {
        Some(id) => session.delete_endpoint(id).await.map(drop),
        // Its registering never came to an end: what Stripe may have made is known by its mark alone.
        None => remove_marked(session, &deps.owner_tag(row)).await,
    };
    removed.map_err(RegisterError::stripe(Doing::Deregistering))?;
    // A rotation that was under way leaves a second one, of which perhaps only the mark is known.
    if let Some(next) = &row.rotation {
        let mark = OwnerTag { registration: next.registration.clone(), ..deps.owner_tag(row) };
        let removed = remove_marked(session, &mark).await;
        removed.map_err(RegisterError::stripe(Doing::Deregistering))?;
    }
    Ok(())
}

async fn remove_row(deps: &Deps, row: &EndpointRow) -> Result<(), RegisterError> {
    if deps.registry.remove(row).await? == Written::Done {
        return Ok(());
    }
    // Removed already, by this request's own earlier try or by another: only a row that still is this one is a conflict.
    match deps.registry.endpoint(&row.name).await? {
        Some(still) if still.registration == row.registration => {
            Err(RegisterError::EndpointOvertaken(row.name.to_string()))
        }
        Some(_) | None => Ok(()),
    }
}
