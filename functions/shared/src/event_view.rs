//! Events as the API shows them, and the filters that pick some of them: the same for reading and for
//! replaying.

use jiff::Timestamp;
use serde::Serialize;

use crate::event_type;
use crate::http::{ApiError, Query};
use crate::kind::Kind;
use crate::ledger::{EventListing, EventSource, EventState, LedgerRow, PastState};
use crate::object_key::ObjectKey;
use crate::unix_time::{UnixMillis, UnixSeconds};

/// One event as lists show it.
#[derive(Debug, Clone, Serialize)]
pub struct EventView {
    id: String,
    r#type: Option<String>,
    state: &'static str,
    reason: Option<String>,
    /// Who put it into this state by hand.
    by: Option<String>,
    account: Option<String>,
    object: Option<String>,
    endpoint: String,
    /// `delivery`, or `reconcile` for what was missing here and found in Stripe's list.
    source: &'static str,
    created: Option<Timestamp>,
    received_at: Option<Timestamp>,
    /// When the state was last changed.
    marked_at: Option<Timestamp>,
    attempts: u32,
    /// When it will be tried again; only for what will.
    due_at: Option<Timestamp>,
    /// When it is gone; only for what is final.
    expires_at: Option<Timestamp>,
    /// Whether its payload is erased.
    erased: bool,
}

impl From<LedgerRow> for EventView {
    fn from(row: LedgerRow) -> Self {
        let tried = matches!(row.state, EventState::Pending | EventState::Failed);
        Self {
            id: row.id.to_string(),
            r#type: row.event_type,
            state: row.state.as_str(),
            reason: row.reason,
            by: row.by,
            account: row.object.as_ref().and_then(|key| key.account().map(str::to_owned)),
            object: row.object.as_ref().map(|key| key.id().to_owned()),
            endpoint: row.endpoint,
            source: match row.source {
                None => "delivery",
                Some(EventSource::Reconcile) => "reconcile",
            },
            created: row.created.and_then(UnixSeconds::to_timestamp),
            received_at: row.received_at.to_timestamp(),
            marked_at: row.marked_at.and_then(UnixMillis::to_timestamp),
            attempts: row.attempts,
            due_at: row.due_at.filter(|_| tried).and_then(UnixMillis::to_timestamp),
            expires_at: row.expires_at.and_then(UnixSeconds::to_timestamp),
            erased: row.erased,
        }
    }
}

/// A state that an event is or was in.
#[derive(Debug, Clone, Serialize)]
pub struct PastStateView {
    at: Option<Timestamp>,
    state: &'static str,
    reason: Option<String>,
    by: Option<String>,
    attempts: u32,
}

impl From<PastState> for PastStateView {
    fn from(change: PastState) -> Self {
        Self {
            at: change.at.to_timestamp(),
            state: change.state.as_str(),
            reason: change.reason,
            by: change.by,
            attempts: change.attempts,
        }
    }
}

impl PastStateView {
    /// All states of an event, the earliest first: as it came in, those between, the present one.
    pub fn history(row: &LedgerRow) -> Vec<Self> {
        let present = row.current_state();
        let first = row.history.first().unwrap_or(&present);
        // It was stored to be applied, unless it could not be read at all.
        let came_in = PastState {
            at: row.received_at,
            state: EventState::Pending,
            attempts: 0,
            reason: None,
            by: None,
        };
        let as_received =
            row.marked_at.is_none() || first.at == row.received_at && first.state == EventState::Quarantined;
        let stored = (!as_received).then_some(came_in);
        stored.into_iter().chain(row.history.iter().cloned()).chain([present]).map(Self::from).collect()
    }
}

/// Bytes of the longest filter, `object` apart.
const LONGEST_FILTER: usize = 600;
/// Bytes of the longest `object`: a kind, a slash and an id (255 + 1 + 700) are shorter.
const LONGEST_OBJECT: usize = 1_000;

/// Which events are meant.
#[derive(Debug, Clone)]
pub struct EventFilter {
    /// In this state.
    pub state: Option<EventState>,
    reason: Option<String>,
    event_type: Option<String>,
    endpoint: Option<String>,
    object: Option<ObjectKey>,
    account: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl EventFilter {
    /// The parameters it is read from.
    pub const PARAMETERS: [&str; 8] =
        ["state", "reason", "type", "endpoint", "object", "account", "since", "until"];

    /// Reads the filters, each of which may be missing.
    ///
    /// # Errors
    /// 400 for the first that cannot be.
    pub fn read(query: &Query) -> Result<Self, ApiError> {
        if let Some(long) = Self::PARAMETERS.into_iter().find(|name| {
            let longest = if *name == "object" { LONGEST_OBJECT } else { LONGEST_FILTER };
            query.get(name).is_some_and(|text| text.len() > longest)
        }) {
            let message = format!("`{long}` is longer than anything it could name");
            return Err(ApiError::invalid(long, message).remedy(format!("correct `{long}`, or leave it out")));
        }
        let text = |name| query.get(name).map(str::to_owned);
        Ok(Self {
            state: query.parsed("state")?,
            reason: text("reason"),
            event_type: text("type"),
            endpoint: text("endpoint"),
            object: query.get("object").map(|text| object(text, query.get("account"))).transpose()?,
            account: text("account"),
            since: query.time("since")?,
            until: query.time("until")?,
        })
    }

    /// The shortest list that holds all that is meant. `beginning` is when the first event can have come in.
    pub fn listing(&self, beginning: Timestamp, now: Timestamp) -> EventListing {
        match (&self.object, self.state.filter(|state| state.is_open())) {
            (Some(key), _) => EventListing::Object(key.clone()),
            (None, Some(state)) => EventListing::Open(state),
            (None, None) => EventListing::Received {
                since: self.since.unwrap_or(beginning).max(beginning),
                until: self.until.unwrap_or(now).min(now),
            },
        }
    }

    /// Returns whether this row matches all filters.
    pub fn fits(&self, row: &LedgerRow) -> bool {
        let of_type =
            |wanted: &String| row.event_type.as_deref().is_some_and(|is| event_type::matches(wanted, is));
        self.state.is_none_or(|state| row.state == state)
            && self.reason.as_deref().is_none_or(|reason| row.reason_code() == Some(reason))
            && self.event_type.as_ref().is_none_or(of_type)
            && self.endpoint.as_ref().is_none_or(|wanted| row.endpoint == *wanted)
            && self
                .account
                .as_deref()
                .is_none_or(|wanted| row.object.as_ref().and_then(ObjectKey::account) == Some(wanted))
            && self.since.is_none_or(|since| row.received_at >= UnixMillis::from(since))
            && self.until.is_none_or(|until| row.received_at < UnixMillis::from(until))
    }
}

/// `object` is an id whose prefix names its kind, or `object/id` in Stripe's words.
fn object(text: &str, account: Option<&str>) -> Result<ObjectKey, ApiError> {
    // Ids that merchants chose may hold slashes too, and then begin with no word of Stripe's.
    let is_word = |object: &str| object.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'));
    let named = text.split_once('/').filter(|(object, _)| is_word(object));
    let (object, id) = match (named, Kind::from_id_prefix(text)) {
        (Some((object, id)), _) => (object, id),
        (None, Some(kind)) => (kind.object(), text),
        (None, None) => {
            return Err(ApiError::invalid(
                "object",
                format!("the prefix of `{text}` names no kind of object"),
            )
            .remedy(format!("name the kind too, in Stripe's word: `customer/{text}`")));
        }
    };
    ObjectKey::new(account, object, id).map_err(|error| ApiError::invalid("object", error.to_string()))
}
