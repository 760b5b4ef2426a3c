//! What is left of an object once the person is erased from it: what names nobody, so that sums, states and
//! links stay right.
//!
//! Kept are numbers, flags and null; the ids of Stripe's own objects; and words out of a fixed set, such as a
//! status or a currency. Of maps and lists only those are kept from which sums or links are derived, each
//! reduced in the same way. Everything else goes, also what Stripe adds later: `metadata`, addresses, names,
//! descriptions, URLs.
//!
//! The rule: reducing twice is reducing once, so that a reduced state and a new one can be compared.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::kind::Kind;

/// Keys whose text names another object at Stripe, or the object itself, beside those of the table of kinds.
/// Expanded, the object is reduced.
const REFERENCES: [&str; 20] = [
    "application",
    "balance_transaction",
    "charge",
    "customer",
    "destination",
    "dispute",
    "failure_balance_transaction",
    "id",
    "invoice",
    "latest_charge",
    "latest_invoice",
    "on_behalf_of",
    "payment_intent",
    "released_subscription",
    "schedule",
    "source_transfer_reversal",
    "subscription",
    "test_clock",
    "transfer",
    "transfer_reversal",
];

/// The keys by which kinds of record name others.
static REFERENCES_OF_KINDS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let named = Kind::all().flat_map(|kind| kind.references().iter().chain(kind.part_of()));
    named.filter_map(|reference| reference.member.rsplit('.').next()).collect()
});

/// Keys whose text is a word of Stripe's own.
const WORDS: [&str; 22] = [
    "billing_reason",
    "cancellation_reason",
    "capture_method",
    "code",
    "collection_method",
    "confirmation_method",
    "currency",
    "decline_code",
    "default_currency",
    "failure_code",
    "failure_reason",
    "object",
    "payment_status",
    "pending_reason",
    "proration_behavior",
    "reason",
    "reporting_category",
    "setup_future_usage",
    "status",
    "submit_type",
    "tax_exempt",
    "type",
];

/// Maps from which sums, states and links are derived: what an invoice payment names, why a payment failed,
/// an invoice's subscription and when it was paid, how much is granted, and lists that older API versions
/// embed.
const MAPS: [&str; 11] = [
    "amount",
    "charges",
    "credit",
    "debit",
    "last_payment_error",
    "monetary",
    "parent",
    "payment",
    "payments",
    "status_transitions",
    "subscription_details",
];

/// The lists that are kept: of the objects embedded in one of [`MAPS`], and what a dispute took from the
/// balance.
const LISTS: [&str; 2] = ["balance_transactions", "data"];

/// Longer than any word of Stripe's.
const LONGEST_WORD: usize = 64;

/// Returns the object without what could name a person.
pub fn reduced(object: &Value) -> Value {
    match object {
        Value::Object(fields) => Value::Object(reduced_fields(fields)),
        // An object of Stripe's is a map.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Value::Null,
    }
}

fn reduced_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    // The `code` of an error is a word of Stripe's; that of an object, such as a promotion code, is not.
    let is_somebodys = |key: &str| key == "code" && fields.contains_key("object");
    let kept = |(key, value): (&String, &Value)| Some((key.clone(), reduced_field(key, value)?));
    fields.iter().filter(|(key, _)| !is_somebodys(key)).filter_map(kept).collect()
}

fn reduced_field(key: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let is_kept = is_reference(key) || WORDS.contains(&key) && is_word(text);
            is_kept.then(|| value.clone())
        }
        Value::Object(fields) if is_reference(key) || MAPS.contains(&key) => {
            Some(Value::Object(reduced_fields(fields)))
        }
        Value::Array(objects) if LISTS.contains(&key) => Some(objects.iter().map(reduced).collect()),
        Value::Object(_) | Value::Array(_) => None,
    }
}

fn is_reference(key: &str) -> bool {
    REFERENCES.contains(&key) || REFERENCES_OF_KINDS.contains(key)
}

