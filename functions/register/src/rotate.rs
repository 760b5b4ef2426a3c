//! Gives an endpoint another signing secret, and another `api_version` if that is asked for, without losing an event.
//!
//! ```text
//! row `rotating` ──► Stripe: a second endpoint, quiet ──► its secret kept beside the first ──► it gets all events
//!                        (both deliver, and the ledger takes each event once)
//! all of before that is compared with the ledger ──► the first is deleted ──► its secret dropped ──► row `active`
//! ```
//!
//! Why no event is lost: the second is given events only when its secret is known here, and the first is deleted only when
//! reconciliation has brought in all that was made until then; for a deleted endpoint Stripe no longer tries again.
//!
//! Each step is written down before the next, so that it can be cut off anywhere and goes on by the same request or the schedule.
//! The end is the schedule's work: it needs a comparison that is some minutes younger.

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::aws::chain;
use shared::endpoint::EndpointState;
use shared::http::{Fields, Query, json};
use shared::registry::{Endpoint, Next, Wish, Written};
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};
use shared::stripe::{Mark, NewEndpoint, Session, StripeError};

use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::mark::remove_marked;
use crate::tend::left_half_done;
use crate::view::EndpointView;
use crate::{Deps, Moment, cap, wish};

/// What the second endpoint asks for until its secret is known here: a type that hardly any account has, and nothing of ours.
const QUIET: &str = "sigma.scheduled_query_run.created";
/// Stripe keeps an answer under its idempotency key for a day at least.
const ANSWER_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// New attempts that one request begins.
const ATTEMPTS: usize = 2;
/// For an endpoint of connected accounts, at least so many seconds: an account's first event may still be on its way.
const NOBODY_HEARD: i64 = 3_600;

/// `POST /endpoints/{name}/rotate`
pub(crate) async fn rotate(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["api_version"])?;
    let row = named(deps, name).await?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    let api_version = match fields.text("api_version")? {
        Some(_) => wish::api_version(&fields)?.to_owned(),
        None => row.next.as_ref().map_or(&row.wish.api_version, |next| &next.api_version).clone(),
    };
    let (_, session) = deps.with_stripe(moment).await?;
    let is_new = row.state == EndpointState::Active;
    let row = match (row.state, &row.next) {
        (EndpointState::Active, _) => match begin(deps, &row, &api_version, moment).await {
            Err(RegisterError::EndpointOvertaken(name)) => return Err(overtaken(deps, name).await),
            begun => begun?,
        },
        // It was cut off, and goes on if it is the same that is wanted.
        (EndpointState::Rotating, Some(next))
            if next.live_since.is_none()
                && next.api_version == api_version
                && (next.left || left_half_done(&row, moment)) =>
        {
            row
        }
        (EndpointState::Rotating, _) => return Err(RegisterError::RotationInProgress(name.to_owned())),
        (EndpointState::Changing, _) => return Err(RegisterError::ChangeInProgress(name.to_owned())),
        (EndpointState::Registering | EndpointState::Deregistering | EndpointState::Disabled, _) => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    };
    let row = switch_over(deps, &session, row, is_new, moment).await?;
    let secret = deps.newest_secret(&row).await?;
    let view = EndpointView::of(&row, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view.with_secret(&secret)))
}

/// Another request has changed the row at the same moment: what it is doing.
pub(crate) async fn overtaken(deps: &Deps, name: String) -> RegisterError {
    match named(deps, &name).await.map(|row| row.state) {
        Ok(EndpointState::Rotating) => RegisterError::RotationInProgress(name),
        Ok(EndpointState::Changing) => RegisterError::ChangeInProgress(name),
        Ok(state @ (EndpointState::Registering | EndpointState::Deregistering)) => {
            RegisterError::NotWhole { name, state }
        }
        Ok(EndpointState::Active | EndpointState::Disabled) => RegisterError::EndpointOvertaken(name),
        Err(error) => error,
    }
}

