//! Which listed events an endpoint of ours wants, and the row that each gets in the ledger.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::value::RawValue;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::event::{self, Event, ParsedEvent};
use shared::ledger::{EventSource, LedgerRow};
use shared::payload;

use crate::ReconcileError;

const A_DAY: i64 = 86_400;

/// Which endpoint wants which events.
pub(super) struct Wanted<'a>(Vec<(&'a EndpointRow, BTreeSet<&'a str>)>);

impl<'a> Wanted<'a> {
    /// Those that are to hear: an admin has told a disabled one not to.
    pub(super) fn by(rows: &'a [EndpointRow]) -> Self {
        let hears = |row: &&EndpointRow| row.state.takes_deliveries() && row.state != EndpointState::Disabled;
        let of = |row: &'a EndpointRow| (row, row.spec.events.iter().map(String::as_str).collect());
        Self(rows.iter().filter(hears).map(of).collect())
    }

    pub(super) fn any(&self, connect: bool) -> bool {
        self.0.iter().any(|(row, _)| row.spec.connect == connect)
    }

    /// When the first of them was registered, in unix seconds.
    pub(super) fn since(&self, connect: bool) -> Option<i64> {
        self.0
            .iter()
            .filter(|(row, _)| row.spec.connect == connect)
            .map(|(row, _)| row.created_at / 1_000)
            .min()
    }

    /// The endpoints that want this event, of an account compared up to `compared` so far. An endpoint that is registered anew
    /// wants what was made since then too, for a day at most: nobody meant to lose that. A change of it takes nothing away.
    fn who(&self, event: &Event<'_>, compared: Option<i64>) -> Vec<&'a EndpointRow> {
        let since = |row: &EndpointRow| {
            let registered = row.created_at / 1_000;
            compared.map_or(registered, |compared| registered.min(compared.max(registered - A_DAY)))
        };
        let wants = |(row, types): &&(&EndpointRow, BTreeSet<&str>)| {
            row.spec.connect == event.account.is_some()
                && types.contains(event.event_type.as_ref())
                && event.created >= since(row)
        };
        self.0.iter().filter(wants).map(|(row, _)| *row).collect()
    }

    /// The endpoint under whose name is kept what names none: the first that hears this kind of account.
    fn any_name(&self, connect: bool) -> &str {
        self.0.iter().find(|(row, _)| row.spec.connect == connect).map_or("-", |(row, _)| row.name.as_str())
    }

    /// The row of a listed event, and the endpoints that want it; none if none does. One that cannot be read is set aside, because
    /// nobody can tell whether it is wanted.
    pub(super) fn row(
        &self,
        body: &str,
        account: Option<&str>,
        compared: Option<i64>,
        now: Timestamp,
    ) -> Result<Option<(LedgerRow, Vec<&'a EndpointRow>)>, ReconcileError> {
        let packed = || payload::pack(body.as_bytes()).map_err(ReconcileError::Packing);
        let (row, endpoints) = match event::read(body.as_bytes()) {
            ParsedEvent::Event(event) => {
                let endpoints = self.who(&event, compared);
                let Some(first) = endpoints.first() else { return Ok(None) };
                (LedgerRow::of(&event, first.name.as_str(), now, packed()?), endpoints)
            }
            ParsedEvent::Unreadable { id, reason } => {
                let name = self.any_name(account.is_some());
                (LedgerRow::unreadable(id, reason, name, now, packed()?), Vec::new())
            }
            ParsedEvent::EventError(why) => {
                tracing::error!(error = %why, "Stripe lists something that is no event");
                return Ok(None);
            }
        };
        Ok(Some((row.brought_by(EventSource::Reconcile), endpoints)))
    }
}

/// An event as a delivery would bring it: what is listed for a connected account need not name it.
pub(super) fn of_account<'a>(listed: &'a str, account: Option<&str>) -> Cow<'a, str> {
    let Some(account) = account else { return Cow::Borrowed(listed) };
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
        let listed = r#"{"id":"evt_1","object":"event"}"#;
        assert_eq!(of_account(listed, None), listed);
        let named = of_account(listed, Some("acct_1"));
        assert_eq!(named, r#"{"account":"acct_1","id":"evt_1","object":"event"}"#);
        assert_eq!(of_account(&named, Some("acct_1")), named);
        assert_eq!(
            of_account(r#"{"id":"evt_1","account":null}"#, Some("acct_1")),
            r#"{"account":"acct_1","id":"evt_1"}"#
        );
        let data = r#"{"account":null,"data":{"b": 1.50, "a":2}}"#;
        assert!(
            of_account(data, Some("acct_1")).contains(r#"{"b": 1.50, "a":2}"#),
            "what is inside stays as it is"
        );
    }
}
