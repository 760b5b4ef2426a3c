//! The second endpoint of a rotation: made at Stripe, its secret kept, or undone.

use jiff::SignedDuration;
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, Rotation};
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};
use shared::stripe::{NewEndpoint, OwnerTag, Session, StripeError};

use crate::error::{Doing, RegisterError};
use crate::mark::remove_marked;
use crate::row::write;
use crate::{Deps, Moment, cap};

/// What the second endpoint asks for until its secret is known here: a type that hardly any account has, and nothing of ours.
const QUIET: &str = "sigma.scheduled_query_run.created";
/// Stripe keeps an answer under its idempotency key for a day at least.
const ANSWER_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// New attempts that one request begins.
const ATTEMPTS: usize = 2;

/// The same rotation, with another second endpoint.
pub(super) fn anew(next: &Rotation, moment: Moment) -> Rotation {
    Rotation {
        registration: uuid::Uuid::new_v4().to_string(),
        begun_at: moment.now.as_millisecond(),
        stripe_id: None,
        live_since: None,
        ..next.clone()
    }
}

/// Keeps the second one's secret beside the first's, and its id in the row.
pub(super) async fn keep_second(
    deps: &Deps,
    row: &mut EndpointRow,
    before: EndpointSecret,
    id: &str,
    secret: SigningSecret,
    moment: Moment,
) -> Result<(), RegisterError> {
    let hint = secret.hint();
    let one = EndpointSecret { stripe_id: id.to_owned(), secret };
    let secrets = SigningSecrets { signing: vec![one, before] };
    let registration = row.rotation.as_ref().map_or_else(String::new, |next| next.registration.clone());
    let version =
        deps.secret_store.put_signing_secrets(&deps.secret_name(row), &registration, &secrets).await?;
    *row = write(deps, row, moment, |new| {
        new.secret = Some(version);
        new.signing_secret_hint = Some(hint);
        if let Some(next) = &mut new.rotation {
            next.stripe_id = Some(id.to_owned());
        }
    })
    .await?;
    Ok(())
}

/// Deletes a second endpoint that no row knows any more, such as of one that was deregistered meanwhile.
pub(super) async fn undo_if_unknown(deps: &Deps, session: &Session<'_>, row: &EndpointRow, id: &str) {
    let registration = row.rotation.as_ref().map(|next| &next.registration);
    let knows = |now: &EndpointRow| {
        now.state == EndpointState::Rotating
            && now.rotation.as_ref().map(|next| &next.registration) == registration
    };
    match deps.registry.endpoint(&row.name).await {
        Ok(now) if now.as_ref().is_none_or(|now| !knows(now)) => {
            if let Err(error) = session.delete_endpoint(id).await {
                tracing::error!(
                    error = error_chain(&error),
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
pub(super) async fn make_second(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut EndpointRow,
    is_new: bool,
    moment: Moment,
) -> Result<(String, SigningSecret), RegisterError> {
    for _ in 0..ATTEMPTS {
        let Some(next) = row.rotation.clone() else { return Err(RegisterError::AnswerLost) };
        let age = SignedDuration::from_millis(moment.now.as_millisecond() - next.begun_at);
        let mark = OwnerTag { registration: next.registration.clone(), ..deps.owner_tag(row) };
        if age < ANSWER_KEPT_FOR {
            let quiet = EndpointSpec {
                events: vec![QUIET.to_owned()],
                api_version: next.api_version.clone(),
                ..row.spec.clone()
            };
            let new = NewEndpoint { spec: &quiet, mark: &mark };
            match session.create_endpoint(&new, &next.registration).await {
                Ok(created) => {
                    if let Some(secret) = created.value.secret {
                        return Ok((created.value.endpoint.id, secret));
                    }
                }
                Err(StripeError::IdempotencyKeySpent(_)) => {}
                Err(error) => return Err(refused(deps, session, row, error, is_new, moment).await),
            }
        }
        // The answer is lost for good: what it made is found by its mark, and another attempt begins.
        remove_marked(session, &mark).await.map_err(RegisterError::stripe(Doing::Rotating))?;
        *row = write(deps, row, moment, |new| {
            new.rotation = Some(anew(&next, moment));
        })
        .await?;
    }
    Err(RegisterError::AnswerLost)
}

/// Takes the rotation back if Stripe refuses the second endpoint, as for want of a place. Nothing else has changed by then.
async fn refused(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut EndpointRow,
    error: StripeError,
    is_new: bool,
    moment: Moment,
) -> RegisterError {
    let mut hint = None;
    if let StripeError::Refused(failure) = &error
        && cap::is_reached(failure)
    {
        let rows = deps.registry.endpoints().await.unwrap_or_default();
        hint = Some(cap::remedy(deps, session, &rows, moment.now).await);
    }
    let made_nothing = match &error {
        // A limit on calls, or what is said of the key, says nothing of what an earlier request did.
        StripeError::Refused(failure) => is_new || !failure.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::Forbidden(_) => is_new,
        StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => false,
    };
    if made_nothing {
        let back = write(deps, row, moment, |new| {
            new.state = EndpointState::Active;
            new.rotation = None;
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
