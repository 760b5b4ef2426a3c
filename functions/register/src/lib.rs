//! Manages endpoints at Stripe and keeps their secrets; holds the settings.
//!
//! The story of a request:
//! 1. who is calling, and which act it is (`route`);
//! 2. the act, one file each: `list`, `register`, `change`, `rotate`, `repair`, `test`, `secret`, `deregister`, `settings`, `stripe_key`,
//!    `rules`;
//! 3. a change, done or refused, is written to the audit (`acts`);
//! 4. the answer.
//!
//! A schedule wakes it too, and then it finishes what a request left half done (`tend`).
//!
//! Rules: what is wanted is stored here before Stripe is asked, so that a crash after any step leaves a row that says what is
//! half done, and the same request again goes on with it. Where nobody can tell whether Stripe did something, nothing is taken
//! back. A secret is shown by the answers that register and rotate and to an admin who asks for it, and by none else.

mod acts;
mod cap;
mod change;
mod config;
mod deregister;
mod error;
mod list;
mod mark;
mod register;
mod repair;
mod rotate;
mod route;
mod row;
mod rules;
mod same_account;
mod secret;
mod settings;
mod spec;
mod stripe_key;
mod tend;
mod test;
mod view;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use lambda_runtime::Diagnostic;
use serde_json::Value;
use shared::access::{Access, Role};
use shared::audit::Audit;
use shared::aws::{CallLimits, error_chain};
use shared::http::{ApiError, Trigger, request_id, to_lambda};
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::{Registry, Settings};
use shared::secret_store::SecretStore;
use shared::stripe::{Session, Stripe, StripeKeys, TlsError};
use tokio::time::Instant;

use self::acts::Trace;
pub use self::config::{Config, WORK_WITHIN};
use self::error::RegisterError;
use self::route::{Change, Read, Route};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    stack: String,
    /// Is Stripe a simulated one on this machine? Then endpoints may be on this machine too.
    local: bool,
    public_url: String,
    secret_prefix: String,
    stripe_key_secret: String,
    work_within: Duration,
    endpoint_refresh_interval: Duration,
    reenable: bool,
    rotate_after: Option<SignedDuration>,
    access: Access,
    registry: Registry,
    audit: Audit,
    records: Records,
    secret_store: SecretStore,
    stripe: Stripe,
}

impl Deps {
    /// Wires the function, with nothing read yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secret_store.clone(), config.stripe_key_secret.clone());
        Ok(Self {
            mode: config.mode,
            stack: config.stack,
            local: config.stripe_api_base.is_local(),
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            secret_prefix: config.secret_prefix,
            stripe_key_secret: config.stripe_key_secret,
            work_within: config.work_within,
            endpoint_refresh_interval: config.endpoint_refresh_interval,
            reenable: config.reenable,
            rotate_after: (config.rotate_days > 0)
                .then(|| SignedDuration::from_hours(24 * config.rotate_days)),
            access: config.access,
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb.clone(), config.audit_table),
            records: Records::new(dynamodb, config.records_table),
            secret_store,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
        })
    }

    /// The settings and calls to Stripe with the stack's key.
    async fn with_stripe(&self, moment: Moment) -> Result<(Settings, Session<'_>), RegisterError> {
        let settings = self.registry.settings().await?.ok_or(RegisterError::StripeKeyMissing)?;
        let session = self.stripe.session(settings.stripe_key_set_at, moment.stripe_until).await?;
        Ok((settings, session.ok_or(RegisterError::StripeKeyMissing)?))
    }
}

/// When a request is handled, and until when Stripe may take: a quarter of the time is left for what follows its answer.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Timestamp,
    stripe_until: Instant,
}

/// Does one invocation's work. `request_id` is Lambda's.
///
/// # Errors
/// For the schedule: why nothing could be done; the next run tries again. A request is always answered.
pub async fn wake(deps: &Deps, input: &Value, request_id: &str, now: Timestamp) -> Result<Value, Diagnostic> {
    let failed = |error: &dyn std::error::Error| Diagnostic {
        error_type: "Register".to_owned(),
        error_message: error_chain(error),
    };
    match Trigger::read(input, request_id).map_err(|error| failed(&error))? {
        // Boxed, because futures of this depth are too much for the compiler's layout.
        Trigger::Request(request) => Ok(to_lambda(Box::pin(handle(deps, *request, now)).await)),
        Trigger::Schedule => {
            let moment = Moment { now, stripe_until: Instant::now() + deps.work_within * 3 / 4 };
            let tended = tokio::time::timeout(deps.work_within, Box::pin(tend::tend(deps, moment))).await;
            match tended.unwrap_or(Err(RegisterError::TooSlow)) {
                Ok(tended) => Ok(serde_json::json!(tended)),
                // Before there is a key, there is nothing to do it with; the status tells it.
                Err(RegisterError::StripeKeyMissing) => Ok(Value::Null),
                Err(error) => Err(failed(&error)),
            }
        }
    }
}

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    let moment = Moment { now, stripe_until: Instant::now() + deps.work_within * 3 / 4 };
    match answer(deps, &request, moment).await {
        Ok(response) => response,
        Err(error) => error.into_response(&request_id(&request)),
    }
}

async fn answer(deps: &Deps, request: &Request, moment: Moment) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    match Route::of(request)? {
        Route::Read(read) => {
            deps.access.require(request, Role::Viewer)?;
            in_time(deps, reading(deps, request, read, moment)).await
        }
        Route::Change(change) => {
            let mut trace = Trace::default();
            let result = match deps.access.require(request, Role::Admin) {
                Ok(_) => in_time(deps, changing(deps, request, &change, moment, &mut trace)).await,
                Err(forbidden) => Err(forbidden),
            };
            acts::write(deps, &caller, &change, trace, &result, moment.now).await;
            result
        }
    }
}

/// Work that is given up when time is out. That is the same as a crash at that point, which every step allows for.
async fn in_time<T>(
    deps: &Deps,
    work: impl Future<Output = Result<T, RegisterError>>,
) -> Result<T, ApiError> {
    let done = tokio::time::timeout(deps.work_within, work).await;
    done.unwrap_or(Err(RegisterError::TooSlow)).map_err(RegisterError::into_answer)
}

async fn reading(
    deps: &Deps,
    request: &Request,
    read: Read,
    moment: Moment,
) -> Result<Response<Body>, RegisterError> {
    match read {
        Read::Endpoints => list::endpoints(deps, request).await,
        Read::OneEndpoint(name) => list::endpoint(deps, request, &name).await,
        Read::Settings => settings::show(deps, request, moment).await,
    }
}

async fn changing(
    deps: &Deps,
    request: &Request,
    change: &Change,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    // Boxed: together they are too large for a stack.
    match change {
        Change::Register => Box::pin(register::register(deps, request, moment, trace)).await,
        Change::Patch(name) => Box::pin(change::change(deps, request, name, moment, trace)).await,
        Change::Deregister(name) => {
            Box::pin(deregister::deregister(deps, request, name, moment, trace)).await
        }
        Change::ShowSecret(name) => Box::pin(secret::show(deps, request, name)).await,
        Change::Rotate(name) => Box::pin(rotate::rotate(deps, request, name, moment, trace)).await,
        Change::Repair(name) => Box::pin(repair::repair(deps, request, name, moment, trace)).await,
        Change::Test(name) => Box::pin(test::test(deps, request, name, moment, trace)).await,
        Change::SetStripeKey => Box::pin(stripe_key::set(deps, request, moment, trace)).await,
        Change::SetRules => Box::pin(rules::change(deps, request, moment, trace)).await,
    }
}
