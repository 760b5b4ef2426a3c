//! Takes a delivery from Stripe: verify, record once, answer.
//!
//! The story, in the order that keeps it safe and cheap:
//! 1. what is too large is refused before any work (`delivery`);
//! 2. the signature is checked against the secrets accepted now (`book`), with no call to AWS as long as they are known;
//! 3. the event is stored by one conditional write;
//! 4. only then is it acknowledged. Whatever cannot be stored in time is a 503, and Stripe tries again.
//!
//! Rules: no event is written for a request that Stripe has not signed; nothing is acknowledged that is not stored; an answer
//! comes within 3 s. Nothing is applied or judged here: that is the work of `process`.

mod book;
mod config;
mod counts;
mod delivery;
mod error;
mod notes;
mod refusals;

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::CallLimits;
use shared::event::{self, EventId, ParsedEvent};
use shared::event_type::PROBE;
use shared::http::{json, request_id};
use shared::ledger::{Ledger, LedgerRow, Recorded};
use shared::payload;
use shared::registry::Registry;
use shared::secret_store::SecretStore;

use self::book::Book;
pub use self::config::Config;
use self::counts::{Counts, Outcome};
use self::delivery::Delivery;
use self::error::ReceiveError;
use self::notes::Notes;
use self::refusals::Refusals;

/// Stripe gets its answer before this, of the 3 s that are promised: the rest is for API Gateway and the way.
const ANSWER_WITHIN: Duration = Duration::from_millis(2_600);

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    book: Book,
    ledger: Ledger,
    notes: Notes,
    refusals: Refusals,
    counts: Counts,
}

impl Deps {
    /// Reads the configuration, opens the connection and reads the endpoints. A store that is down does not stop the start: the
    /// first delivery tries again.
    ///
    /// # Errors
    /// A missing or wrong environment variable.
    pub async fn start(now: Timestamp) -> Result<Self, shared::env::EnvError> {
        let deps = Self::new(Config::from_env()?);
        payload::warm_up();
        deps.book.read_first(now).await;
        Ok(deps)
    }

    /// Wires the function, with nothing read yet.
    pub fn new(config: Config) -> Self {
        let dynamodb = config.aws.dynamodb(CallLimits::RECEIVE);
        let registry = Registry::new(dynamodb.clone(), config.registry_table);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::RECEIVE));
        Self {
            book: Book::new(registry.clone(), secret_store),
            ledger: Ledger::new(dynamodb, config.ledger_table),
            notes: Notes::new(registry),
            refusals: Refusals::default(),
            counts: Counts::new(config.metrics),
        }
    }
}

#[derive(Serialize)]
struct Receipt<'a> {
    received: bool,
    event: &'a EventId,
    outcome: &'static str,
}

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    let received = tokio::time::timeout(ANSWER_WITHIN, receive(deps, &request, now)).await;
    match received.unwrap_or(Err(ReceiveError::TooSlow)) {
        Ok((row, recorded)) => {
            let (outcome, counted) = match recorded {
                Recorded::New => ("stored", Outcome::Accepted),
                Recorded::Duplicate => ("duplicate", Outcome::Duplicate),
            };
            if !row.is_probe() {
                deps.counts.note(counted, now);
            }
            json(StatusCode::OK, &Receipt { received: true, event: &row.id, outcome })
        }
        Err(error) => {
            deps.refusals.note(&error, now);
            deps.counts.note(error.outcome(), now);
            error.answer().into_response(&request_id(&request))
        }
    }
}

async fn receive(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
) -> Result<(LedgerRow, Recorded), ReceiveError> {
    let delivery = Delivery::read(request)?;
    let signed_at = match deps.book.verify(&delivery, now).await {
        Ok(signed_at) => signed_at,
        Err(error) => {
            deps.notes.refused(&delivery.endpoint, &error, now).await;
            return Err(error);
        }
    };
    let row = row(&delivery, now)?;
    if row.is_probe() {
        // It proves the way, but Stripe was not heard.
        let recorded = deps.ledger.record(&row).await?;
        return Ok((row, recorded));
    }
    let recorded = deps.ledger.record(&row).await?;
    // Only now: what could not be stored was not heard.
    deps.notes.heard(&delivery.endpoint, signed_at, now).await;
    Ok((row, recorded))
}

fn row(delivery: &Delivery<'_>, now: Timestamp) -> Result<LedgerRow, ReceiveError> {
    let packed = payload::pack(delivery.body).map_err(ReceiveError::Packing)?;
    let endpoint = delivery.endpoint.as_str();
    match event::read(delivery.body) {
        ParsedEvent::Event(event) if event.event_type == PROBE => {
            Ok(LedgerRow::probe(&event, endpoint, now, packed))
        }
        ParsedEvent::Event(event) => Ok(LedgerRow::of(&event, endpoint, now, packed)),
        ParsedEvent::Unreadable { id, reason } => {
            Ok(LedgerRow::unreadable(id, reason, endpoint, now, packed))
        }
        ParsedEvent::EventError(why) => Err(ReceiveError::EventError(why)),
    }
}
