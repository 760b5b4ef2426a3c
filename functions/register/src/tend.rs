//! Tends endpoints, woken by a schedule: what a request left half done is finished or taken back, and what Stripe has disabled is
//! enabled again if the stack is told to.
//!
//! Both go the ways of the requests themselves, so a request at the same time does no harm. Each end is written to the audit; what
//! cannot be done now is told in the log, shown by the status, and tried again by the next run.

use jiff::SignedDuration;
use serde::Serialize;
use shared::access::Caller;
use shared::audit::AuditEntry;
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange};
use shared::stripe::{Session, StripeError, WebhookEndpoint};
use tokio::time::Instant;

use crate::change::{begin, carry_out};
use crate::deregister::remove_everywhere;
use crate::error::{Doing, RegisterError};
use crate::register::finish_registering;
use crate::rotate;
use crate::{Deps, Moment};

/// A request ends within half a minute: what is still under way after this, in milliseconds, was left so.
const LEFT_AFTER: i64 = 60_000;

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tended {
    /// Registrations that were finished.
    pub(crate) registered: Vec<String>,
    /// Changes that were finished.
    pub(crate) changed: Vec<String>,
    /// Rotations whose second endpoint gets all events now.
    pub(crate) switched_over: Vec<String>,
    /// Rotations that were ended.
    pub(crate) rotated: Vec<String>,
    /// What Stripe refused, so that it was taken back.
    pub(crate) taken_back: Vec<String>,
    /// Deregistrations that were finished.
    pub(crate) deregistered: Vec<String>,
    /// Endpoints that were enabled again.
    pub(crate) enabled: Vec<String>,
    /// What could not be done now.
    pub(crate) left: Vec<String>,
}

/// One run. Without anything to do it is one read.
pub(crate) async fn tend(deps: &Deps, moment: Moment) -> Result<Tended, RegisterError> {
    let rows = deps.registry.endpoints().await?;
    let (half_done, whole): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_half_done(row, moment));
    let old: Vec<EndpointRow> = whole.iter().filter(|row| is_old(deps, row, moment)).cloned().collect();
    let wanted: Vec<EndpointRow> =
        whole.into_iter().filter(|row| deps.reenable && row.state == EndpointState::Active).collect();
    let mut tended = Tended::default();
    if half_done.is_empty() && wanted.is_empty() && old.is_empty() {
        return Ok(tended);
    }
    let (_, session) = deps.with_stripe(moment).await?;
    for row in half_done {
        if Instant::now() >= moment.stripe_until {
            tended.left.push(row.name.to_string());
        } else {
            finish(deps, &session, row, &mut tended, moment).await?;
        }
    }
    for row in old {
        begin_rotation(deps, &session, row, &mut tended, moment).await;
    }
    if !wanted.is_empty() {
        enable(deps, &session, wanted, &mut tended, moment).await?;
    }
    Ok(tended)
}

fn is_half_done(row: &EndpointRow, moment: Moment) -> bool {
    let under_way = match row.state {
        EndpointState::Registering
        | EndpointState::Deregistering
        | EndpointState::Changing
        | EndpointState::Rotating => true,
        EndpointState::Active | EndpointState::Disabled => false,
    };
    under_way && left_half_done(row, moment)
}

/// Has the request that put the row into its state certainly ended?
pub(crate) fn left_half_done(row: &EndpointRow, moment: Moment) -> bool {
    moment.now.as_millisecond() - row.state_since >= LEFT_AFTER
}

