//! Reads what is here: billing records, the ledger of events, the audit.
//!
//! `GET /records/{kind}`, `GET /records/{kind}/{id}` (`record`), `GET /events`, `GET /events/{id}` (`events`), `GET /audit`
//! (`audit`). Nothing is written here.
//!
//! The rule: what joins several objects is derived when it is read, from whole snapshots, and never stored: a payment (`joined`,
//! `payment`) and how it came to be so (`history`), what is a customer's (`customer`), what paid an invoice (`invoice`). So a
//! refund that arrives before its payment is shown with it as soon as both are here.

mod audit;
mod config;
mod customer;
mod events;
mod history;
mod invoice;
mod joined;
pub mod payment;
mod record;
mod view;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::access::{Access, Role};
use shared::audit::Audit;
use shared::aws::CallLimits;
use shared::http::{ApiError, request_id, segments};
use shared::ledger::Ledger;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::Registry;

pub use self::config::Config;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    access: Access,
    ledger: Ledger,
    records: Records,
    registry: Registry,
    audit: Audit,
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
            records: Records::new(dynamodb.clone(), config.records_table),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb, config.audit_table),
        }
    }
}

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    answer(deps, &request, now).await.unwrap_or_else(|error| error.into_response(&request_id(&request)))
}

async fn answer(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let path = segments(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    if request.method() != Method::GET {
        let message = format!("{} is only read here", path.join("/"));
        return Err(
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).remedy("use GET")
        );
    }
    match path.as_slice() {
        ["records", kind] => record::list(deps, request, kind).await,
        ["records", kind, id] => record::one(deps, request, kind, id, now).await,
        ["events"] => events::list(deps, request, now).await,
        ["events", id] => events::one(deps, request, id, now).await,
        ["audit"] => audit::list(deps, request, now).await,
        _ => Err(ApiError::no_route(request)),
    }
}
