//! The two acts: which a request asks for, from which states they lead, and how they are done to one row.

use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use shared::access::Caller;
use shared::aws::StoreError;
use shared::http::{ApiError, Fields, segments};
use shared::ledger::{Actor, EventState, LedgerRow, Transitioned};

use crate::Deps;

/// The longest words that are kept of an admin.
const LONGEST_WHY: usize = 300;

/// What is done to events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Have them applied again.
    Replay,
    /// Close them without applying them.
    Discard,
}

/// To which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one of this id, as it came in the path.
    One(String),
    /// All that fit a filter.
    Many,
}

/// Which act a request asks for.
pub(crate) fn of(request: &Request) -> Result<(Act, Target), ApiError> {
    let path = segments(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = match path.as_slice() {
        ["events", "replay"] => (Act::Replay, Target::Many),
        ["events", "discard"] => (Act::Discard, Target::Many),
        ["events", id, "replay"] => (Act::Replay, Target::One((*id).to_owned())),
        ["events", id, "discard"] => (Act::Discard, Target::One((*id).to_owned())),
        _ => return Err(ApiError::no_route(request)),
    };
    if request.method() == Method::POST {
        return Ok(found);
    }
    let message = format!("{} is not a method of this path", request.method());
    Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).remedy("use POST"))
}

impl Act {
    /// The word in the audit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Replay => "events.replay",
            Self::Discard => "events.discard",
        }
    }

    /// May an event in this state be treated so? A pending one is waiting to be applied already. Only what waits for an admin can be
    /// closed: what the program is at might be applied at this very moment.
    pub(crate) fn is_for(self, state: EventState) -> bool {
        match (self, state) {
            (Self::Replay, EventState::Pending)
            | (
                Self::Discard,
                EventState::Pending
                | EventState::Failed
                | EventState::Processed
                | EventState::Superseded
                | EventState::Ignored,
            ) => false,
            (
                Self::Replay,
                EventState::Processed
                | EventState::Superseded
                | EventState::Ignored
                | EventState::Quarantined
                | EventState::Failed
                | EventState::Dead,
            )
            | (Self::Discard, EventState::Quarantined | EventState::Dead) => true,
        }
    }

    /// The state it leads to.
    pub(crate) fn leads_to(self) -> EventState {
        match self {
            Self::Replay => EventState::Pending,
            Self::Discard => EventState::Ignored,
        }
    }

    /// Reads the admin's own words. To discard takes some: whoever looks later must see why money was left aside.
    pub(crate) fn why(self, fields: &Fields) -> Result<Option<&str>, ApiError> {
        let why = fields.text("why")?.map(str::trim).filter(|why| !why.is_empty());
        if why.is_some_and(|why| why.chars().count() > LONGEST_WHY) {
            return Err(ApiError::invalid("why", format!("`why` has more than {LONGEST_WHY} characters"))
                .remedy("say it shorter"));
        }
        if self == Self::Discard && why.is_none() {
            let message =
                "`why` is missing: what is discarded is not applied, so a reason has to stand there";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", message)
                .field("why")
                .remedy("send {\"why\":\"…\"} in your own words"));
        }
        Ok(why)
    }

    /// Does it to one row.
    pub(crate) async fn on(
        self,
        deps: &Deps,
        row: &LedgerRow,
        steering: Actor<'_>,
        now: Timestamp,
    ) -> Result<Transitioned, StoreError> {
        match self {
            Self::Replay => deps.ledger.replay(row, steering, now).await,
            Self::Discard => deps.ledger.discard(row, steering, deps.retention, now).await,
        }
    }
}

/// Who it was, as the event shows it.
pub(crate) fn name(caller: &Caller) -> &str {
    caller.email.as_deref().unwrap_or(&caller.subject)
}
