//! Gives a rotation up: `DELETE /endpoints/{name}/rotate`, or by itself if it cannot go on. The second
//! endpoint goes, with its signing secret, and the first is all there is again. It got all events the whole
//! time, so none is lost.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::{EndpointRow, EndpointState, RotationEnd};
use shared::http::json;
use shared::secret::SigningSecrets;

use super::edit_rotation;
use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::{ConsequenceView, EndpointView};
use crate::endpoint::{row, secret, tag};
use crate::error::{RegisterError, StripeOperation};

/// What giving up leads to.
const CONSEQUENCE: &str = "no event is lost: the endpoint of before got all events the whole time. Its signing \
                           secret stays the one that is accepted, also if that had leaked; the new one is not \
                           accepted any more";

/// `DELETE /endpoints/{name}/rotate`
pub(crate) async fn give_up_by_request(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    let deps = context.deps;
    let row = row::load_to_change(context, request, name, details).await?;
    refuse_unless_it_can_be_given_up(context, &row).await?;
    let session = context.stripe_session().await?;
    let row = give_up(context.with_session(&session), row, None).await?;
    let view = ConsequenceView { endpoint: EndpointView::new(&row, deps.mode), consequence: CONSEQUENCE };
    details.after = serde_json::to_value(&view.endpoint).ok();
    Ok(json(StatusCode::OK, &view))
}

async fn refuse_unless_it_can_be_given_up(
    context: RequestContext<'_>,
    row: &EndpointRow,
) -> Result<(), RegisterError> {
    let name = row.name.to_string();
    let rotation = match (row.state, &row.rotation) {
        (EndpointState::Rotating, Some(rotation)) => rotation,
        (EndpointState::Registering | EndpointState::Deregistering, _) => {
            return Err(RegisterError::EndpointNotActive { name, state: row.state });
        }
        (
            EndpointState::Active
            | EndpointState::Disabled
            | EndpointState::Changing
            | EndpointState::Rotating,
            _,
        ) => return Err(RegisterError::RotationNotFound(name)),
    };
    let is_being_begun = rotation.live_since.is_none() && !row.is_cut_off(context.now);
    match rotation.decided {
        // It goes on where an earlier request ended.
        Some(RotationEnd::GiveUp) => return Ok(()),
        Some(RotationEnd::TakeOver) => return Err(RegisterError::rotation_under_way(row)),
        None if is_being_begun => return Err(RegisterError::rotation_under_way(row)),
        None => {}
    }
    // There is something to go back to.
    secret::for_endpoint(context.deps, row, row.stripe_id.as_deref()).await.map(drop)
}

/// Gives a rotation up. `reason`: why, if nobody asked for it; the status shows it.
pub(crate) async fn give_up(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    reason: Option<&str>,
) -> Result<EndpointRow, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let deps = context.deps;
    let Some(rotation) = row.rotation.clone() else {
        return row::edit(context, &row, |new| new.state = EndpointState::Active).await;
    };
    // Decided before anything is deleted, so that nobody ends it meanwhile by deleting the first.
    let row = edit_rotation(context, &row, |rotation| rotation.decided = Some(RotationEnd::GiveUp)).await?;
    let deleted = tag::delete_created_by(session, &rotation.registration).await;
    deleted.map_err(RegisterError::stripe(StripeOperation::Rotate))?;
    let kept = match secret::for_endpoint(deps, &row, row.stripe_id.as_deref()).await {
        Ok(first) => {
            let hint = first.secret.hint();
            let token = format!("{}-back", rotation.registration);
            let secrets = SigningSecrets { signing: vec![first] };
            Some((secret::replace(deps, &row, &token, &secrets).await?, hint))
        }
        // Then there is nothing to go back to, and the endpoint is to be repaired.
        Err(RegisterError::SecretMissing(_)) => None,
        Err(error) => return Err(error),
    };
    row::edit(context, &row, |new| {
        new.state = EndpointState::Active;
        new.rotation = None;
        new.rotation_given_up = row::given_up(context, reason);
        if let Some((version, hint)) = kept {
            new.secret = Some(version);
            new.signing_secret_hint = Some(hint);
        }
    })
    .await
}
