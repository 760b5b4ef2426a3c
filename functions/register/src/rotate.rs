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
/// For an endpoint of connected accounts of which none was heard: after this, in seconds, there is nothing to wait for.
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
        None => row.wish.api_version.clone(),
    };
    let row = match (row.state, &row.next) {
        (EndpointState::Active, _) => {
            deps.secrets_of(&row).await?;
            begin(deps, &row, &api_version, moment).await?
        }
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
    let (_, session) = deps.with_stripe(moment).await?;
    let row = switch_over(deps, &session, row, moment).await?;
    let secret = deps.newest_secret(&row).await?;
    let view = EndpointView::of(&row, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view.with_secret(&secret)))
}

/// Writes that a rotation begins.
pub(crate) async fn begin(
    deps: &Deps,
    row: &Endpoint,
    api_version: &str,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    let next = Next {
        registration: uuid::Uuid::new_v4().to_string(),
        api_version: api_version.to_owned(),
        begun_at: moment.now.as_millisecond(),
        stripe_id: None,
        live_since: None,
        left: false,
    };
    write(deps, row, moment, |new| {
        new.state = EndpointState::Rotating;
        new.next = Some(next);
    })
    .await
}

/// Goes on from wherever the row says that it is, up to where the second endpoint gets all events.
pub(crate) async fn switch_over(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    // Nobody else goes on with it meanwhile.
    let mut row = write(deps, &row, moment, |new| {
        if let Some(next) = &mut new.next {
            next.left = false;
        }
    })
    .await?;
    let done = steps(deps, session, &mut row, moment).await;
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
    moment: Moment,
) -> Result<(), RegisterError> {
    let Some(next) = row.next.clone() else { return Ok(()) };
    if next.stripe_id.is_none() {
        let (id, secret) = make_second(deps, session, row, moment).await?;
        let before = deps.newest_before(row).await?;
        let hint = secret.hint();
        let one = EndpointSecret { stripe_id: id.clone(), secret };
        let secrets = SigningSecrets { signing: vec![one, before] };
        let registration = row.next.as_ref().map_or_else(String::new, |next| next.registration.clone());
        let version =
            deps.vault.keep_signing_secrets(&deps.secret_name(row), &registration, &secrets).await?;
        *row = write(deps, row, moment, |new| {
            new.secret = Some(version);
            new.signing_secret_hint = Some(hint);
            if let Some(next) = &mut new.next {
                next.stripe_id = Some(id);
            }
        })
        .await?;
    }
    let Some(Next { stripe_id: Some(id), live_since: None, .. }) = row.next.clone() else { return Ok(()) };
    // Until then, a process that has just looked in vain would refuse what the second sends.
    tokio::time::sleep(deps.looked_at_again_after).await;
    let told = session.update_endpoint(&id, &row.wish, false).await;
    let told = told.map_err(RegisterError::stripe(Doing::Rotating))?;
    let live_since = told.date.unwrap_or(moment.now).as_second();
    *row = write(deps, row, moment, |new| {
        if let Some(next) = &mut new.next {
            next.live_since = Some(live_since);
        }
    })
    .await?;
    Ok(())
}

/// Has Stripe make the second endpoint. Gives its id and its secret.
async fn make_second(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut Endpoint,
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
                Err(error) => return Err(refused(deps, session, row, error, moment).await),
            }
        }
        // The answer is lost for good: what it made is found by its mark, and another attempt begins.
        remove_marked(session, &mark).await.map_err(RegisterError::stripe(Doing::Rotating))?;
        *row = write(deps, row, moment, |new| {
            if let Some(next) = &mut new.next {
                next.registration = uuid::Uuid::new_v4().to_string();
                next.begun_at = moment.now.as_millisecond();
            }
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
    moment: Moment,
) -> RegisterError {
    let mut hint = None;
    if let StripeError::Refused(refusal) = &error {
        if cap::is_reached(refusal) {
            let rows = deps.registry.endpoints().await.unwrap_or_default();
            hint = Some(cap::remedy(deps, session, &rows, moment.now).await);
        }
        // A limit on calls says nothing of what an earlier request did.
        if !refusal.is_rate_limit() {
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
    let Some(Next { stripe_id: Some(id), live_since: Some(live_since), registration, api_version, .. }) =
        row.next.clone()
    else {
        return Ok(false);
    };
    if !is_compared(deps, &row, live_since, moment).await? {
        return Ok(false);
    }
    if let Some(old) = row.stripe_id.as_ref().filter(|old| **old != id) {
        session.delete_endpoint(old).await.map_err(RegisterError::stripe(Doing::Rotating))?;
    }
    let newest = deps.secrets_of(&row).await?.signing.into_iter().find(|one| one.stripe_id == id);
    let newest = newest.ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))?;
    let secrets = SigningSecrets { signing: vec![newest] };
    let token = format!("{registration}-end");
    let version = deps.vault.keep_signing_secrets(&deps.secret_name(&row), &token, &secrets).await?;
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
    let accounts = deps.registry.accounts().await?;
    let waited = moment.now.as_second() - live_since >= NOBODY_HEARD;
    Ok(if accounts.is_empty() { waited } else { accounts.iter().all(|account| until(account)) })
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
