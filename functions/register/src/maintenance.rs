//! Maintenance of the endpoints, woken by a schedule: what a request left half done is finished or taken
//! back, rotations are ended or begun when it is time, and what Stripe has disabled is enabled again if the
//! stack is configured so.
//!
//! It takes the same steps as the requests themselves, so a request at the same time does no harm. How each
//! ended is written to the audit; what cannot be done now is logged, shown by the status, and tried again by
//! the next run.

use serde::Serialize;
use shared::audit::DONE;
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange, RotationEnd};
use shared::stripe::{StripeError, WebhookEndpoint};
use shared::unix_time::UnixMillis;

use crate::audit::{self, action};
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::rotate::RotationStep;
use crate::endpoint::{create, delete, rotate, update};
use crate::error::{RegisterError, StripeOperation};

/// The result of a rotation whose end is yet to come.
const BEGUN: &str = "begun";

/// What a run did, by the names of the endpoints.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct MaintenanceReport {
    /// Registrations that were finished.
    pub(crate) registered: Vec<String>,
    /// Changes that were finished.
    pub(crate) changed: Vec<String>,
    /// Rotations whose second endpoint gets all events now.
    pub(crate) switched_over: Vec<String>,
    /// Rotations that were ended.
    pub(crate) rotated: Vec<String>,
    /// Rotations that were given up, because an admin wants it so or they could not be ended.
    pub(crate) given_up: Vec<String>,
    /// What Stripe refused, so that it was taken back.
    pub(crate) taken_back: Vec<String>,
    /// Deregistrations that were finished.
    pub(crate) deregistered: Vec<String>,
    /// Endpoints that were enabled again.
    pub(crate) enabled: Vec<String>,
    /// What could not be done now.
    #[serde(rename = "left")]
    pub(crate) postponed: Vec<String>,
}

/// One run. Without anything to do it is one read.
pub(crate) async fn run(context: RequestContext<'_>) -> Result<MaintenanceReport, RegisterError> {
    let rows = context.deps.registry.endpoints().await?;
    let (half_done, settled): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_half_done(context, row));
    let due: Vec<EndpointRow> = settled.iter().filter(|row| is_rotation_due(context, row)).cloned().collect();
    let to_be_enabled: Vec<EndpointRow> = settled
        .into_iter()
        .filter(|row| context.deps.reenable && row.state == EndpointState::Active)
        .collect();
    let mut report = MaintenanceReport::default();
    if half_done.is_empty() && to_be_enabled.is_empty() && due.is_empty() {
        return Ok(report);
    }
    let session = context.stripe_session().await?;
    let stripe = context.with_session(&session);
    for row in half_done {
        if context.stripe_deadline.has_passed() {
            report.postponed.push(row.name.to_string());
        } else {
            finish(stripe, row, &mut report).await?;
        }
    }
    for row in due {
        begin_rotation(stripe, row, &mut report).await;
    }
    if !to_be_enabled.is_empty() {
        enable(stripe, to_be_enabled, &mut report).await?;
    }
    Ok(report)
}

fn is_half_done(context: RequestContext<'_>, row: &EndpointRow) -> bool {
    let is_under_way = match row.state {
        EndpointState::Registering
        | EndpointState::Deregistering
        | EndpointState::Changing
        | EndpointState::Rotating => true,
        EndpointState::Active | EndpointState::Disabled => false,
    };
    is_under_way && row.is_left_half_done(context.now)
}

/// Finishes what a request left half done.
async fn finish(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    report: &mut MaintenanceReport,
) -> Result<(), RegisterError> {
    let context = stripe.request;
    let (name, registration) = (row.name.clone(), row.registration.clone());
    let state = row.state;
    let (action, result, list) = match state {
        EndpointState::Registering => {
            let result = Box::pin(create::resume(stripe, row)).await.map(drop);
            (action::REGISTER, result, &mut report.registered)
        }
        EndpointState::Changing => {
            let Some(change) = row.pending_change.clone() else { return Ok(()) };
            let list = if change.is_rollback { &mut report.taken_back } else { &mut report.changed };
            (action::CHANGE, Box::pin(resume_change(stripe, row, change)).await, list)
        }
        EndpointState::Rotating if has_only_to_end(&row) => {
            finish_rotation(stripe, row, report).await;
            return Ok(());
        }
        EndpointState::Rotating => {
            let result = Box::pin(rotate::switch_over(stripe, row, false, false)).await.map(drop);
            (action::ROTATE, result, &mut report.switched_over)
        }
        EndpointState::Active | EndpointState::Disabled => return Ok(()),
        EndpointState::Deregistering => {
            let result = Box::pin(delete::finish(stripe, &row)).await;
            (action::DEREGISTER, result, &mut report.deregistered)
        }
    };
    let result = match result {
        // The end of a rotation is written when it comes.
        Ok(()) if state == EndpointState::Rotating => BEGUN,
        Ok(()) => DONE,
        Err(error) => {
            // What Stripe refused for good was taken back, and then nothing is half done any more.
            let is_refusal = matches!(
                error,
                RegisterError::Stripe { error: StripeError::Refused(_), .. } | RegisterError::NotAtStripe(_)
            );
            let now = context.deps.registry.endpoint(&name).await?;
            // A replacement that is registered, and is still to be disabled.
            let is_registered = state == EndpointState::Registering
                && now.as_ref().is_some_and(|now| {
                    now.registration == registration && now.state == EndpointState::Changing
                });
            if is_registered {
                report.registered.push(name.to_string());
                audit::record_scheduled(context, action, &name, DONE).await;
            }
            let is_taken_back = is_refusal && !is_registered && now.map(|now| now.state) != Some(state);
            if !is_taken_back {
                tracing::warn!(
                    error = error_chain(&error),
                    endpoint.name = %name,
                    "what was left half done cannot be finished now"
                );
                report.postponed.push(name.to_string());
                return Ok(());
            }
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = %name,
                "what was left half done was refused, and is taken back"
            );
            report.taken_back.push(name.to_string());
            audit::record_scheduled(context, action, &name, error.into_api_error().code()).await;
            return Ok(());
        }
    };
    list.push(name.to_string());
    audit::record_scheduled(context, action, &name, result).await;
    Ok(())
}