async fn finish(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    tended: &mut Tended,
    moment: Moment,
) -> Result<(), RegisterError> {
    let name = row.name.clone();
    let state = row.state;
    let (action, result, done) = match state {
        EndpointState::Registering => {
            let result = Box::pin(finish_registering(deps, session, row, moment)).await.map(drop);
            ("endpoint.register", result, &mut tended.registered)
        }
        EndpointState::Changing => {
            let Some(change) = row.pending_change.clone() else { return Ok(()) };
            let list = if change.is_rollback { &mut tended.taken_back } else { &mut tended.changed };
            // From here on, nobody else tells Stripe.
            let result = match begin(deps, &row, PendingChange { abandoned: false, ..change }, moment).await {
                Ok(row) => Box::pin(carry_out(deps, session, row, true, moment)).await.map(drop),
                Err(error) => Err(error),
            };
            ("endpoint.change", result, list)
        }
        EndpointState::Rotating if row.rotation.as_ref().is_some_and(|next| next.live_since.is_some()) => {
            return match Box::pin(rotate::end(deps, session, row, moment)).await {
                Ok(true) => {
                    tended.rotated.push(name.to_string());
                    note(deps, "endpoint.rotate", name.as_str(), "done", moment).await;
                    Ok(())
                }
                // Not all of before has been compared yet: nothing is wrong with that.
                Ok(false) => Ok(()),
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), endpoint.name = %name, "a rotation cannot be ended now");
                    tended.left.push(name.to_string());
                    Ok(())
                }
            };
        }
        EndpointState::Rotating => {
            let result = Box::pin(rotate::switch_over(deps, session, row, false, moment)).await.map(drop);
            ("endpoint.rotate", result, &mut tended.switched_over)
        }
        EndpointState::Active | EndpointState::Disabled => return Ok(()),
        EndpointState::Deregistering => {
            let result = Box::pin(remove_everywhere(deps, session, &row)).await;
            ("endpoint.deregister", result, &mut tended.deregistered)
        }
    };
    // What Stripe refused for good was taken back, and then nothing is half done any more.
    let refused = matches!(&result, Err(RegisterError::Stripe { error: StripeError::Refused(_), .. }));
    let taken_back = refused && deps.registry.endpoint(&name).await?.map(|row| row.state) != Some(state);
    let list = if taken_back { &mut tended.taken_back } else { done };
    match result.map_err(|error| (error, !taken_back)) {
        Err((error, true)) => {
            tracing::warn!(error = error_chain(&error), endpoint.name = %name, "what was left half done cannot be finished now");
            tended.left.push(name.to_string());
        }
        ended => {
            list.push(name.to_string());
            let code = ended.map_or_else(|(error, _)| error.into_answer().code(), |()| "done");
            // The end of a rotation is told when it comes.
            let code = if state == EndpointState::Rotating && code == "done" { "begun" } else { code };
            note(deps, action, name.as_str(), code, moment).await;
        }
    }
    Ok(())
}

/// Stripe disables an endpoint whose deliveries fail for days, and never enables it again by itself.
async fn enable(
    deps: &Deps,
    session: &Session<'_>,
    wanted: Vec<EndpointRow>,
    tended: &mut Tended,
    moment: Moment,
) -> Result<(), RegisterError> {
    let at_stripe = session.endpoints().await.map_err(RegisterError::stripe(Doing::Enabling))?.value;
    for row in wanted {
        let is_disabled =
            |found: &WebhookEndpoint| row.stripe_id.as_ref() == Some(&found.id) && !found.is_enabled();
        let Some(found) = at_stripe.iter().find(|found| is_disabled(found)) else { continue };
        // Not if an admin has said otherwise meanwhile.
        if deps.registry.endpoint(&row.name).await?.as_ref() != Some(&row) {
            continue;
        }
        match session.enable_endpoint(&found.id).await {
            Ok(_) => {
                tended.enabled.push(row.name.to_string());
                note(deps, "endpoint.enable", row.name.as_str(), "done", moment).await;
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), endpoint.name = %row.name, "it cannot be enabled again now");
                tended.left.push(row.name.to_string());
            }
        }
    }
    Ok(())
}

/// Is its secret older than the stack wants it?
fn is_old(deps: &Deps, row: &EndpointRow, moment: Moment) -> bool {
    let since = row.rotated_at.unwrap_or(row.created_at);
    let age = SignedDuration::from_millis(moment.now.as_millisecond() - since);
    row.state == EndpointState::Active && deps.rotate_after.is_some_and(|after| age >= after)
}

async fn begin_rotation(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    tended: &mut Tended,
    moment: Moment,
) {
    let name = row.name.to_string();
    let begun = rotate::begin(deps, &row, &row.spec.api_version, moment).await;
    let result = match begun {
        Ok(row) => Box::pin(rotate::switch_over(deps, session, row, true, moment)).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => {
            note(deps, "endpoint.rotate", &name, "begun", moment).await;
            tended.switched_over.push(name);
        }
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = name,
                "a rotation that is due could not be begun"
            );
            tended.left.push(name);
        }
    }
}

async fn note(deps: &Deps, action: &str, name: &str, code: &str, moment: Moment) {
    deps.audit.note(&AuditEntry::new(&Caller::schedule(), action, name, code, moment.now)).await;
}
