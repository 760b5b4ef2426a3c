//! Stripe's event envelope, read with as little work as possible and as much tolerance as is safe.
//!
//! What is needed to keep an event is its `id`; what is needed to apply it is the rest. So reading has three
//! ends: read, kept but unreadable (somebody looks at it), or no event at all. Fields that are not named here
//! are kept in the payload, untouched. A field that comes twice is unreadable: two readers could see two
//! different events. A byte order mark before the body is no part of it, though it is signed and kept.

mod id;
mod preview;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::id::{EventId, InvalidEventId};
use self::preview::Preview;

use crate::event_type;
use crate::kind::Kind;
use crate::lossy_json;
use crate::mode::Mode;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixSeconds;

/// An event that could be read.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Stripe's id, `evt_…`; the same in every delivery of it.
    pub id: EventId,
    /// Such as `invoice.paid`.
    pub event_type: Cow<'a, str>,
    /// When Stripe made it.
    pub created: UnixSeconds,
    /// Test or live.
    pub mode: Mode,
    /// The version its `data` is rendered in; none in events from before 2014.
    pub api_version: Option<Cow<'a, str>>,
    /// The connected account it happened in, `acct_…`; none for our own.
    pub account: Option<Cow<'a, str>>,
    /// `data.object` as sent.
    pub object: &'a RawValue,
    /// `data.previous_attributes` as sent.
    pub previous_attributes: Option<&'a RawValue>,
    /// What `data.object` says it is; none if it says nothing that can be read, which matters only for types
    /// that are applied.
    head: Option<Head<'a>>,
}

/// What a body turned out to be.
#[derive(Debug)]
pub enum ParsedEvent<'a> {
    /// An event.
    Event(Box<Event<'a>>),
    /// It has an id, so it is kept; the reason says what could not be read.
    Unreadable {
        /// Its id.
        id: EventId,
        /// Why, in words for an admin.
        reason: String,
    },
    /// No JSON object, or none with a usable `id`: there is nothing under which it could be kept.
    NotAnEvent(EventError),
}

impl ParsedEvent<'_> {
    /// Stripe's word for what the event is about; empty where that cannot be read.
    pub fn object_name(&self) -> &str {
        match self {
            Self::Event(event) => event.head.as_ref().map_or("", |head| &head.object),
            Self::Unreadable { .. } | Self::NotAnEvent(_) => "",
        }
    }
}

/// Why a body is no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON, or not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// No `id`, or not one text.
    #[error("the body has no `id` that is one text of 1 to 255 visible ASCII characters")]
    NoId,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: EventId,
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    created: UnixSeconds,
    livemode: bool,
    #[serde(borrow, default)]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    account: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
    #[serde(borrow, default)]
    previous_attributes: Option<&'a RawValue>,
}

#[derive(Debug, Clone, Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct OnlyId {
    id: EventId,
}

#[derive(Deserialize)]
struct OnlyObject<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
}

/// Reads the body of a delivery.
pub fn read(body: &[u8]) -> ParsedEvent<'_> {
    let body = without_byte_order_mark(body);
    match parse(body) {
        Ok(event) => ParsedEvent::Event(Box::new(event)),
        Err(reason) => unreadable(body, reason),
    }
}

/// A JSON body without the byte order mark that a proxy or an editor may have put before it. RFC 8259,
/// section 8.1, lets a reader pass over it.
pub fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn parse(body: &[u8]) -> Result<Event<'_>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let envelope: Envelope<'_> = object(text, "the body")?;
    if envelope.object != "event" {
        return Err(format!("`object` is `{}`, not `event`", envelope.object));
    }
    let data: Data<'_> = object(envelope.data.get(), "data")?;
    let head = match object(data.object.get(), "data.object") {
        Ok(head) => Some(head),
        Err(reason) if event_type::is_applied(&envelope.event_type) => return Err(reason),
        Err(_) => None,
    };
    Ok(Event {
        id: envelope.id,
        event_type: envelope.event_type,
        created: envelope.created,
        mode: Mode::from_livemode(envelope.livemode),
        api_version: envelope.api_version,
        account: envelope.account,
        object: data.object,
        previous_attributes: data.previous_attributes,
        head,
    })
}

