//! Steers events by hand: tries them again (replay), or closes them without applying them (discard).
//!
//! `POST /events/{id}/replay`, `POST /events/{id}/discard` (`one`); `POST /events/replay`, `POST /events/discard` with filters
//! (`many`). Admins only, and each act is written to the audit, refused ones too.
//!
//! Rules: an event is changed under the condition that it is as it was read, so that of two admins, or an admin and the program,
//! one wins and the other is told. A replayed event is pending like a new one: the doorbell rings, and `process` decides again.
//! Nothing is applied here.

mod act;
mod config;
mod many;
mod one;

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use shared::access::{Access, Role};
use shared::audit::{self, Audit};
use shared::aws::CallLimits;
use shared::event::EventId;
use shared::http::{ApiError, request_id};
use shared::ledger::{Ledger, Retention};
use shared::mode::Mode;
use shared::registry::Registry;

use self::act::Target;
pub use self::config::{Config, WORK_WITHIN};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    access: Access,
    ledger: Ledger,
    registry: Registry,
    audit: Audit,
    retention: Retention,
    work_within: Duration,
}

impl Deps {
    /// Reads the configuration and wires the function.
    ///
    /// # Errors
    /// A missing or wrong environment variable.
    pub fn start() -> Result<Self, shared::env::EnvError> {
        Ok(Self::new(Config::from_env()?))
    }

    /// Wires the function.
    pub fn new(config: Config) -> Self {
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        Self {
            mode: config.mode,
            access: config.access,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb, config.audit_table),
            retention: config.retention,
            work_within: config.work_within,
        }
    }
}

/// What an act tells the audit while it goes on.
#[derive(Debug, Default)]
struct Trace {
    before: Option<Value>,
    after: Option<Value>,
}

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    answer(deps, &request, now).await.unwrap_or_else(|error| error.into_response(&request_id(&request)))
}

async fn answer(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    let (act, target) = act::of(request)?;
    let mut trace = Trace::default();
    let result = match deps.access.require(request, Role::Admin) {
        Ok(_) => match &target {
            Target::One(id) => one::steer(deps, request, act, id, &caller, now, &mut trace).await,
            Target::Many => many::steer(deps, request, act, &caller, now, &mut trace).await,
        },
        Err(forbidden) => Err(forbidden),
    };
    let code = result.as_ref().map_or_else(ApiError::code, |_| "done");
    let mut written = audit::AuditEntry::new(&caller, act.name(), &target.for_audit(), code, now);
    written.before = trace.before;
    written.after = trace.after;
    deps.audit.note(&written).await;
    result
}

impl Target {
    /// What was sent in an id's place may be a secret, put there by mistake.
    fn for_audit(&self) -> String {
        match self {
            Self::One(id) if id.starts_with("evt_") && id.parse::<EventId>().is_ok() => id.clone(),
            Self::One(_) => "-".to_owned(),
            Self::Many => "events".to_owned(),
        }
    }
}
