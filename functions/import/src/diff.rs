//! Compares an object as its record shows it with the object as Stripe returned it.
//!
//! Compared are the fields that both have, each whole and parsed, so that neither white space nor the order
//! of a map's keys counts. A field that only one has comes from the API version it was rendered in, and is no
//! change of the object: an event is rendered in its endpoint's version, a response in the pinned one.
//!
//! Two values are one where they are two renderings of one state ([`shared::order::comparable`]): members
//! that are null, and addresses that Stripe signs anew.

use serde_json::{Value, json};
use shared::order::comparable;

/// Returns the names of the fields that both objects have and that differ.
pub(crate) fn differing_fields(stored: &Value, fetched: &Value) -> Vec<String> {
    let (Some(stored), Some(fetched)) = (stored.as_object(), fetched.as_object()) else {
        return vec!["object".to_owned()];
    };
    let names = fetched.keys().filter(|name| stored.contains_key(*name));
    let differs = |name: &&String| {
        let (stored, fetched) = (&stored[*name], &fetched[*name]);
        let (stored, fetched) = beginnings(stored, fetched).unwrap_or((stored.clone(), fetched.clone()));
        // With its name: it says which texts are addresses.
        let field = |value: Value| comparable(&json!({ name.as_str(): value }));
        field(stored) != field(fetched)
    };
    names.filter(differs).cloned().collect()
}

/// The part that two lists both show, where one of them, or both, are the beginning of a longer one. None for
/// anything else: also where the longer one does not have more than is shown.
fn beginnings(stored: &Value, fetched: &Value) -> Option<(Value, Value)> {
    let has_more = |list: &Value| list["has_more"] == true;
    let (a, b) = (stored["data"].as_array()?, fetched["data"].as_array()?);
    let is_longer = match (has_more(stored), has_more(fetched)) {
        (true, true) => true,
        (false, true) => a.len() > b.len(),
        // A whole answer says how the list ends.
        (_, false) => false,
    };
    let shown = a.len().min(b.len());
    is_longer.then(|| (Value::from(&a[..shown]), Value::from(&b[..shown])))
}

#[cfg(test)]
mod tests {
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
    fn a_member_that_is_null_and_one_that_is_missing_are_no_difference() {
        let invoice = |metadata: Value| json!({ "parent": { "type": "x", "subscription_details": { "metadata": metadata } }, "n": 1 });
        for (stored, fetched) in
            [(json!({}), json!({ "a": null })), (json!(null), json!({})), (json!({ "a": null }), json!({}))]
        {
            assert!(differing_fields(&invoice(stored), &invoice(fetched)).is_empty());
        }
        assert_eq!(differing_fields(&invoice(json!({ "a": "1" })), &invoice(json!({}))), ["parent"]);
    }

    #[test]
    fn a_list_that_has_more_is_compared_with_the_beginning_of_the_longer_one() {
        let invoice = |amounts: &[i64], more: bool| {
            let data: Vec<Value> = amounts.iter().map(|amount| json!({ "amount": amount })).collect();
            json!({ "lines": { "object": "list", "data": data, "has_more": more, "url": "/v1" } })
        };
        for (stored, fetched, differs) in [
            // Whole, and the beginning of it.
            (invoice(&[1, 2, 3], false), invoice(&[1, 2], true), false),
            (invoice(&[1, 2, 3], false), invoice(&[1, 5], true), true),
            // It has become longer, or shorter.
            (invoice(&[1, 2], false), invoice(&[1, 2], true), true),
            (invoice(&[1], false), invoice(&[1, 2], true), true),
            (invoice(&[1, 2, 3], false), invoice(&[1, 2], false), true),
            // On the way to be whole.
            (invoice(&[1, 2, 3], true), invoice(&[1, 2], true), false),
            (invoice(&[1, 2], true), invoice(&[1, 2, 3], true), false),
            (invoice(&[1, 2], true), invoice(&[1, 4, 3], true), true),
            (invoice(&[1, 2], true), invoice(&[1, 2, 3], false), true),
        ] {
            let fields = differing_fields(&stored, &fetched);
            assert_eq!(!fields.is_empty(), differs, "{stored} {fetched}");
        }
    }

    #[test]
    fn what_is_no_object_differs() {
        assert_eq!(differing_fields(&json!(null), &json!({})), ["object"]);
    }
}