/// Writes that a rotation begins, of an endpoint whose secret is here.
pub(crate) async fn begin(
    deps: &Deps,
    row: &Endpoint,
    api_version: &str,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    deps.secrets_of(row).await?;
    let next = Next {
        registration: uuid::Uuid::new_v4().to_string(),
        api_version: api_version.to_owned(),
        begun_at: moment.now.as_millisecond(),
        stripe_id: None,
        live_since: None,
        old_gone: false,
        left: false,
    };
    write(deps, row, moment, |new| {
        new.state = EndpointState::Rotating;
        new.next = Some(next);
    })
    .await
}

/// Goes on from wherever the row says that it is, up to where the second endpoint gets all events. `is_new`: has nobody asked Stripe
/// for it before?
pub(crate) async fn switch_over(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    is_new: bool,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    // Nobody else goes on with it meanwhile.
    let mut row = write(deps, &row, moment, |new| {
        if let Some(next) = &mut new.next {
            next.left = false;
        }
    })
    .await?;
    let done = steps(deps, session, &mut row, is_new, moment).await;
    if done.is_err() && row.next.as_ref().is_some_and(|next| next.live_since.is_none()) {
        let left = write(deps, &row, moment, |new| {
            if let Some(next) = &mut new.next {
                next.left = true;
            }
        });
        if let Err(error) = left.await {
            tracing::warn!(error = %error, endpoint.name = %row.name, "that a rotation is left could not be noted");
        }
    }
    done.map(|()| row)
}

/// `row` is always as it lies in the registry, also if a step fails.
async fn steps(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut Endpoint,
    is_new: bool,
    moment: Moment,
) -> Result<(), RegisterError> {
    let Some(next) = row.next.clone() else { return Ok(()) };
    if next.stripe_id.is_none() {
        let before = deps.newest_before(row).await?;
        let (id, secret) = make_second(deps, session, row, is_new, moment).await?;
        if let Err(error) = keep_second(deps, row, before, &id, secret, moment).await {
            undo_if_unknown(deps, session, row, &id).await;
            return Err(error);
        }
    }
    let Some(Next { stripe_id: Some(id), live_since: None, .. }) = row.next.clone() else { return Ok(()) };
    // Until then, a process that has just looked in vain would refuse what the second sends.
    tokio::time::sleep(deps.looked_at_again_after).await;
    let told = match session.update_endpoint(&id, &row.wish, false).await {
        Ok(told) => told,
        Err(error) => {
            if error.is_missing() {
                // Somebody has deleted it at Stripe: another attempt makes another.
                *row = write(deps, row, moment, |new| new.next = Some(anew(&next, moment))).await?;
            }
            return Err(RegisterError::stripe(Doing::Rotating)(error));
        }
    };
    let live_since = told.date.unwrap_or(moment.now).as_second();
    *row = write(deps, row, moment, |new| {
        if let Some(next) = &mut new.next {
            next.live_since = Some(live_since);
        }
    })
    .await?;
    Ok(())
}

/// The same rotation, with another second endpoint.
fn anew(next: &Next, moment: Moment) -> Next {
    Next {
        registration: uuid::Uuid::new_v4().to_string(),
        begun_at: moment.now.as_millisecond(),
        stripe_id: None,
        live_since: None,
        ..next.clone()
    }
}

/// Keeps the second one's secret beside the first's, and its id in the row.
async fn keep_second(
    deps: &Deps,
    row: &mut Endpoint,
    before: EndpointSecret,
    id: &str,
    secret: SigningSecret,
    moment: Moment,
) -> Result<(), RegisterError> {
    let hint = secret.hint();
    let one = EndpointSecret { stripe_id: id.to_owned(), secret };
    let secrets = SigningSecrets { signing: vec![one, before] };
    let registration = row.next.as_ref().map_or_else(String::new, |next| next.registration.clone());
    let version = deps.vault.put_signing_secrets(&deps.secret_name(row), &registration, &secrets).await?;
    *row = write(deps, row, moment, |new| {
        new.secret = Some(version);
        new.signing_secret_hint = Some(hint);
        if let Some(next) = &mut new.next {
            next.stripe_id = Some(id.to_owned());
        }
    })
    .await?;
    Ok(())
}

