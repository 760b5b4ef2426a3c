//! Is an object as its record says?
//!
//! Compared are the fields that both have, each whole and parsed, so that neither white space nor the order of a map's keys counts. A
//! field that only one has comes from the API version it was rendered in, and says nothing of the object: an event is rendered in its
//! endpoint's version, an answer in the pinned one.
//!
//! Two addresses at Stripe count as the same. It signs those of receipts, invoices and vouchers anew in each rendering: in a
//! `receipt_url` lies the second in which it was written.

use serde_json::Value;
use url::Url;

/// The fields that both have and that are not the same.
pub(crate) fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) else {
        return vec!["object".to_owned()];
    };
    let differs = |(field, theirs): (&String, &Value)| {
        ours.get(field).is_some_and(|ours| !same(ours, theirs)).then(|| field.clone())
    };
    theirs.iter().filter_map(differs).collect()
}

fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let in_both =
                |(field, ours): (&String, &Value)| theirs.get(field).is_some_and(|theirs| same(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(in_both)
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::String(ours), Value::String(theirs)) => {
            ours == theirs || is_stripes_address(ours) && is_stripes_address(theirs)
        }
        (ours, theirs) => ours == theirs,
    }
}

fn is_stripes_address(text: &str) -> bool {
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
    fn what_only_one_has_comes_from_its_version() {
        let ours = json!({ "id": "in_1", "status": "open", "paid": false, "total": 5 });
        let theirs = json!({ "total": 5, "status": "open", "payments": null, "id": "in_1" });
        assert!(differences(&ours, &theirs).is_empty());
    }

    #[test]
    fn a_field_of_both_is_compared_whole_at_any_depth() {
        let ours = json!({ "status": "open", "metadata": { "a": "1" }, "lines": { "data": [{ "amount": 5 }] }, "n": null });
        for (field, value) in [
            ("status", json!("paid")),
            ("metadata", json!({})),
            ("metadata", json!({ "a": "1", "b": "2" })),
            ("lines", json!({ "data": [{ "amount": 6 }] })),
            ("lines", json!({ "data": [] })),
            ("n", json!(0)),
        ] {
            let mut theirs = ours.clone();
            theirs[field] = value;
            assert_eq!(differences(&ours, &theirs), [field], "{theirs}");
        }
    }

    #[test]
    fn addresses_that_stripe_signs_anew_are_no_difference_and_those_of_others_are() {
        let of = |receipt: &str, page: &str| json!({ "receipt_url": receipt, "metadata": { "page": page } });
        let ours = of("https://pay.stripe.com/receipts/a?s=ap", "https://example.com/a");
        assert!(
            differences(&ours, &of("https://pay.stripe.com/receipts/b", "https://example.com/a")).is_empty()
        );
        for (receipt, page, field) in [
            ("https://pay.stripe.com.example/b", "https://example.com/a", "receipt_url"),
            ("https://pay.stripe.com/receipts/b", "https://example.com/b", "metadata"),
            ("", "https://example.com/a", "receipt_url"),
        ] {
            assert_eq!(differences(&ours, &of(receipt, page)), [field]);
        }
    }

    #[test]
    fn what_is_no_object_differs() {
        assert_eq!(differences(&json!(null), &json!({})), ["object"]);
    }
}