/// Reads a JSON object. serde would also take a list for a struct, field by field.
fn object<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err(format!("{what} is not a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| format!("{what}: {error}"))
}

fn unreadable(body: &[u8], reason: String) -> ParsedEvent<'_> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return ParsedEvent::NotAnEvent(EventError::NotAnObject);
    }
    match serde_json::from_slice::<OnlyId>(body) {
        Ok(OnlyId { id }) => {
            let thin = serde_json::from_slice::<OnlyObject<'_>>(body)
                .is_ok_and(|only| only.object == "v2.core.event");
            let reason = if thin {
                "a thin event (v2.core.event): the endpoint at Stripe must send snapshot events".to_owned()
            } else {
                reason
            };
            ParsedEvent::Unreadable { id, reason }
        }
        Err(error) if error.is_data() => ParsedEvent::NotAnEvent(EventError::NoId),
        Err(_) => ParsedEvent::NotAnEvent(EventError::NotAnObject),
    }
}

impl<'a> Event<'a> {
    /// Which object it is about, by `data.object` itself. None for a preview (`invoice.upcoming`), which has
    /// no id or one that names nothing, and for an id that cannot be a key.
    pub fn subject(&self) -> Option<ObjectKey> {
        let head = self.head.as_ref()?;
        let is_preview = head.object == Kind::INVOICE.object()
            && head.id.as_deref().is_some_and(|id| id.starts_with("upcoming_in_"));
        let id = head.id.as_deref().filter(|_| !is_preview)?;
        ObjectKey::new(self.account.as_deref(), &head.object, id).ok()
    }

    /// Under which object the event is listed: its subject, or for a preview the subscription or else the
    /// customer it is for.
    pub fn listed_under(&self) -> Option<ObjectKey> {
        self.subject().or_else(|| self.previewed().into_iter().next())
    }

    /// What it is listed under as well: for a preview of a subscription's invoice, the customer.
    pub fn also_listed_under(&self) -> Option<ObjectKey> {
        if self.subject().is_some() { None } else { self.previewed().into_iter().nth(1) }
    }

