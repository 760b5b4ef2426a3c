//! Which listed events an endpoint here wants, and the row that each gets in the ledger.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::endpoint::EndpointRow;
use shared::event::{self, Event, EventId, ParsedEvent};
use shared::ledger::{EventSource, LedgerRow};
use shared::payload;
use shared::unix_time::UnixSeconds;

use crate::error::ReconcileError;
use crate::undelivered::is_enabled;

/// An endpoint that is registered anew gets what was made this long before at most.
const BEFORE_REGISTRATION: SignedDuration = SignedDuration::from_hours(24);
/// Why an event is set aside that is larger than what is read of an answer of Stripe's.
const TOO_LARGE: &str = "the event is larger than 16 MiB, so it is known by its id alone: look at it in Stripe's \
                         dashboard, and discard it here";

/// The event types that each enabled endpoint wants.
pub(super) struct WantedEvents<'a>(Vec<(&'a EndpointRow, BTreeSet<&'a str>)>);

impl<'a> WantedEvents<'a> {
    pub(super) fn new(rows: &'a [EndpointRow]) -> Self {
        let wanted_types = |row: &'a EndpointRow| row.spec.events.iter().map(String::as_str).collect();
        let enabled = rows.iter().filter(|row| is_enabled(row));
        Self(enabled.map(|row| (row, wanted_types(row))).collect())
    }

    /// Whether an endpoint wants events of connected accounts (`connect`) or of our own.
    pub(super) fn any(&self, connect: bool) -> bool {
        self.endpoints(connect).next().is_some()
    }

    /// When the first of these endpoints was registered.
    pub(super) fn registered_at(&self, connect: bool) -> Option<UnixSeconds> {
        self.endpoints(connect).map(|row| row.created_at.into()).min()
    }

    fn endpoints(&self, connect: bool) -> impl Iterator<Item = &'a EndpointRow> {
        self.0.iter().map(|(row, _)| *row).filter(move |row| row.spec.connect == connect)
    }

    /// Returns the endpoints that want this event, of an account compared up to `compared` so far. An
    /// endpoint that is registered anew wants what was made since then too, for a day at most: nobody meant
    /// to lose that. A change of it takes nothing away.
    fn endpoints_for(&self, event: &Event<'_>, compared: Option<UnixSeconds>) -> Vec<&'a EndpointRow> {
        let since = |row: &EndpointRow| {
            let registered = UnixSeconds::from(row.created_at);
            compared
                .map_or(registered, |compared| registered.min(compared.max(registered - BEFORE_REGISTRATION)))
        };
        let wants = |(row, types): &&(&EndpointRow, BTreeSet<&str>)| {
            row.spec.connect == event.account.is_some()
                && types.contains(event.event_type.as_ref())
                && event.created >= since(row)
        };
        self.0.iter().filter(wants).map(|(row, _)| *row).collect()
    }

    /// Returns a listed event's row, and the endpoints that want it; `None` if none does. An event that
    /// cannot be read is set aside, because it is not known whether it is wanted.
    pub(super) fn row(
        &self,
        body: &str,
        account: &AccountKey,
        compared: Option<UnixSeconds>,
        now: Timestamp,
    ) -> Result<Option<(LedgerRow, Vec<&'a EndpointRow>)>, ReconcileError> {
        let parsed = event::read(body.as_bytes());
        let object = parsed.object_name().to_owned();
        let compressed = || payload::pack(body.as_bytes(), &object).map_err(ReconcileError::Compression);
        let (row, endpoints) = match parsed {
            ParsedEvent::Event(event) => {
                let endpoints = self.endpoints_for(&event, compared);
                let Some(first) = endpoints.first() else { return Ok(None) };
                (LedgerRow::from_event(&event, first.name.as_str(), now, compressed()?), endpoints)
            }
            ParsedEvent::Unreadable { id, reason } => {
                let name = self.any_name(account);
                (LedgerRow::unreadable(id, reason, name, now, compressed()?), Vec::new())
            }
            ParsedEvent::NotAnEvent(error) => {
                tracing::error!(error = %error, "Stripe lists something that is no event");
                return Ok(None);
            }
        };
        Ok(Some((row.with_source(EventSource::Reconcile), endpoints)))
    }

    /// Returns the row of a listed event that is too large to be read. It is set aside, because it is not
    /// known whether it is wanted.
    pub(super) fn oversized_row(
        &self,
        id: EventId,
        account: &AccountKey,
        now: Timestamp,
    ) -> Result<LedgerRow, ReconcileError> {
        let listed = json!({ "id": id.as_str(), "object": "event" }).to_string();
        let body = payload::pack(with_account(&listed, account).as_bytes(), "");
        let body = body.map_err(ReconcileError::Compression)?;
        let row = LedgerRow::unreadable(id, TOO_LARGE.to_owned(), self.any_name(account), now, body);
        Ok(row.with_source(EventSource::Reconcile))
    }

    /// The endpoint under which an event is kept of which it is not known who wants it: the first of this
    /// kind of account.
    fn any_name(&self, account: &AccountKey) -> &'a str {
        self.endpoints(account.connected().is_some()).next().map_or("-", |row| row.name.as_str())
    }
}

/// Returns a listed event as a delivery would bring it: what is listed for a connected account need not name
/// it.
pub(super) fn with_account<'a>(listed: &'a str, account: &AccountKey) -> Cow<'a, str> {
    let Some(account) = account.connected() else { return Cow::Borrowed(listed) };
    let Ok(mut fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(listed) else {
        return Cow::Borrowed(listed);
    };
    if fields.get("account").is_some_and(|named| named.get() != "null") {
        return Cow::Borrowed(listed);
    }
    let named =
        serde_json::value::to_raw_value(account).map(|account| fields.insert("account".to_owned(), account));
    match named.and_then(|_| serde_json::to_string(&fields)) {
        Ok(named) => Cow::Owned(named),
        // Texts and JSON that was read always serialize.
        Err(_) => Cow::Borrowed(listed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_connected_account_names_it() {
        let connected: AccountKey = "acct_1".parse().unwrap();
        let listed = r#"{"id":"evt_1","object":"event"}"#;
        assert_eq!(with_account(listed, &AccountKey::OWN), listed);
        let named = with_account(listed, &connected);
        assert_eq!(named, r#"{"account":"acct_1","id":"evt_1","object":"event"}"#);
        assert_eq!(with_account(&named, &connected), named);
        assert_eq!(
            with_account(r#"{"id":"evt_1","account":null}"#, &connected),
            r#"{"account":"acct_1","id":"evt_1"}"#
        );
        let data = r#"{"account":null,"data":{"b": 1.50, "a":2}}"#;
        assert!(
            with_account(data, &connected).contains(r#"{"b": 1.50, "a":2}"#),
            "what is inside stays as it is"
        );
    }
}
