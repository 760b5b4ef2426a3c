//! The attempt at registering an endpoint, which is the row itself: begun, gone on with, started over or
//! taken back.

use jiff::Timestamp;
use shared::aws::error_chain;
use shared::endpoint::{EndpointName, EndpointRow, EndpointSpec, EndpointState};
use shared::registry::Written;
use shared::stripe::OwnerTag;
use shared::unix_time::UnixMillis;

use crate::context::RequestContext;
use crate::deps::Deps;
use crate::endpoint::attempt::CreationAttempt;
use crate::endpoint::spec::differences;
use crate::endpoint::{secret, tag};
use crate::error::{RegisterError, StripeOperation};

/// How often the row is read, when others write it at the same time.
const READS: usize = 3;

/// An attempt at registering.
#[derive(Debug)]
pub(super) struct Registration {
    /// The row, which is `registering`.
    pub(super) row: EndpointRow,
    is_new: bool,
}

impl Registration {
    fn new(name: EndpointName, spec: EndpointSpec, now: Timestamp) -> Self {
        let row = EndpointRow {
            name,
            state: EndpointState::Registering,
            registration: uuid::Uuid::new_v4().to_string(),
            spec,
            stripe_id: None,
            secret: None,
            signing_secret_hint: None,
            created_at: now.into(),
            state_since: now.into(),
            subscribed_since: now.into(),
            rotated_at: None,
            pending_change: None,
            rotation: None,
            is_replacement: false,
            rev: 0,
        };
        Self { row, is_new: true }
    }

    /// The attempt that an earlier request has begun.
    pub(super) fn resumed(row: EndpointRow) -> Self {
        Self { row, is_new: false }
    }

    /// Begins an attempt, or goes on with one for the same endpoint.
    pub(super) async fn begin(
        context: RequestContext<'_>,
        name: EndpointName,
        spec: EndpointSpec,
    ) -> Result<Self, RegisterError> {
        let registry = &context.deps.registry;
        for _ in 0..READS {
            match registry.endpoint(&name).await? {
                Some(row) => return Self::resume_if_same(row, &spec),
                None => {
                    let attempt = Self::new(name.clone(), spec.clone(), context.now);
                    if registry.insert(&attempt.row).await? == Written::Done {
                        return Ok(attempt);
                    }
                }
            }
        }
        Err(RegisterError::EndpointConflict(name.to_string()))
    }

    fn resume_if_same(row: EndpointRow, spec: &EndpointSpec) -> Result<Self, RegisterError> {
        let differs = differences(&row.spec, spec);
        if row.state != EndpointState::Registering {
            return Err(RegisterError::EndpointExists {
                name: row.name.to_string(),
                state: row.state,
                is_as_requested: row.state.accepts_deliveries() && differs.is_empty(),
            });
        }
        if !differs.is_empty() {
            return Err(RegisterError::RegistrationDiffers { name: row.name.to_string(), differs });
        }
        Ok(Self::resumed(row))
    }
}

impl CreationAttempt for Registration {
    const OPERATION: StripeOperation = StripeOperation::Register;

    fn id(&self) -> &str {
        &self.row.registration
    }

    fn owner_tag(&self, deps: &Deps) -> OwnerTag {
        tag::owner_tag(deps, &self.row, &self.row.registration)
    }

    fn spec(&self) -> EndpointSpec {
        self.row.spec.clone()
    }

    fn begun_at(&self) -> UnixMillis {
        self.row.state_since
    }

    fn is_new(&self) -> bool {
        self.is_new
    }

    async fn start_over(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError> {
        let deps = context.deps;
        deps.secret_store.remove(&secret::entry_name(deps, &self.row)).await?;
        let mut attempt = Self::new(self.row.name.clone(), self.row.spec.clone(), context.now);
        match deps.registry.replace(&self.row, &mut attempt.row).await? {
            Written::Done => {
                *self = attempt;
                Ok(())
            }
            Written::Conflict => Err(RegisterError::EndpointConflict(self.row.name.to_string())),
        }
    }

    async fn take_back(&mut self, context: RequestContext<'_>) {
        let registry = &context.deps.registry;
        let name = &self.row.name;
        if self.row.is_replacement {
            // It was registered once: it stays, as an endpoint that Stripe does not know.
            let mut kept =
                EndpointRow { state: EndpointState::Active, is_replacement: false, ..self.row.clone() };
            if let Err(error) = registry.replace(&self.row, &mut kept).await {
                tracing::warn!(
                    error = error_chain(&error),
                    endpoint.name = %name,
                    "the replacement of an endpoint could not be taken back"
                );
            }
        } else if let Err(error) = registry.remove(&self.row).await {
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = %name,
                "a registration could not be taken back"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::endpoint::attempt::is_answer_lost;

    #[test]
    fn an_attempt_is_gone_on_with_for_a_day_and_only_for_the_same_endpoint() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let spec = EndpointSpec {
            url: "https://example.com".into(),
            events: vec!["invoice.paid".into()],
            description: String::new(),
            api_version: "2026-07-29.dahlia".into(),
            connect: false,
        };
        let row = Registration::new("main".parse().unwrap(), spec, now).row;
        let later = |hours| now + SignedDuration::from_hours(hours);
        let resumed = Registration::resume_if_same(row.clone(), &row.spec).unwrap();
        assert!(!resumed.is_new && resumed.row == row);
        assert!(!is_answer_lost(&resumed, later(22)) && is_answer_lost(&resumed, later(23)));
        let other = EndpointSpec { connect: true, ..row.spec.clone() };
        let refused = Registration::resume_if_same(row.clone(), &other).unwrap_err();
        assert!(
            matches!(refused, RegisterError::RegistrationDiffers { differs, .. } if differs == ["connect"])
        );
        let active = EndpointRow { state: EndpointState::Active, ..row.clone() };
        let refused = Registration::resume_if_same(active, &row.spec);
        assert!(matches!(refused, Err(RegisterError::EndpointExists { .. })));
    }
}