/// Whether a text can be a word of Stripe's: `past_due`, `usd`.
fn is_word(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(is_of_word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_goes_and_the_money_stays() {
        let charge = json!({
            "id": "ch_1", "object": "charge", "amount": 2000, "captured": true, "created": 5, "currency": "usd",
            "status": "succeeded", "customer": "cus_1", "payment_intent": "pi_1", "failure_message": null,
            "description": "Order of Ann Smith", "receipt_email": "ann@example.com",
            "billing_details": { "name": "Ann Smith", "address": { "postal_code": "10115" } },
            "metadata": { "type": "ann", "status": "ann", "id": "ann" },
            "payment_method_details": { "card": { "last4": "4242", "exp_year": 2030 }, "type": "card" },
            "fraud_details": { "user_report": "safe" }, "receipt_url": "https://pay.stripe.com/receipts/ann",
            "something_new": "Ann", "refunds": { "data": [{ "id": "re_1", "reason": "requested_by_customer" }] },
        });
        let left = json!({
            "id": "ch_1", "object": "charge", "amount": 2000, "captured": true, "created": 5, "currency": "usd",
            "status": "succeeded", "customer": "cus_1", "payment_intent": "pi_1", "failure_message": null,
        });
        assert_eq!(reduced(&charge), left);
        assert_eq!(reduced(&left), left);
    }

    #[test]
    fn what_sums_and_links_are_derived_from_stays() {
        let payment = json!({
            "id": "pi_1", "object": "payment_intent", "customer": { "id": "cus_1", "email": "ann@example.com" },
            "last_payment_error": { "code": "card_declined", "message": "Ann's card", "payment_method": { "id": "pm_1" } },
            "charges": { "object": "list", "url": "/v1/charges?customer=cus_1", "data": [{ "id": "ch_1", "amount": 7, "description": "Ann" }] },
        });
        let left = json!({
            "id": "pi_1", "object": "payment_intent", "customer": { "id": "cus_1" },
            "last_payment_error": { "code": "card_declined", "payment_method": { "id": "pm_1" } },
            "charges": { "object": "list", "data": [{ "id": "ch_1", "amount": 7 }] },
        });
        assert_eq!(reduced(&payment), left);
        let invoice_payment =
            json!({ "id": "inpay_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } });
        assert_eq!(reduced(&invoice_payment), invoice_payment);
        let invoice = json!({
            "id": "in_1", "status_transitions": { "paid_at": 5 },
            "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1", "metadata": { "name": "Ann" } } },
        });
        let left = json!({
            "id": "in_1", "status_transitions": { "paid_at": 5 },
            "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1" } },
        });
        assert_eq!(reduced(&invoice), left);
    }

    #[test]
    fn the_code_of_a_promotion_goes_and_that_of_an_error_stays() {
        let promotion =
            json!({ "object": "promotion_code", "id": "promo_1", "code": "maria20", "active": true });
        assert_eq!(
            reduced(&promotion),
            json!({ "object": "promotion_code", "id": "promo_1", "active": true })
        );
        let payment =
            json!({ "object": "payment_intent", "last_payment_error": { "code": "card_declined" } });
        assert_eq!(reduced(&payment), payment);
    }

    #[test]
    fn of_a_transaction_of_a_balance_the_texts_go_and_the_sums_stay() {
        let transaction = json!({
            "id": "cbtxn_1", "object": "customer_balance_transaction", "amount": -5, "ending_balance": -5,
            "currency": "usd", "type": "adjustment", "customer": "cus_1", "invoice": "in_1", "credit_note": "cn_1",
            "checkout_session": "cs_1", "description": "for Ann Smith", "metadata": { "name": "Ann" },
        });
        let left = json!({
            "id": "cbtxn_1", "object": "customer_balance_transaction", "amount": -5, "ending_balance": -5,
            "currency": "usd", "type": "adjustment", "customer": "cus_1", "invoice": "in_1", "credit_note": "cn_1",
            "checkout_session": "cs_1",
        });
        assert_eq!(reduced(&transaction), left);
    }

    #[test]
    fn a_text_that_is_no_word_of_stripes_goes() {
        for text in ["Ann Smith", "ann@example.com", "", "ANN", "+49 30 1234"] {
            assert_eq!(reduced(&json!({ "reason": text })), json!({}), "{text}");
        }
        assert_eq!(reduced(&json!({ "reason": "fraudulent" })), json!({ "reason": "fraudulent" }));
        assert_eq!(reduced(&json!("Ann")), Value::Null);
    }

    #[test]
    fn no_text_of_a_sample_is_left_but_ids_and_words() {
        fn texts(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::String(text) => found.push(text.clone()),
                Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
                Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let event: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let object = &event["data"]["object"];
            let left = reduced(object);
            for field in ["id", "object", "status", "currency", "customer", "amount", "created"] {
                assert_eq!(left.get(field), object.get(field), "{field} of {}", event["type"]);
            }
            let mut found = Vec::new();
            texts(&left, &mut found);
            for text in found {
                let is_id = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
                assert!(is_id, "`{text}` of {}", event["type"]);
            }
            seen += 1;
        }
        assert!(seen > 0);
    }
}
