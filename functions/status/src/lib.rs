//! Says whether the webhooks work, and if not why and what to do.
//!
//! The story of a request:
//! 1. the facts that reconciliation keeps are read, or gathered anew (`facts`), within 3 s;
//! 2. one pure function judges them (`judge`);
//! 3. the answer is its verdict (`verdict`).
//!
//! Rules: nothing is changed; what is not known is not told as if it were; without DynamoDB there is no answer but 503, because
//! a status without the endpoints would be a guess.

mod config;
mod facts;
mod judge;
mod verdict;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::access::{Access, Role};
use shared::aws::CallLimits;
use shared::http::{ApiError, Query, json, request_id, segments};
use shared::ledger::Ledger;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::Registry;
use shared::secret_store::SecretStore;
use shared::stripe::{Stripe, StripeKeys, TlsError};

pub use self::config::Config;
use self::verdict::Status;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    stack: String,
    access: Access,
    registry: Registry,
    ledger: Ledger,
    records: Records,
    secret_store: SecretStore,
    stripe: Stripe,
    public_url: String,
    rotate_days: i64,
}

impl Deps {
    /// Wires the function, with nothing read yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        // The bounds of the receive path: this too answers within 3 s.
        let dynamodb = config.aws.dynamodb(CallLimits::RECEIVE);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::RECEIVE));
        let keys = StripeKeys::new(secret_store.clone(), config.stripe_key_secret);
        Ok(Self {
            mode: config.mode,
            stack: config.stack,
            access: config.access,
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb, config.records_table),
            secret_store,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            rotate_days: config.rotate_days,
        })
    }
}

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    match status(deps, &request, now).await {
        Ok(status) => json(StatusCode::OK, &status),
        Err(error) => error.into_response(&request_id(&request)),
    }
}

async fn status(deps: &Deps, request: &Request, now: Timestamp) -> Result<Status, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let live = route(request)?;
    Ok(judge::judge(&facts::gather(deps, live, now).await?))
}

/// `GET /status`, and whether Stripe is to be asked now.
fn route(request: &Request) -> Result<bool, ApiError> {
    if segments(request) != ["status"] {
        return Err(ApiError::no_route(request));
    }
    if request.method() != Method::GET {
        let message = format!("{} is not a method of this path", request.method());
        return Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
            .remedy("its method is GET"));
    }
    let query = Query::read(request, &["live"])?;
    match query.get("live") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            Err(ApiError::invalid("live", "`live` is true or false")
                .remedy("give one of them, or leave it out"))
        }
    }
}
