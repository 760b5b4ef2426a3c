//! The attempt at registering an endpoint, which is the row itself: begun, gone on with, started over or
//! taken back.

use jiff::Timestamp;
use shared::aws::error_chain;
use shared::endpoint::{EndpointName, EndpointRow, EndpointSpec, EndpointState};
use shared::registry::Written;
use shared::stripe::{OwnerTag, StripeError};
use shared::unix_time::UnixMillis;

use crate::context::RequestContext;
use crate::deps::Deps;
use crate::endpoint::attempt::CreationAttempt;
use crate::endpoint::spec::differences;
use crate::endpoint::{row, secret, tag};
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
            rotation_given_up: None,
            is_replacement: false,
            rev: 0,
        };
        Self { row, is_new: true }
    }

    /// The attempt that this request has begun.
    pub(super) fn begun(row: EndpointRow) -> Self {
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
        let is_complete = row.stripe_id.is_some() && row.secret.is_some();
        if row.state.accepts_deliveries() && !is_complete {
            return Err(RegisterError::EndpointIncomplete(row.name.to_string()));
        }
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

    fn owner_tag(&self, deps: &Deps, stack_id: &str) -> OwnerTag {
        tag::owner_tag(deps, stack_id, &self.row, &self.row.registration)
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
        // A replacement stays one, with what is still to be sent to Stripe after it.
        let mut row = EndpointRow {
            registration: uuid::Uuid::new_v4().to_string(),
            state_since: context.now.into(),
            subscribed_since: context.now.into(),
            stripe_id: None,
            secret: None,
            signing_secret_hint: None,
            ..self.row.clone()
        };
        match deps.registry.replace(&self.row, &mut row).await? {
            Written::Done => {
                *self = Self { row, is_new: true };
                Ok(())
            }
            Written::Conflict => Err(row::overtaken(context, &self.row.name).await),
        }
    }

    async fn claim(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError> {
        let mut row = self.row.clone();
        match context.deps.registry.replace(&self.row, &mut row).await? {
            Written::Done => {
                self.row = row;
                Ok(())
            }
            Written::Conflict => Err(row::overtaken(context, &self.row.name).await),
        }
    }

    async fn take_back(&mut self, context: RequestContext<'_>, _refusal: &StripeError) {
        let registry = &context.deps.registry;
        let name = &self.row.name;
        // What an earlier request of the attempt has kept.
        let entry = secret::entry_name(context.deps, &self.row);
        if !self.is_new
            && let Err(error) = context.deps.secret_store.remove(&entry).await
        {
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = %name,
                "the secret of a registration could not be taken back"
            );
            return;
        }
        if self.row.is_replacement {
            // It was registered once: it stays as it was, as an endpoint that Stripe does not know.
            let is_disabled = self.row.pending_change.as_ref().is_some_and(|change| change.disabled);
            let mut kept = EndpointRow {
                state: if is_disabled { EndpointState::Disabled } else { EndpointState::Active },
                is_replacement: false,
                pending_change: None,
                ..self.row.clone()
            };
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
    use shared::endpoint::SecretVersion;

    use super::*;
    use crate::endpoint::attempt::is_answer_lost;

    #[test]
    fn an_attempt_is_gone_on_with_for_a_day_and_only_for_the_same_endpoint() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let spec = EndpointSpec {
            url: "https://example.com".into(),
            events: vec!["invoice.paid".into()],
            description: String::new(),
            api_version: "2026-10-28.endive".into(),
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
        let refused = Registration::resume_if_same(active.clone(), &row.spec);
        assert!(matches!(refused, Err(RegisterError::EndpointIncomplete(_))), "Stripe has nothing of it");
        let secret = SecretVersion { name: "s".into(), version: "1".into() };
        let complete = EndpointRow { stripe_id: Some("we_1".into()), secret: Some(secret), ..active };
        let refused = Registration::resume_if_same(complete, &row.spec);
        assert!(matches!(refused, Err(RegisterError::EndpointExists { is_as_requested: true, .. })));
    }
}
