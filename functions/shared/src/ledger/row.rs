//! A row of the ledger as it lies in DynamoDB.
//!
//! Attribute names and values are counted in the write's price, so both are short, and what the payload says
//! is not stored again but where an index or a list needs it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::MAX_IN_ROW;
use super::state::EventState;
use crate::event::{Event, EventId};
use crate::event_type::PROBE;
use crate::object_key::ObjectKey;
use crate::payload::{Packed, PayloadError};
use crate::unix_time::{UnixMillis, UnixSeconds};

/// Shards of the keys of index `open`.
pub(super) const OPEN_SHARDS: u8 = 16;
/// Shards of a day in index `day`.
pub(super) const DAY_SHARDS: u8 = 4;

/// How long the sweep leaves a new row to the doorbell.
pub(super) const SWEEP_GRACE: Duration = Duration::from_secs(120);

/// How long the row of a probe is kept.
const PROBE_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How many earlier states of a row are kept.
pub(super) const HISTORY: usize = 10;

/// The reason of what an admin has closed; their own words follow it.
pub(super) const DISCARDED: &str = "discarded";

/// Where events come from besides deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventSource {
    /// It was missing here and found in Stripe's own list.
    Reconcile,
}

/// An earlier state of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastState {
    /// When it came to be so.
    pub at: UnixMillis,
    /// The state.
    pub state: EventState,
    /// How often the sweep had taken it in the end.
    pub attempts: u32,
    /// Why it was so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who put it there by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl PastState {
    pub(super) fn attribute(&self) -> AttributeValue {
        // A map of texts and numbers: it always serializes.
        serde_dynamo::to_attribute_value(self).unwrap_or(AttributeValue::Null(true))
    }
}

/// One event in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The event's id.
    pub id: EventId,
    part: u64,
    /// What became of it.
    pub state: EventState,
    /// The event's type; none if it cannot be read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// When Stripe made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<UnixSeconds>,
    /// The object it is listed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectKey>,
    /// The name of the endpoint that delivered it first.
    pub endpoint: String,
    /// Where it came from, if not from a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<EventSource>,
    /// When it came in.
    pub received_at: UnixMillis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<String>,
    /// When it is to be tried, or since when it waits for an admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<UnixMillis>,
    /// How often the sweep has taken it.
    pub attempts: u32,
    /// Which claim took it last: so that a claim whose answer got lost is known from somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) taken_by: Option<String>,
    /// Why it is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the state was last changed; none while it is as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked_at: Option<UnixMillis>,
    /// Who put it into this state by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Earlier states, the earliest first: without the one it came in, and a failure again is the same one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<PastState>,
    /// When it is gone: for a final state. DynamoDB removes it then or some days later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixSeconds>,
    /// Whether the payload is erased, with the reasons, which may quote it. Then it can neither be replayed
    /// nor discarded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// How many parts hold the payload, if it is not in the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// The number of the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parts_at: Option<u64>,
    /// The payload; its bytes are empty if they lie in parts. Not read by lists.
    #[serde(flatten, default)]
    pub body: Option<StoredPayload>,
}

/// A payload in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPayload {
    #[serde(rename = "dict")]
    dictionary: u32,
    #[serde(with = "serde_bytes")]
    sha256: Vec<u8>,
    /// The zstd frame.
    #[serde(rename = "body", with = "serde_bytes", default)]
    pub(super) bytes: Vec<u8>,
}

impl From<Packed> for StoredPayload {
    fn from(packed: Packed) -> Self {
        Self { dictionary: packed.dictionary, sha256: packed.sha256.to_vec(), bytes: packed.bytes }
    }
}

impl StoredPayload {
    pub(super) fn unpack(self) -> Result<Vec<u8>, PayloadError> {
        let sha256 = self.sha256.try_into().map_err(|_| PayloadError::Altered)?;
        Packed { dictionary: self.dictionary, sha256, bytes: self.bytes }.unpack()
    }

    /// The number of the first part and the parts, if it is too large for the row.
    ///
    /// The number is made from the stored bytes themselves. So the same bytes have the same parts, however
    /// often they are stored, and no other bytes can take their place: neither those of the same event in
    /// another API version, nor the same event packed in another way by a later version of this program.
    pub(super) fn split(&self) -> Option<(u64, Vec<&[u8]>)> {
        if self.bytes.len() <= MAX_IN_ROW {
            return None;
        }
        let digest = Sha256::digest(&self.bytes);
        let start = digest.iter().take(4).fold(1, |start, byte| start << 8 | u64::from(*byte)) * 1_000;
        Some((start, self.bytes.chunks(MAX_IN_ROW).collect()))
    }
}

impl LedgerRow {
    /// The row of an event that could be read: to be applied, or to be set aside by whoever applies it.
    pub fn from_event(event: &Event<'_>, endpoint: &str, now: Timestamp, payload: Packed) -> Self {
        Self {
            event_type: Some(truncated(&event.event_type)),
            created: Some(event.created),
            object: event.listed_under(),
            ..Self::new(event.id.clone(), EventState::Pending, None, endpoint, now, payload)
        }
    }