/// Deletes a second endpoint that no row knows any more, such as of one that was deregistered meanwhile.
async fn undo_if_unknown(deps: &Deps, session: &Session<'_>, row: &Endpoint, id: &str) {
    let registration = row.next.as_ref().map(|next| &next.registration);
    let knows = |now: &Endpoint| {
        now.state == EndpointState::Rotating
            && now.next.as_ref().map(|next| &next.registration) == registration
    };
    match deps.registry.endpoint(&row.name).await {
        Ok(now) if now.as_ref().is_none_or(|now| !knows(now)) => {
            if let Err(error) = session.delete_endpoint(id).await {
                tracing::error!(
                    error = chain(&error),
                    stripe.endpoint = id,
                    "an endpoint is left over at Stripe"
                );
            }
        }
        // It is gone on with, or nobody can tell.
        Ok(_) | Err(_) => {}
    }
}

/// Has Stripe make the second endpoint. Gives its id and its secret.
async fn make_second(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut Endpoint,
    is_new: bool,
    moment: Moment,
) -> Result<(String, SigningSecret), RegisterError> {
    for _ in 0..ATTEMPTS {
        let Some(next) = row.next.clone() else { return Err(RegisterError::AnswerLost) };
        let age = SignedDuration::from_millis(moment.now.as_millisecond() - next.begun_at);
        let mark = Mark { registration: next.registration.clone(), ..deps.mark(row) };
        if age < ANSWER_KEPT_FOR {
            let quiet = Wish {
                events: vec![QUIET.to_owned()],
                api_version: next.api_version.clone(),
                ..row.wish.clone()
            };
            let new = NewEndpoint { wish: &quiet, mark: &mark };
            match session.create_endpoint(&new, &next.registration).await {
                Ok(created) => {
                    if let Some(secret) = created.value.secret {
                        return Ok((created.value.endpoint.id, secret));
                    }
                }
                Err(StripeError::Spent(_)) => {}
                Err(error) => return Err(refused(deps, session, row, error, is_new, moment).await),
            }
        }
        // The answer is lost for good: what it made is found by its mark, and another attempt begins.
        remove_marked(session, &mark).await.map_err(RegisterError::stripe(Doing::Rotating))?;
        *row = write(deps, row, moment, |new| {
            new.next = Some(anew(&next, moment));
        })
        .await?;
    }
    Err(RegisterError::AnswerLost)
}

/// Takes the rotation back if Stripe refuses the second endpoint, as for want of a place. Nothing else has changed by then.
async fn refused(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut Endpoint,
    error: StripeError,
    is_new: bool,
    moment: Moment,
) -> RegisterError {
    let mut hint = None;
    if let StripeError::Refused(refusal) = &error
        && cap::is_reached(refusal)
    {
        let rows = deps.registry.endpoints().await.unwrap_or_default();
        hint = Some(cap::remedy(deps, session, &rows, moment.now).await);
    }
    let made_nothing = match &error {
        // A limit on calls, or what is said of the key, says nothing of what an earlier request did.
        StripeError::Refused(refusal) => is_new || !refusal.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::Forbidden(_) => is_new,
        StripeError::Spent(_) | StripeError::NoAnswer(_) => false,
    };
    if made_nothing {
        let back = write(deps, row, moment, |new| {
            new.state = EndpointState::Active;
            new.next = None;
        });
        match back.await {
            Ok(written) => *row = written,
            Err(error) => {
                tracing::warn!(error = %error, endpoint.name = %row.name, "a rotation could not be taken back");
            }
        }
    }
    RegisterError::Stripe { doing: Doing::Rotating, error, hint }
}

