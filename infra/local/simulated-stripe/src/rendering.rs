//! How Stripe writes an object: anew each time, so that two texts of one state differ.
//!
//! - The addresses that it signs hold the second of rendering, and that of a receipt random bytes too. So the
//!   object of an event, its `previous_attributes`, and each fetch and list have another.
//! - `id` and `object` come first, then all else: by name in deliveries, and the other way round in answers.
//!   Stripe promises no order.
//! - A `customer` is an id; in answers about every other object that names one it is the whole customer
//!   (expanded), where they are known here.
//! - Of a list that belongs to an object, such as the lines of an invoice, the object shows the first ten,
//!   and says that it has more; in events too.
//! - Half an emoji, which a system of the merchant's has cut, is sent as it was given: `"\ud83d"`. No text
//!   here can hold it; U+FFFD stands for it, which is also how it is read.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use shared::kind::Kind;

use crate::ids;

/// So many items of a list are shown in the object that it belongs to.
const ITEMS_SHOWN: usize = 10;

/// Signs the addresses of an object anew, in the second `now`.
pub(crate) fn sign_addresses(object: &mut Value, now: i64) {
    let Some(members) = object.as_object_mut() else { return };
    for (name, value) in members {
        let signature = match name.as_str() {
            "receipt_url" => format!("s=ap&t={now}{}", ids::fresh("_")),
            "hosted_invoice_url" | "invoice_pdf" => format!("s=ap&t={now}"),
            _ => continue,
        };
        if let Some(address) = value.as_str().filter(|address| is_at_stripe(address)) {
            let (address, _) = address.split_once('?').unwrap_or((address, ""));
            *value = json!(format!("{address}?{signature}"));
        }
    }
}

fn is_at_stripe(address: &str) -> bool {
    let host = address.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| host.ends_with(".stripe.com"))
}

/// Returns an object with its addresses signed anew.
pub(crate) fn signed(object: &Value, now: i64) -> Value {
    let mut object = object.clone();
    sign_addresses(&mut object, now);
    object
}

/// Leaves of the lists that belong to an object what the object shows of them.
pub(crate) fn cut_lists(kind: Kind, object: &mut Value) {
    for list in kind.own_lists() {
        let Some(shown) = object.get_mut(list.member) else { continue };
        if let Some(items) = shown["data"].as_array_mut().filter(|items| items.len() > ITEMS_SHOWN) {
            items.truncate(ITEMS_SHOWN);
            shown["has_more"] = json!(true);
        }
    }
}

/// Returns the text of a delivery: spread over lines, two spaces deep, `id` and `object` first.
pub(crate) fn delivery_text(value: &Value) -> String {
    text(&IdFirst { value, reversed: false })
}

/// Returns the text of an answer: the same with the other members the other way round.
pub(crate) fn answer_text(value: &Value) -> String {
    text(&IdFirst { value, reversed: true })
}

fn text(value: &IdFirst<'_>) -> String {
    // A value always serializes.
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\u{fffd}', "\\ud83d")
}

struct IdFirst<'a> {
    value: &'a Value,
    reversed: bool,
}

impl Serialize for IdFirst<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = |value| IdFirst { value, reversed: self.reversed };
        match self.value {
            Value::Object(members) => {
                const FIRST: [&str; 2] = ["id", "object"];
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for name in FIRST {
                    if let Some(value) = members.get(name) {
                        map.serialize_entry(name, &member(value))?;
                    }
                }
                let mut rest: Vec<_> =
                    members.iter().filter(|(name, _)| !FIRST.contains(&name.as_str())).collect();
                if self.reversed {
                    rest.reverse();
                }
                for (name, value) in rest {
                    map.serialize_entry(name, &member(value))?;
                }
                map.end()
            }
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.value.serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_comes_first_at_any_depth() {
        let value = json!({ "a": 1, "object": "list", "data": [{ "b": 2, "c": 3, "id": "x" }] });
        for (text, expected) in [
            (delivery_text(&value), r#"{"object":"list","a":1,"data":[{"id":"x","b":2,"c":3}]}"#),
            (answer_text(&value), r#"{"object":"list","data":[{"id":"x","c":3,"b":2}],"a":1}"#),
        ] {
            assert_eq!(text.split_whitespace().collect::<String>(), expected);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn half_an_emoji_is_written_as_such() {
        assert!(answer_text(&json!({ "name": "a\u{fffd}" })).contains(r#""a\ud83d""#));
    }

    #[test]
    fn addresses_at_stripe_are_signed_anew_and_others_stay() {
        let charge = json!({ "receipt_url": "https://pay.stripe.com/receipts/1?s=ap", "url": "https://pay.stripe.com/" });
        let (one, other) = (signed(&charge, 5), signed(&charge, 5));
        assert_ne!(one["receipt_url"], other["receipt_url"]);
        assert_eq!(one["url"], charge["url"]);
        let invoice =
            json!({ "invoice_pdf": "https://pay.stripe.com/invoice/1/pdf?s=em", "hosted_invoice_url": null });
        assert_eq!(signed(&invoice, 5), signed(&invoice, 5));
        assert_ne!(signed(&invoice, 5), signed(&invoice, 6));
        for other in ["https://example.com/a", ""] {
            assert_eq!(signed(&json!({ "receipt_url": other }), 5)["receipt_url"], other);
        }
    }
}
