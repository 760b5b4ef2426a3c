//! Compares an object as its record shows it with the object as Stripe returned it.
//!
//! Compared are the fields that both have, each whole and parsed, so that neither white space nor the order
//! of a map's keys counts. A field that only one has comes from the API version it was rendered in, and is no
//! change of the object: an event is rendered in its endpoint's version, a response in the pinned one.
//!
//! Two URLs at Stripe count as equal. Stripe signs those of receipts, invoices and vouchers anew in each
//! rendering: a `receipt_url` contains the second in which it was rendered.

use serde_json::Value;
use url::Url;

/// Returns the names of the fields that both objects have and that differ.
pub(crate) fn differing_fields(stored: &Value, fetched: &Value) -> Vec<String> {
    let (Some(stored), Some(fetched)) = (stored.as_object(), fetched.as_object()) else {
        return vec!["object".to_owned()];
    };
    let name_if_differing = |(name, fetched): (&String, &Value)| {
        stored.get(name).is_some_and(|stored| !is_same(stored, fetched)).then(|| name.clone())
    };
    fetched.iter().filter_map(name_if_differing).collect()
}

fn is_same(stored: &Value, fetched: &Value) -> bool {
    match (stored, fetched) {
        (Value::Object(stored), Value::Object(fetched)) => {
            let is_same_field = |(name, stored): (&String, &Value)| {
                fetched.get(name).is_some_and(|fetched| is_same(stored, fetched))
            };
            stored.len() == fetched.len() && stored.iter().all(is_same_field)
        }
        (Value::Array(stored), Value::Array(fetched)) => {
            stored.len() == fetched.len()
                && stored.iter().zip(fetched).all(|(stored, fetched)| is_same(stored, fetched))
        }
        (Value::String(stored), Value::String(fetched)) => {
            stored == fetched || is_stripe_url(stored) && is_stripe_url(fetched)
        }
        (stored, fetched) => stored == fetched,
    }
}

fn is_stripe_url(text: &str) -> bool {
    let Some(url) = text.starts_with("https://").then(|| Url::parse(text).ok()).flatten() else {
        return false;
    };
    url.host_str().is_some_and(|host| host == "stripe.com" || host.ends_with(".stripe.com"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_only_one_has_is_no_difference() {
        let stored = json!({ "id": "in_1", "status": "open", "paid": false, "total": 5 });
        let fetched = json!({ "total": 5, "status": "open", "payments": null, "id": "in_1" });
        assert!(differing_fields(&stored, &fetched).is_empty());
    }

    #[test]
    fn a_field_of_both_is_compared_whole_at_any_depth() {
        let stored = json!({
            "status": "open", "metadata": { "a": "1" }, "lines": { "data": [{ "amount": 5 }] }, "n": null,
        });
        for (field, value) in [
            ("status", json!("paid")),
            ("metadata", json!({})),
            ("metadata", json!({ "a": "1", "b": "2" })),
            ("lines", json!({ "data": [{ "amount": 6 }] })),
            ("lines", json!({ "data": [] })),
            ("n", json!(0)),
        ] {
            let mut fetched = stored.clone();
            fetched[field] = value;
            assert_eq!(differing_fields(&stored, &fetched), [field], "{fetched}");
        }
    }

    #[test]
    fn urls_that_stripe_signs_anew_are_no_difference_and_those_of_others_are() {
        let charge =
            |receipt: &str, page: &str| json!({ "receipt_url": receipt, "metadata": { "page": page } });
        let stored = charge("https://pay.stripe.com/receipts/a?s=ap", "https://example.com/a");
        let signed_anew = charge("https://pay.stripe.com/receipts/b", "https://example.com/a");
        assert!(differing_fields(&stored, &signed_anew).is_empty());
        for (receipt, page, field) in [
            ("https://pay.stripe.com.example/b", "https://example.com/a", "receipt_url"),
            ("https://pay.stripe.com/receipts/b", "https://example.com/b", "metadata"),
            ("", "https://example.com/a", "receipt_url"),
        ] {
            assert_eq!(differing_fields(&stored, &charge(receipt, page)), [field]);
        }
    }

    #[test]
    fn what_is_no_object_differs() {
        assert_eq!(differing_fields(&json!(null), &json!({})), ["object"]);
    }
}
