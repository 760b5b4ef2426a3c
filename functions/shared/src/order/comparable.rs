//! When two renderings show one state of an object.
//!
//! Stripe renders one state in more than one way, also within one version of its API:
//!
//! - *Null and missing.* `previous_attributes` writes null for every key that a change has added, in any map.
//!   So members that are null count as missing, at any depth, and so does a map that has no other members:
//!   `{}`, `{"a": null}`, null and no member at all are one.
//! - *Addresses that Stripe signs.* A `receipt_url` contains random bytes and the second of rendering, and a
//!   `hosted_invoice_url` and an `invoice_pdf` the second. So of an address at Stripe only counts that there
//!   is one. `metadata` is the merchant's: there each text counts.
//! - *Whose it is.* A `customer` is an id, or the customer's whole object (expanded). What that object says
//!   is no state of what names it.
//!
//! In a list each element has its place, so a null or an empty map in one counts.

use serde_json::{Map, Value};

use crate::kind::reference_id;

/// What stands for every address that Stripe signs.
const STRIPE_ADDRESS: &str = "https://stripe.com";

/// Returns an object without what differs between two renderings of one state: two objects are in one state
/// if this is equal of both. It is for comparing only.
pub fn comparable(object: &Value) -> Value {
    // What is left of an object without members is still an object.
    without_rendering(object, None).unwrap_or_else(|| Value::Object(Map::new()))
}

/// Returns what counts of a member of this name; none if that is nothing. The name is none inside `metadata`.
fn without_rendering(value: &Value, name: Option<&str>) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(_) if name == Some("customer") && value["object"] == "customer" => {
            reference_id(value).map(Value::from)
        }
        Value::Object(members) => {
            let counts = members.iter().filter_map(|(member, value)| {
                let name = if name == METADATA { None } else { Some(member.as_str()) };
                Some((member.clone(), without_rendering(value, name)?))
            });
            let counts: Map<String, Value> = counts.collect();
            (!counts.is_empty()).then_some(Value::Object(counts))
        }
        Value::Array(elements) => {
            let counts = elements
                .iter()
                .map(|element| without_rendering(element, name).unwrap_or_else(|| empty(element)));
            Some(Value::Array(counts.collect()))
        }
        Value::String(text) if name.is_some_and(is_address_name) && is_at_stripe(text) => {
            Some(STRIPE_ADDRESS.into())
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(value.clone()),
    }
}

const METADATA: Option<&str> = Some("metadata");

/// An element of a list of which nothing counts but its place.
fn empty(element: &Value) -> Value {
    if element.is_null() { Value::Null } else { Value::Object(Map::new()) }
}

/// Such as `receipt_url`, `invoice_pdf`, `image_url_png` or `url`.
fn is_address_name(name: &str) -> bool {
    name.split('_').any(|word| matches!(word, "url" | "pdf"))
}

fn is_at_stripe(text: &str) -> bool {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| {
        let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        is_plain && (host == "stripe.com" || host.ends_with(".stripe.com"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_one(a: &Value, b: &Value) -> bool {
        comparable(a) == comparable(b)
    }

    #[test]
    fn null_missing_and_an_empty_map_are_one_at_any_depth() {
        for (a, b) in [
            (json!({ "a": 1, "n": null }), json!({ "a": 1 })),
            (json!({ "metadata": {} }), json!({ "metadata": null })),
            (json!({ "fraud_details": { "user_report": null } }), json!({ "fraud_details": {} })),
            (
                json!({ "parent": { "subscription_details": { "metadata": { "k": null }, "subscription": "sub_1" } } }),
                json!({ "parent": { "subscription_details": { "metadata": {}, "subscription": "sub_1" } } }),
            ),
            (json!({ "list": [{ "a": 1, "b": null }] }), json!({ "list": [{ "a": 1 }] })),
            (json!({ "a": { "b": { "c": null } } }), json!({})),
        ] {
            assert!(is_one(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn values_places_in_lists_and_what_says_something_count() {
        for (a, b) in [
            (json!({ "a": 0 }), json!({})),
            (json!({ "a": false }), json!({ "a": null })),
            (json!({ "a": "" }), json!({ "a": null })),
            (json!({ "a": [] }), json!({ "a": null })),
            (json!({ "a": [null] }), json!({ "a": [] })),
            (json!({ "a": [{}] }), json!({ "a": [null] })),
            (json!({ "a": [1, 2] }), json!({ "a": [2, 1] })),
        ] {
            assert!(!is_one(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn an_address_that_stripe_signs_is_one_however_it_is_signed() {
        let receipt = |url: &str| json!({ "receipt_url": url });
        let signed = receipt("https://pay.stripe.com/receipts/payment/CAcaFw_1?s=ap");
        assert!(is_one(&signed, &receipt("https://pay.stripe.com/receipts/payment/CAcaFw_2")));
        for other in
            ["https://pay.stripe.com.example/1", "https://x@pay.stripe.com/1", "http://pay.stripe.com/1", ""]
        {
            assert!(!is_one(&signed, &receipt(other)), "{other}");
        }
        assert!(!is_one(&signed, &json!({ "receipt_url": null })), "there is one, or there is none");
        let pdf = |url: &str| json!({ "invoice_pdf": url, "lines": [{ "image_url_png": url }] });
        assert!(is_one(&pdf("https://pay.stripe.com/a"), &pdf("https://files.stripe.com/b")));
    }

    #[test]
    fn a_customer_is_one_whether_it_is_expanded_or_not() {
        let naming = |customer: Value| json!({ "amount": 5, "customer": customer });
        let expanded = |id: &str, name: &str| naming(json!({ "id": id, "object": "customer", "name": name }));
        assert!(is_one(&naming(json!("cus_1")), &expanded("cus_1", "a")));
        assert!(is_one(&expanded("cus_1", "b"), &expanded("cus_1", "a")));
        assert!(!is_one(&naming(json!("cus_2")), &expanded("cus_1", "a")));
        assert!(!is_one(&naming(Value::Null), &expanded("cus_1", "a")));
        let customer = |name: &str| json!({ "object": "customer", "id": "cus_1", "name": name });
        assert!(!is_one(&customer("a"), &customer("b")), "of its own state all counts");
        let metadata = |text: &str| json!({ "metadata": { "customer": text } });
        assert!(!is_one(&metadata("a"), &metadata("b")));
    }

    #[test]
    fn what_the_merchant_wrote_counts_whole() {
        for member in ["metadata", "description"] {
            let wrote = |text: &str| json!({ member: { "url": text } });
            let is_metadata = member == "metadata";
            assert_eq!(
                !is_one(&wrote("https://dashboard.stripe.com/a"), &wrote("https://dashboard.stripe.com/b")),
                is_metadata
            );
        }
        let described = |text: &str| json!({ "description": text });
        assert!(!is_one(&described("https://stripe.com/a"), &described("https://stripe.com/b")));
    }
}
