//! One attempt at registering: begun, gone on with, or given up for a new one.

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::{EndpointName, EndpointRow, EndpointSpec, EndpointState};
use shared::registry::Written;
use shared::stripe::{Session, StripeError};

use super::remove_marked;
use crate::error::{Doing, RegisterError};
use crate::spec::differences;
use crate::{Deps, Moment};

/// Stripe keeps an answer under its idempotency key for a day at least. An hour less, so that a slow call cannot fall behind it
/// and make a second endpoint.
const ANSWER_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// Looks at the row, when others write it at the same time.
const LOOKS: usize = 3;

/// An attempt, with the row that stands for it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) row: EndpointRow,
    /// Did this request begin it? Then nobody has asked Stripe before.
    is_new: bool,
    /// Can Stripe's answer not be had any more?
    pub(super) is_lost: bool,
}

impl Attempt {
    fn new(name: EndpointName, spec: EndpointSpec, now: Timestamp) -> Self {
        let row = EndpointRow {
            name,
            state: EndpointState::Registering,
            registration: uuid::Uuid::new_v4().to_string(),
            spec,
            stripe_id: None,
            secret: None,
            signing_secret_hint: None,
            created_at: now.as_millisecond(),
            state_since: now.as_millisecond(),
            subscribed_since: now.as_millisecond(),
            rotated_at: None,
            pending_change: None,
            rotation: None,
            is_replacement: false,
            rev: 0,
        };
        Self { row, is_new: true, is_lost: false }
    }

    /// The attempt that a half-made row stands for.
    pub(super) fn of(row: EndpointRow, now: Timestamp) -> Self {
        let age = SignedDuration::from_millis(now.as_millisecond() - row.state_since);
        Self { row, is_new: false, is_lost: age >= ANSWER_KEPT_FOR }
    }

    /// Has Stripe certainly made nothing under this attempt's idempotency key, now that it refused so? Stripe looks at the
    /// key of the caller and at its limits before it looks at the idempotency key, so those refusals say nothing of what an earlier
    /// request did. Any other refusal is the answer kept under the idempotency key, or the one that every request of this attempt
    /// gets before anything is kept: they all say the same, so either way none has made anything.
    pub(super) fn made_nothing(&self, error: &StripeError) -> bool {
        match error {
            StripeError::Refused(failure) => self.is_new || !failure.is_rate_limit(),
            StripeError::Unauthorized(_) | StripeError::Forbidden(_) => self.is_new,
            StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => false,
        }
    }
}

/// Begins an attempt, or goes on with one of the same wish.
pub(super) async fn begin(
    deps: &Deps,
    name: EndpointName,
    spec: EndpointSpec,
    moment: Moment,
) -> Result<Attempt, RegisterError> {
    for _ in 0..LOOKS {
        match deps.registry.endpoint(&name).await? {
            Some(row) => return go_on(row, &spec, moment.now),
            None => {
                let attempt = Attempt::new(name.clone(), spec.clone(), moment.now);
                if deps.registry.insert(&attempt.row).await? == Written::Done {
                    return Ok(attempt);
                }
            }
        }
    }
    Err(RegisterError::EndpointOvertaken(name.to_string()))
}

fn go_on(row: EndpointRow, spec: &EndpointSpec, now: Timestamp) -> Result<Attempt, RegisterError> {
    if row.state != EndpointState::Registering {
        let as_wished = row.state.takes_deliveries() && differences(&row.spec, spec).is_empty();
        return Err(RegisterError::EndpointExists {
            name: row.name.to_string(),
            state: row.state,
            as_wished,
        });
    }
    let differs = differences(&row.spec, spec);
    if !differs.is_empty() {
        return Err(RegisterError::RegisteringOtherwise { name: row.name.to_string(), differs });
    }
    Ok(Attempt::of(row, now))
}

/// Removes what a lost attempt may have made, and begins a new one in its row. Removing comes first: the row is the only thing that
/// knows the old mark.
pub(super) async fn start_over(
    deps: &Deps,
    session: &Session<'_>,
    old: EndpointRow,
    moment: Moment,
) -> Result<Attempt, RegisterError> {
    let removed = remove_marked(session, &deps.owner_tag(&old)).await;
    removed.map_err(RegisterError::stripe(Doing::Registering))?;
    deps.secret_store.remove(&deps.secret_name(&old)).await?;
    let mut attempt = Attempt::new(old.name.clone(), old.spec.clone(), moment.now);
    match deps.registry.replace(&old, &mut attempt.row).await? {
        Written::Done => Ok(attempt),
        Written::Conflict => Err(RegisterError::EndpointOvertaken(old.name.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use shared::stripe::StripeFailure;

    use super::*;

    fn attempt(is_new: bool) -> Attempt {
        let spec = EndpointSpec {
            url: "https://example.com".into(),
            events: vec!["invoice.paid".into()],
            description: String::new(),
            api_version: "2026-07-29.dahlia".into(),
            connect: false,
        };
        Attempt { is_new, ..Attempt::new("main".parse().unwrap(), spec, now()) }
    }

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn failure(status: u16) -> Box<StripeFailure> {
        Box::new(StripeFailure {
            status: Some(status),
            kind: None,
            code: None,
            message: String::new(),
            param: None,
            request_id: None,
        })
    }

    #[test]
    fn a_wish_is_taken_back_only_if_nothing_can_have_been_made() {
        let cases = [
            (StripeError::Refused(failure(400)), true, true),
            (StripeError::Refused(failure(400)), false, true),
            (StripeError::Refused(failure(429)), true, true),
            (StripeError::Refused(failure(429)), false, false),
            (
                StripeError::Refused(Box::new(StripeFailure {
                    code: Some("rate_limit".into()),
                    ..*failure(400)
                })),
                false,
                false,
            ),
            (StripeError::Unauthorized(failure(401)), true, true),
            (StripeError::Unauthorized(failure(401)), false, false),
            (StripeError::Forbidden(failure(403)), false, false),
            (StripeError::NoAnswer(failure(500)), true, false),
            (StripeError::IdempotencyKeySpent(failure(500)), true, false),
        ];
        for (error, is_new, expected) in cases {
            assert_eq!(attempt(is_new).made_nothing(&error), expected, "{error:?} {is_new}");
        }
    }

    #[test]
    fn an_attempt_is_gone_on_with_for_a_day_and_only_for_the_same_wish() {
        let row = attempt(true).row;
        let later = |hours| now() + SignedDuration::from_hours(hours);
        let gone_on = go_on(row.clone(), &row.spec, later(22)).unwrap();
        assert!(!gone_on.is_lost && !gone_on.is_new && gone_on.row == row);
        assert!(go_on(row.clone(), &row.spec, later(23)).unwrap().is_lost);
        let other = EndpointSpec { connect: true, ..row.spec.clone() };
        let refused = go_on(row.clone(), &other, later(0)).unwrap_err();
        assert!(
            matches!(refused, RegisterError::RegisteringOtherwise { differs, .. } if differs == ["connect"])
        );
        let active = EndpointRow { state: EndpointState::Active, ..row.clone() };
        assert!(matches!(go_on(active, &row.spec, later(0)), Err(RegisterError::EndpointExists { .. })));
    }
}
