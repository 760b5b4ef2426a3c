//! The two actions: which one a request asks for, in which states it is allowed, and how it changes a row.

use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use shared::access::Caller;
use shared::aws::StoreError;
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::http::{ApiError, Fields, segments};
use shared::ledger::{Actor, EventState, LedgerRow, Transitioned};

use crate::deps::Deps;

/// The longest reason that an admin can give.
const MAX_REASON_CHARS: usize = 300;

/// What is done to events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Have them applied again.
    Replay,
    /// Close them without applying them.
    Discard,
}

/// Which events it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one with this id, as it came in the path.
    Event(String),
    /// All that match a filter.
    Matching,
}

/// A request for an action, with what is needed to answer it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActionRequest<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) request: &'a Request,
    pub(crate) action: Action,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Deadline,
}

/// Reads from path and method what a request asks for.
///
/// # Errors
/// 404 for another path, 405 for another method.
pub(crate) fn route(request: &Request) -> Result<(Action, Target), ApiError> {
    let path = segments(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = match path.as_slice() {
        ["events", "replay"] => (Action::Replay, Target::Matching),
        ["events", "discard"] => (Action::Discard, Target::Matching),
        ["events", id, "replay"] => (Action::Replay, Target::Event((*id).to_owned())),
        ["events", id, "discard"] => (Action::Discard, Target::Event((*id).to_owned())),
        _ => return Err(ApiError::no_route(request)),
    };
    if request.method() == Method::POST {
        return Ok(found);
    }
    Err(ApiError::method_not_allowed(request, "use POST"))
}

impl Target {
    /// Returns what the audit names. What is no event's id is left out, as it may be a secret that was put
    /// there by mistake.
    pub(crate) fn for_audit(&self) -> String {
        match self {
            Self::Event(id) if id.starts_with("evt_") && id.parse::<EventId>().is_ok() => id.clone(),
            Self::Event(_) => "-".to_owned(),
            Self::Matching => "events".to_owned(),
        }
    }
}

impl Action {
    /// The action's name in the audit.
    pub(crate) fn audit_name(self) -> &'static str {
        match self {
            Self::Replay => "events.replay",
            Self::Discard => "events.discard",
        }
    }

    /// Whether the action can be done to an event in this state. A pending event is about to be applied
    /// already. Only what waits for an admin can be discarded: any other event might just be applied.
    pub(crate) fn is_allowed_in(self, state: EventState) -> bool {
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

    /// The state that the action puts an event into.
    pub(crate) fn resulting_state(self) -> EventState {
        match self {
            Self::Replay => EventState::Pending,
            Self::Discard => EventState::Ignored,
        }
    }

    /// Reads the admin's reason. A discard requires one, so that it can be seen later why an event was never
    /// applied.
    ///
    /// # Errors
    /// 400 for a reason that is missing, too long or no text.
    pub(crate) fn read_reason(self, fields: &Fields) -> Result<Option<&str>, ApiError> {
        let reason = fields.text("why")?.map(str::trim).filter(|reason| !reason.is_empty());
        if reason.is_some_and(|reason| reason.chars().count() > MAX_REASON_CHARS) {
            return Err(ApiError::invalid(
                "why",
                format!("`why` has more than {MAX_REASON_CHARS} characters"),
            )
            .remedy("make it shorter"));
        }
        if self == Self::Discard && reason.is_none() {
            let message = "`why` is missing: what is discarded is not applied, so a reason is required";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", message)
                .field("why")
                .remedy("send {\"why\":\"…\"} in your own words"));
        }
        Ok(reason)
    }

    /// Changes one row.
    ///
    /// # Errors
    /// If it could not be written, or it is unknown whether it was.
    pub(crate) async fn apply_to(
        self,
        row: &LedgerRow,
        deps: &Deps,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<Transitioned, StoreError> {
        match self {
            Self::Replay => deps.ledger.replay(row, actor, now).await,
            Self::Discard => deps.ledger.discard(row, actor, deps.retention, now).await,
        }
    }
}

impl<'a> ActionRequest<'a> {
    /// Returns who acts and why, as the event shows it.
    pub(crate) fn actor(&self, reason: Option<&'a str>) -> Actor<'a> {
        Actor { by: self.caller.email.as_deref().unwrap_or(&self.caller.subject), why: reason }
    }
}