    /// The same row, for an event that came from elsewhere than a delivery.
    #[must_use]
    pub fn with_source(self, source: EventSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The row of a probe: in its final state from the start, in no list, and gone after a day.
    pub fn probe(event: &Event<'_>, endpoint: &str, now: Timestamp, payload: Packed) -> Self {
        let expires_at = UnixSeconds::from(now + PROBE_KEPT_FOR);
        Self {
            event_type: Some(truncated(&event.event_type)),
            created: Some(event.created),
            day: None,
            expires_at: Some(expires_at),
            ..Self::new(
                event.id.clone(),
                EventState::Ignored,
                Some("probe".to_owned()),
                endpoint,
                now,
                payload,
            )
        }
    }

    /// Returns whether it is a probe's.
    pub fn is_probe(&self) -> bool {
        self.event_type.as_deref() == Some(PROBE)
    }

    /// The row of an event of which nothing could be read but its id.
    pub fn unreadable(id: EventId, reason: String, endpoint: &str, now: Timestamp, payload: Packed) -> Self {
        Self::new(id, EventState::Quarantined, Some(reason), endpoint, now, payload)
    }

    fn new(
        id: EventId,
        state: EventState,
        reason: Option<String>,
        endpoint: &str,
        now: Timestamp,
        payload: Packed,
    ) -> Self {
        let due_at = match state {
            EventState::Pending => Some(now + SWEEP_GRACE),
            EventState::Quarantined => Some(now),
            EventState::Processed
            | EventState::Superseded
            | EventState::Ignored
            | EventState::Failed
            | EventState::Dead => None,
        };
        Self {
            day: Some(day_key(now, shard(&id, DAY_SHARDS))),
            open: open_key(state, &id),
            due_at: due_at.map(UnixMillis::from),
            id,
            part: 0,
            state,
            event_type: None,
            created: None,
            object: None,
            endpoint: endpoint.to_owned(),
            source: None,
            received_at: UnixMillis::from(now),
            attempts: 0,
            taken_by: None,
            reason: reason.as_deref().map(truncated),
            marked_at: None,
            by: None,
            history: Vec::new(),
            expires_at: None,
            erased: false,
            parts: None,
            parts_at: None,
            body: Some(payload.into()),
        }
    }

    /// Its present state, as an earlier one later.
    pub fn current_state(&self) -> PastState {
        PastState {
            at: self.marked_at.unwrap_or(self.received_at),
            state: self.state,
            attempts: self.attempts,
            reason: self.reason.clone(),
            by: self.by.clone(),
        }
    }

    /// Whether it has been applied: it is, or was before an admin had it tried again.
    pub fn was_applied(&self) -> bool {
        let is_applied = |state| matches!(state, EventState::Processed | EventState::Superseded);
        is_applied(self.state) || self.history.iter().any(|past| is_applied(past.state))
    }

    /// Since when it has not worked: from when it came in, or from when an admin had it tried again.
    pub fn in_state_since(&self) -> UnixMillis {
        let before = self.history.last().map(|change| change.at);
        before.map_or(self.received_at, |before| before.max(self.received_at))
    }

    /// The word that a reason begins with, which filters know: `filter`, `discarded`.
    pub fn reason_code(&self) -> Option<&str> {
        self.reason.as_deref()?.split(':').next()
    }

    /// The history once the row is in state `to`; none if nothing is added.
    pub(super) fn history_before(&self, to: EventState) -> Option<Vec<PastState>> {
        let as_received = self.state == EventState::Pending && self.marked_at.is_none();
        if as_received || self.state == to {
            return None;
        }
        let mut history = self.history.clone();
        history.push(self.current_state());
        Some(history.split_off(history.len().saturating_sub(HISTORY)))
    }

    /// Returns whether this admin changed it by hand at this time.
    pub(super) fn was_changed_by(&self, by: &str, at: Timestamp) -> bool {
        let mut changes = self.history.iter().cloned().chain([self.current_state()]);
        changes.any(|change| change.at == UnixMillis::from(at) && change.by.as_deref() == Some(by))
    }

    /// The numbers of the parts that hold the payload.
    pub(super) fn part_numbers(&self) -> std::ops::Range<u64> {
        match (self.parts_at, self.parts) {
            (Some(start), Some(count)) => start..start + count,
            (None, _) | (_, None) => 0..0,
        }
    }

    /// Returns whether it has expired.
    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= UnixSeconds::from(now))
    }

    /// Returns whether `old` is this very receipt, stored by a write whose answer got lost. Two receipts of
    /// one event differ in time or endpoint.
    pub(super) fn is_same_receipt(&self, old: &HashMap<String, AttributeValue>) -> bool {
        let text = |name: &str| old.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let number = |name: &str| old.get(name).and_then(|value| value.as_n().ok()).map(String::as_str);
        text("endpoint") == Some(&self.endpoint)
            && number("received_at") == Some(&self.received_at.to_string())
    }
}

/// The part of a text that is kept. A reason can quote what could not be read, and a row has room for 400 kB
/// in all.
pub(super) fn truncated(text: &str) -> String {
    const KEPT: usize = 500;
    match text.char_indices().nth(KEPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The key of index `open`, for a state that is not final.
pub(super) fn open_key(state: EventState, id: &EventId) -> Option<String> {
    state.is_open().then(|| open_shard_key(state, shard(id, OPEN_SHARDS)))
}

pub(super) fn open_shard_key(state: EventState, shard: u8) -> String {
    format!("{state}#{shard}")
}

/// The key of index `day`: the UTC day and a shard.
pub(super) fn day_key(at: Timestamp, shard: u8) -> String {
    format!("{}#{shard}", at.strftime("%Y-%m-%d"))
}

fn shard(id: &EventId, shards: u8) -> u8 {
    Sha256::digest(id.as_str())[0] % shards
}