/// Whether the second endpoint of a rotation gets all events, or the rotation is being given up.
fn has_only_to_end(row: &EndpointRow) -> bool {
    row.rotation
        .as_ref()
        .is_none_or(|next| next.live_since.is_some() || next.decided == Some(RotationEnd::GiveUp))
}

async fn resume_change(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    change: PendingChange,
) -> Result<(), RegisterError> {
    // From here on, nobody else writes to Stripe.
    let change = PendingChange { abandoned: false, ..change };
    let row = update::begin(stripe.request, &row, change.clone()).await?;
    update::send(stripe, row, Some(&change)).await.map(drop)
}

async fn finish_rotation(stripe: StripeContext<'_>, row: EndpointRow, report: &mut MaintenanceReport) {
    let name = row.name.clone();
    match Box::pin(rotate::finish(stripe, row)).await {
        Ok(RotationStep::Over(_)) => {
            report.rotated.push(name.to_string());
            audit::record_scheduled(stripe.request, action::ROTATE, &name, DONE).await;
        }
        // Nothing is wrong with that.
        Ok(RotationStep::Waiting(_)) => {}
        Ok(RotationStep::GivenUp(row)) => {
            tracing::warn!(
                endpoint.name = %name,
                reason = row.rotation_given_up.map(|given_up| given_up.reason),
                "a rotation was given up"
            );
            report.given_up.push(name.to_string());
            audit::record_scheduled(stripe.request, action::GIVE_UP_ROTATION, &name, DONE).await;
        }
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = %name,
                "a rotation cannot be ended now"
            );
            report.postponed.push(name.to_string());
        }
    }
}

/// Enables endpoints again that Stripe has disabled, as it does when deliveries fail for days; it never
/// enables them again by itself.
async fn enable(
    stripe: StripeContext<'_>,
    rows: Vec<EndpointRow>,
    report: &mut MaintenanceReport,
) -> Result<(), RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let at_stripe = session.endpoints().await.map_err(RegisterError::stripe(StripeOperation::Enable))?.value;
    for row in rows {
        let is_disabled =
            |found: &WebhookEndpoint| row.stripe_id.as_ref() == Some(&found.id) && !found.is_enabled();
        let Some(found) = at_stripe.iter().find(|found| is_disabled(found)) else { continue };
        // Not if an admin has changed it meanwhile.
        if context.deps.registry.endpoint(&row.name).await?.as_ref() != Some(&row) {
            continue;
        }
        match session.enable_endpoint(&found.id).await {
            Ok(_) => {
                report.enabled.push(row.name.to_string());
                audit::record_scheduled(context, action::ENABLE, &row.name, DONE).await;
            }
            Err(error) => {
                tracing::warn!(
                    error = error_chain(&error),
                    endpoint.name = %row.name,
                    "an endpoint cannot be enabled again now"
                );
                report.postponed.push(row.name.to_string());
            }
        }
    }
    Ok(())
}

/// Whether the signing secret is older than the stack is configured to keep one.
fn is_rotation_due(context: RequestContext<'_>, row: &EndpointRow) -> bool {
    let since = row.rotated_at.unwrap_or(row.created_at);
    let age = UnixMillis::from(context.now) - since;
    // One that is to be repaired first can have none.
    let is_complete = row.stripe_id.is_some() && row.secret.is_some();
    let is_active = row.state == EndpointState::Active && is_complete;
    is_active && context.deps.rotate_after.is_some_and(|after| age >= after)
}

async fn begin_rotation(stripe: StripeContext<'_>, row: EndpointRow, report: &mut MaintenanceReport) {
    let context = stripe.request;
    let result = match rotate::begin(context, &row, &row.spec.api_version, false).await {
        Ok(row) => Box::pin(rotate::switch_over(stripe, row, true, false)).await,
        Err(error) => Err(error),
    };
    let error = match result {
        Ok(_) => {
            audit::record_scheduled(context, action::ROTATE, &row.name, BEGUN).await;
            report.switched_over.push(row.name.to_string());
            return;
        }
        Err(error) => error,
    };
    tracing::warn!(
        error = error_chain(&error),
        endpoint.name = %row.name,
        "a rotation that is due could not be begun"
    );
    let reason = |row: &EndpointRow| row.rotation_given_up.as_ref().map(|given_up| given_up.reason.clone());
    match context.deps.registry.endpoint(&row.name).await {
        Ok(Some(now)) if is_given_up_now(context, &now) => {
            report.taken_back.push(row.name.to_string());
            // Every run tries again: what it is refused with is told once.
            if reason(&now) != reason(&row) {
                let code = error.into_api_error().code();
                audit::record_scheduled(context, action::ROTATE, &row.name, code).await;
            }
        }
        Ok(_) | Err(_) => report.postponed.push(row.name.to_string()),
    }
}

fn is_given_up_now(context: RequestContext<'_>, row: &EndpointRow) -> bool {
    row.rotation_given_up.as_ref().is_some_and(|given_up| given_up.at == UnixMillis::from(context.now))
}
