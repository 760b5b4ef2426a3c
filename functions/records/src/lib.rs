//! Reads what is here: billing records, the ledger of events, the audit. Writes nothing.
//!
//! - `GET /records` (`kinds`), `GET /records/{kind}` (`list`), `GET /records/{kind}/{id}` (`get`),
//!   `GET /records/payouts/{id}/transactions` (`payout::transactions`);
//! - the same of records with `?at=`: as they were at the end of a second (`at`);
//! - `GET /events`, `GET /events/{id}` (`events`);
//! - `GET /audit` (`audit`).
//!
//! The rule: what joins several objects is derived when it is read, from whole snapshots, and never stored: a
//! payment (`payment`, listed in `payment_list`) with the objects that name it (`payment::parts`) and its
//! history (`payment::history`), what belongs to a customer (`customer`), what paid an invoice (`invoice`),
//! what is known of what a record names (`references`). What Stripe's lists alone say, the transactions of a
//! payout, `import` keeps with the records (`payout`, `settlement`).
//! So a refund that arrives before its payment is shown with it as soon as both are here.

mod at;
mod audit;
mod config;
mod csv;
mod customer;
mod deps;
mod events;
mod get;
mod invoice;
mod kinds;
mod list;
mod listed_record;
mod payment;
mod payment_list;
mod payout;
mod references;
mod response_size;
mod settlement;
mod snapshots;
mod view;

use jiff::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::access::Role;
use shared::http::{ApiError, path_rest, request_id, segments};

pub use self::config::Config;
pub use self::deps::Deps;
use self::payout::transactions;

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp) -> Response<Body> {
    respond(deps, &request, now).await.unwrap_or_else(|error| error.into_response(&request_id(&request)))
}

async fn respond(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let path = segments(request);
    let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
    let ids = path_rest(request, 2);
    let is_of_payout = matches!(path.as_slice(), ["records", "payouts", _, "transactions"]);
    if path.first() == Some(&"records") && !is_of_payout {
        // The id is what follows the kind, slashes included.
        path.truncate(3);
    }
    if request.method() != Method::GET {
        return Err(ApiError::method_not_allowed(request, "use GET"));
    }
    match path.as_slice() {
        ["records"] => kinds::list(request),
        ["records", kind] => list::list(deps, request, kind, now).await,
        ["records", "payouts", _id, "transactions"] => transactions::list(deps, request, &ids, now).await,
        ["records", kind, _id] => get::get(deps, request, kind, &ids, now).await,
        ["events"] => events::list(deps, request, now).await,
        ["events", id] => events::get(deps, request, id, now).await,
        ["audit"] => audit::list(deps, request, now).await,
        _ => Err(ApiError::no_route(request)),
    }
}
