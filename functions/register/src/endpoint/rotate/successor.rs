//! The second endpoint of a rotation, which takes over from the first: created at Stripe, its signing secret
//! kept beside the first's.

use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, Rotation};
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};
use shared::stripe::{OwnerTag, StripeError};
use shared::unix_time::UnixMillis;

use crate::context::{RequestContext, StripeContext};
use crate::deps::Deps;
use crate::endpoint::attempt::{CreationAttempt, create_at_stripe, delete_orphan};
use crate::endpoint::{row, secret, tag};
use crate::error::{RegisterError, StripeOperation};

/// What it is subscribed to until its secret is known here: a type that hardly any account has, and nothing
/// of ours.
const QUIET: &str = "sigma.scheduled_query_run.created";

/// The attempt at creating it.
struct Successor<'a> {
    row: &'a mut EndpointRow,
    /// The attempt, as the row holds it until it is taken back.
    rotation: Rotation,
    is_new: bool,
}

/// Has Stripe create it, and keeps its signing secret. `row` is always as it is in the registry, also if this
/// fails.
pub(super) async fn create(
    stripe: StripeContext<'_>,
    row: &mut EndpointRow,
    rotation: Rotation,
    is_new: bool,
) -> Result<(), RegisterError> {
    let first = secret::for_endpoint(stripe.request.deps, row, row.stripe_id.as_deref()).await?;
    let mut attempt = Successor { row, rotation, is_new };
    let (id, secret) = create_at_stripe(stripe, &mut attempt).await?;
    let Successor { row, rotation, .. } = attempt;
    if let Err(error) = keep(stripe.request, row, &rotation, first, &id, secret).await {
        let is_overtaken = delete_if_unknown(stripe, row, &rotation, &id).await;
        return Err(if is_overtaken { row::overtaken(stripe.request, &row.name).await } else { error });
    }
    Ok(())
}

/// The same rotation, with a new attempt at creating the second endpoint.
pub(super) fn new_attempt(rotation: &Rotation, context: RequestContext<'_>) -> Rotation {
    Rotation {
        registration: uuid::Uuid::new_v4().to_string(),
        begun_at: context.now.into(),
        stripe_id: None,
        live_since: None,
        ..rotation.clone()
    }
}

/// Keeps the second's signing secret beside the first's, and its id in the row.
async fn keep(
    context: RequestContext<'_>,
    row: &mut EndpointRow,
    rotation: &Rotation,
    first: EndpointSecret,
    id: &str,
    secret: SigningSecret,
) -> Result<(), RegisterError> {
    let deps = context.deps;
    let hint = secret.hint();
    let second = EndpointSecret { stripe_id: id.to_owned(), secret };
    let secrets = SigningSecrets { signing: vec![second, first] };
    let version = secret::replace(deps, row, &rotation.registration, &secrets).await?;
    *row = row::edit(context, row, |new| {
        new.secret = Some(version);
        new.signing_secret_hint = Some(hint);
        if let Some(rotation) = &mut new.rotation {
            rotation.stripe_id = Some(id.to_owned());
        }
    })
    .await?;
    Ok(())
}

/// Deletes a second endpoint that no row knows any more, such as one whose row was deregistered meanwhile.
/// Returns whether it is so.
async fn delete_if_unknown(
    stripe: StripeContext<'_>,
    row: &EndpointRow,
    rotation: &Rotation,
    id: &str,
) -> bool {
    let is_known = |now: &EndpointRow| {
        now.state == EndpointState::Rotating
            && now.rotation.as_ref().is_some_and(|known| known.registration == rotation.registration)
    };
    match stripe.request.deps.registry.endpoint(&row.name).await {
        Ok(now) if !now.as_ref().is_some_and(is_known) => {
            delete_orphan(stripe, id).await;
            true
        }
        // Somebody goes on with it, or that is not known.
        Ok(_) | Err(_) => false,
    }
}

impl CreationAttempt for Successor<'_> {
    const OPERATION: StripeOperation = StripeOperation::Rotate;

    fn id(&self) -> &str {
        &self.rotation.registration
    }

    fn owner_tag(&self, deps: &Deps, stack_id: &str) -> OwnerTag {
        tag::owner_tag(deps, stack_id, self.row, &self.rotation.registration)
    }

    fn spec(&self) -> EndpointSpec {
        EndpointSpec {
            events: vec![QUIET.to_owned()],
            api_version: self.rotation.api_version.clone(),
            ..self.row.spec.clone()
        }
    }

    fn begun_at(&self) -> UnixMillis {
        self.rotation.begun_at
    }

    fn is_new(&self) -> bool {
        self.is_new
    }

    async fn start_over(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError> {
        let rotation = new_attempt(&self.rotation, context);
        *self.row = row::edit(context, self.row, |new| new.rotation = Some(rotation.clone())).await?;
        self.rotation = rotation;
        Ok(())
    }

    async fn claim(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError> {
        *self.row = row::edit(context, self.row, |_| {}).await?;
        Ok(())
    }

    /// Nothing else of the endpoint has changed by then: the rotation is over. Who asked for it is told by
    /// the answer; what the schedule is refused, the status tells.
    async fn take_back(&mut self, context: RequestContext<'_>, refusal: &StripeError) {
        let reason = context.is_scheduled.then(|| refusal.to_string());
        let written = row::edit(context, self.row, |new| {
            new.state = EndpointState::Active;
            new.rotation = None;
            new.rotation_given_up = row::given_up(context, reason.as_deref());
        });
        match written.await {
            Ok(written) => *self.row = written,
            Err(error) => {
                tracing::warn!(
                    error = error_chain(&error),
                    endpoint.name = %self.row.name,
                    "a rotation could not be taken back"
                );
            }
        }
    }
}
