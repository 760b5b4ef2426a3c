//! All events that fit a filter, up to a number: counted first, if asked to.
//!
//! The filters are those of `GET /events`, and a state is a must: nobody means the whole ledger. Events are changed page by page;
//! what was changed no longer fits, so after an error, or when the time is up, the same request again goes on.

use std::time::Instant;

use futures::StreamExt;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::json;
use shared::access::Caller;
use shared::aws::{StoreError, error_chain};
use shared::http::{self, ApiError, EventFilter, Fields, Query};
use shared::ledger::{Actor, EventPosition, EventState, Transitioned};

use crate::act::{Act, name};
use crate::{Deps, Trace};

/// Most events of one request, and how many if it does not say.
const MOST: u32 = 1_000;
/// Events listed and changed at a time. A page ends as soon as its slowest change, so that the time is looked at often enough.
const AT_ONCE: usize = 32;
/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    /// How many were found.
    matching: usize,
    /// How many were changed.
    changed: usize,
    /// How many others changed meanwhile; they were left as they are.
    overtaken: usize,
    /// How many could not be changed; the same request again finds them.
    failed: usize,
    /// Was it only a count?
    dry_run: bool,
    /// Where to go on; null if there are no more.
    next_cursor: Option<String>,
}

pub(crate) async fn steer(
    deps: &Deps,
    request: &Request,
    act: Act,
    caller: &Caller,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Response<Body>, ApiError> {
    let begun = Instant::now();
    Query::read(request, &[])?;
    let known = [&EventFilter::PARAMETERS[..], &["why", "limit", "cursor", "dry_run"]].concat();
    let fields = Fields::read(request.body(), &known)?;
    let query = fields.query(&[&EventFilter::PARAMETERS[..], &["cursor"]].concat())?;
    let filter = EventFilter::read(&query)?;
    state(act, &filter)?;
    let limit = fields.number("limit", 1, MOST)?.unwrap_or(MOST);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let dry_run = fields.flag("dry_run")?.unwrap_or(false);
    let why = if dry_run { None } else { act.why(&fields)? };
    trace.before = Some(json!({ "filter": query.to_json(), "dry_run": dry_run, "why": why }));

    // Before the first Stripe key nothing can have come in.
    let since = deps.registry.settings().await?.map_or(now, |settings| settings.since());
    let listing = filter.listing(since, now);
    let list = format!("{} {}", deps.mode, act.name());
    let mut from: Option<EventPosition> = query.cursor(&list)?;
    if from.as_ref().is_some_and(|from| !listing.may_hold(from)) {
        return Err(query.not_our_cursor());
    }
    let mut outcome = Outcome { dry_run, ..Outcome::default() };
    let steering = Actor { by: name(caller), why };
    loop {
        let left = (limit - outcome.matching).min(AT_ONCE);
        let page = deps.ledger.list(&listing, from, left, now, |row| filter.fits(row)).await?;
        outcome.matching += page.rows.len();
        if !dry_run {
            let changes = page.rows.into_iter().map(async |row| act.on(deps, &row, steering, now).await);
            let mut changes = futures::stream::iter(changes).buffer_unordered(AT_ONCE);
            while let Some(marked) = changes.next().await {
                outcome.count(marked);
                trace.after = Some(json!(outcome));
            }
        }
        from = page.next;
        if from.is_none() || outcome.matching >= limit || begun.elapsed() >= deps.work_within {
            outcome.next_cursor = from.map(|at| query.next_cursor(&list, at));
            return outcome.answer();
        }
    }
}

impl Outcome {
    fn count(&mut self, marked: Result<Transitioned, StoreError>) {
        match marked {
            Ok(Transitioned::Done) => self.changed += 1,
            Ok(Transitioned::Conflict) => self.overtaken += 1,
            // One that cannot be changed does not hold the others back.
            Err(error) => {
                tracing::error!(error = error_chain(&error), "an event could not be steered");
                self.failed += 1;
            }
        }
    }

    /// An outage is an outage only if nothing at all could be done.
    fn answer(self) -> Result<Response<Body>, ApiError> {
        if self.failed > 0 && self.changed == 0 {
            let message = format!("DynamoDB took none of {} changes", self.failed);
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", message)
                .remedy("send the same request again in a moment"));
        }
        Ok(http::json(StatusCode::OK, &self))
    }
}

/// The state that is meant: it must be said, and fit the act.
fn state(act: Act, filter: &EventFilter) -> Result<EventState, ApiError> {
    let fitting: Vec<_> =
        EventState::ALL.into_iter().filter(|state| act.is_for(*state)).map(EventState::as_str).collect();
    let remedy = format!("give one of {}", fitting.join(", "));
    let Some(state) = filter.state else {
        let message = "`state` is missing: which events are meant must be said";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", message)
            .field("state")
            .remedy(remedy));
    };
    if act.is_for(state) {
        return Ok(state);
    }
    Err(ApiError::invalid("state", format!("events that are {state} cannot be treated so")).remedy(remedy))
}