/// Ends a rotation, if all that was made before the second endpoint got all events has been compared with the ledger. Gives
/// whether it did.
pub(crate) async fn end(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    moment: Moment,
) -> Result<bool, RegisterError> {
    let Some(Next {
        stripe_id: Some(id),
        live_since: Some(live_since),
        registration,
        api_version,
        old_gone,
        ..
    }) = row.next.clone()
    else {
        return Ok(false);
    };
    if !is_compared(deps, &row, live_since, moment).await? {
        return Ok(false);
    }
    let newest = deps.secrets_of(&row).await?.signing.into_iter().find(|one| one.stripe_id == id);
    let newest = newest.ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))?;
    if !old_gone {
        // Whatever somebody has done to the second meanwhile, it must send before the first goes.
        match session.update_endpoint(&id, &row.wish, false).await {
            Ok(_) => {}
            Err(error) if error.is_missing() => {
                give_up(deps, session, row, moment).await?;
                return Ok(false);
            }
            Err(error) => return Err(RegisterError::stripe(Doing::Rotating)(error)),
        }
        if let Some(old) = row.stripe_id.as_ref().filter(|old| **old != id) {
            session.delete_endpoint(old).await.map_err(RegisterError::stripe(Doing::Rotating))?;
        }
        // What it had sent is still on its way: its secret goes in the next run.
        write(deps, &row, moment, |new| {
            if let Some(next) = &mut new.next {
                next.old_gone = true;
            }
        })
        .await?;
        return Ok(false);
    }
    let secrets = SigningSecrets { signing: vec![newest] };
    let token = format!("{registration}-end");
    let version = deps.vault.put_signing_secrets(&deps.secret_name(&row), &token, &secrets).await?;
    write(deps, &row, moment, |new| {
        new.state = EndpointState::Active;
        new.stripe_id = Some(id);
        new.registration = registration;
        new.wish.api_version = api_version;
        new.secret = Some(version);
        new.rotated_at = Some(moment.now.as_millisecond());
        new.next = None;
    })
    .await?;
    Ok(true)
}

async fn is_compared(
    deps: &Deps,
    row: &Endpoint,
    live_since: i64,
    moment: Moment,
) -> Result<bool, RegisterError> {
    let compared = deps.registry.compared().await?;
    let until = |account: &str| compared.get(account).is_some_and(|compared| compared.until >= live_since);
    if !row.wish.connect {
        return Ok(until("-"));
    }
    // One that has left the platform cannot be compared, and never will.
    let refused = |account: &str| {
        compared.get(account).is_some_and(|compared| compared.refused_at.is_some_and(|at| at >= live_since))
    };
    let accounts = deps.registry.accounts().await?;
    let waited = moment.now.as_second() - live_since >= NOBODY_HEARD;
    Ok(waited && accounts.iter().all(|account| until(account) || refused(account)))
}

/// Gives a rotation up: the second endpoint goes, and the first is all there is again.
pub(crate) async fn give_up(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    let Some(next) = row.next.clone() else { return Ok(row) };
    let mark = Mark { registration: next.registration.clone(), ..deps.mark(&row) };
    remove_marked(session, &mark).await.map_err(RegisterError::stripe(Doing::Rotating))?;
    let before = match deps.newest_before(&row).await {
        Ok(before) => Some(before),
        // Then there is nothing to go back to, and it is replaced.
        Err(RegisterError::NoSecret(_)) => None,
        Err(error) => return Err(error),
    };
    let mut back = None;
    if let Some(before) = before {
        let hint = before.secret.hint();
        let token = format!("{}-back", next.registration);
        let secrets = SigningSecrets { signing: vec![before] };
        let version = deps.vault.put_signing_secrets(&deps.secret_name(&row), &token, &secrets).await?;
        back = Some((version, hint));
    }
    write(deps, &row, moment, |new| {
        new.state = EndpointState::Active;
        new.next = None;
        if let Some((version, hint)) = back {
            new.secret = Some(version);
            new.signing_secret_hint = Some(hint);
        }
    })
    .await
}

impl Deps {
    /// The secret of the endpoint that is to go.
    async fn newest_before(&self, row: &Endpoint) -> Result<EndpointSecret, RegisterError> {
        let secrets = self.secrets_of(row).await?;
        let of_it = |one: &EndpointSecret| Some(&one.stripe_id) == row.stripe_id.as_ref();
        let before = secrets.signing.into_iter().find(of_it);
        before.ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))
    }
}

/// Writes the row changed, if it still is as it was read.
async fn write(
    deps: &Deps,
    row: &Endpoint,
    moment: Moment,
    edit: impl FnOnce(&mut Endpoint),
) -> Result<Endpoint, RegisterError> {
    let mut new = Endpoint { state_since: moment.now.as_millisecond(), ..row.clone() };
    edit(&mut new);
    match deps.registry.replace(row, &mut new).await? {
        Written::Done => Ok(new),
        Written::Overtaken => Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
}