    fn previewed(&self) -> Vec<ObjectKey> {
        let preview = lossy_json::from_str::<Preview>(self.object.get());
        let owners = preview.map(Preview::belongs_to).unwrap_or_default();
        let key =
            |(kind, id): (Kind, String)| ObjectKey::new(self.account.as_deref(), kind.object(), &id).ok();
        owners.into_iter().filter_map(key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> Event<'_> {
        let ParsedEvent::Event(event) = read(body.as_bytes()) else { panic!("unreadable: {body}") };
        *event
    }

    fn body(more: &str) -> String {
        format!(
            r#"{{"id":"evt_1","object":"event","type":"charge.refund.updated","created":5,"livemode":false,
                 "data":{{"object":{{"object":"refund","id":"re_1"}}}}{more}}}"#
        )
    }

    #[test]
    fn the_subject_has_the_id_that_a_merchant_chose() {
        for id in ["acme/42", "50%25", "user 7", "gid://shop/Customer/1", "upcoming_in_x"] {
            let body_of = |object: &str| {
                format!(
                    r#"{{"id":"evt_1","object":"event","type":"customer.updated","created":5,"livemode":false,
                         "data":{{"object":{{"object":"{object}","id":"{id}"}}}}}}"#
                )
            };
            let body = body_of("customer");
            assert_eq!(event(&body).subject().unwrap().id(), id);
            assert_eq!(event(&body).listed_under(), event(&body).subject());
            let preview = body_of("invoice");
            assert_eq!(event(&preview).subject().is_none(), id.starts_with("upcoming_in_"), "{id}");
        }
    }

    #[test]
    fn the_subject_is_what_the_object_says_not_what_the_type_says() {
        let own = body("");
        assert_eq!(event(&own).subject().unwrap().to_string(), "-/refund/re_1");
        let connected = body(r#","account":"acct_1""#);
        assert_eq!(event(&connected).subject().unwrap().to_string(), "acct_1/refund/re_1");
    }

    #[test]
    fn every_sample_event_of_stripe_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let event = event(&text);
            assert_eq!(event.mode, Mode::Test);
            assert_eq!(event.subject().is_none(), event.event_type == "invoice.upcoming");
            assert!(event.listed_under().is_some());
            seen += 1;
        }
        assert_eq!(seen, Kind::all().flat_map(Kind::event_types).count());
    }

    #[test]
    fn what_has_an_id_is_kept_whatever_else_is_wrong() {
        for text in [
            r#"{"id":"evt_1"}"#.to_owned(),
            r#"{"id":"evt_1","object":"v2.core.event","created":"2026-01-01T00:00:00Z"}"#.to_owned(),
            body("").replace("\"event\"", "\"thing\""),
            body("").replace(r#""created":5"#, r#""created":"5""#),
            body("").replace(r#""created":5"#, r#""created":5,"created":6"#),
            body("").replace(r#"{"object":"refund","id":"re_1"}"#, "7"),
            body("").replace(r#"{"object":"refund","id":"re_1"}"#, r#"["refund","re_1"]"#),
            body("").replace(
                r#"{"object":{"object":"refund","id":"re_1"}}"#,
                r#"[{"object":"refund","id":"re_1"}]"#,
            ),
            body("").replace(r#""id":"re_1""#, r#""id":"re_1","id":"re_2""#),
        ] {
            let ParsedEvent::Unreadable { id, .. } = read(text.as_bytes()) else {
                panic!("not kept: {text}")
            };
            assert_eq!(id.as_str(), "evt_1");
        }
    }

    #[test]
    fn what_has_no_single_id_is_no_event() {
        for text in [
            "",
            "[]",
            "null",
            "{",
            "{}",
            r#"{"id":7}"#,
            r#"{"id":""}"#,
            r#"{"id":"a b"}"#,
            r#"{"id":"a","id":"b"}"#,
            "\"evt_1\"",
            r#"["evt_1"]"#,
            "{\"id\":\"evt_1\"} x",
        ] {
            assert!(matches!(read(text.as_bytes()), ParsedEvent::NotAnEvent(_)), "{text}");
        }
        assert!(matches!(read(b"{\"id\":\"evt_\xff\"}"), ParsedEvent::NotAnEvent(_)));
    }

    #[test]
    fn a_byte_order_mark_before_the_body_is_passed_over() {
        let marked = format!("\u{feff}{}", body(""));
        assert_eq!(event(&marked).id.as_str(), "evt_1");
        assert!(matches!(read("\u{feff}{\"id\":\"evt_1\"}".as_bytes()), ParsedEvent::Unreadable { .. }));
        assert!(matches!(read("\u{feff}".as_bytes()), ParsedEvent::NotAnEvent(_)));
    }

    #[test]
    fn an_unknown_type_is_read_whatever_its_object_looks_like() {
        for object in ["7", r#"{"id":7}"#, "[]"] {
            let text = body("").replace("charge.refund.updated", "something.new");
            let text = text.replace(r#"{"object":"refund","id":"re_1"}"#, object);
            let event = event(&text);
            assert!(event.subject().is_none() && event.listed_under().is_none());
        }
    }

    #[test]
    fn a_preview_is_listed_under_its_subscription_and_its_customer() {
        let listed_under = |object: &str| {
            let text = body("").replace(r#"{"object":"refund","id":"re_1"}"#, object);
            let event = event(&text);
            let keys = [event.listed_under(), event.also_listed_under()];
            (
                event.subject().is_some(),
                keys.into_iter().flatten().map(|key| key.to_string()).collect::<Vec<_>>(),
            )
        };
        let under = |keys: &[&str]| (false, keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert_eq!(listed_under(r#"{"object":"invoice","customer":"cus_1"}"#), under(&["-/customer/cus_1"]));
        assert_eq!(
            listed_under(
                r#"{"object":"invoice","id":"upcoming_in_1","customer":{"id":"cus_1","object":"customer"},"subscription":"sub_1"}"#
            ),
            under(&["-/subscription/sub_1", "-/customer/cus_1"])
        );
        assert_eq!(
            listed_under(
                r#"{"object":"invoice","parent":{"subscription_details":{"subscription":{"id":"sub_2"}}}}"#
            ),
            under(&["-/subscription/sub_2"])
        );
        assert_eq!(
            listed_under(r#"{"object":"invoice","customer":{"id":"cus_1","name":"\ud83d"}}"#),
            under(&["-/customer/cus_1"]),
            "half an emoji"
        );
        assert_eq!(listed_under(r#"{"object":"invoice"}"#), under(&[]));
    }
}
