//! The life cycle of one customer: all six groups of events, linked as Stripe links them.
//!
//! The samples are all about the same few objects. Each life cycle gives those objects fresh ids wherever
//! they are named, so that two of them share no object, and has a second payment that ends in a dispute.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::emit::{NewEvent, emit};
use crate::samples::sample;
use crate::state::StripeState;

/// The ids of one customer's life cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomerLifecycle {
    /// The customer.
    pub customer: String,
    /// The subscription, which becomes active.
    pub subscription: String,
    /// The invoice, paid by the first payment.
    pub invoice: String,
    /// The link between invoice and payment.
    pub invoice_payment: String,
    /// The first payment, refunded in the end.
    pub payment_intent: String,
    /// Its charge.
    pub charge: String,
    /// Its refund, in full.
    pub refund: String,
    /// The second payment, disputed in the end.
    pub disputed_payment_intent: String,
    /// Its charge.
    pub disputed_charge: String,
    /// The dispute, which waits for evidence.
    pub dispute: String,
    /// The events' ids, in the order in which they happened.
    pub events: Vec<String>,
}

const FIRST_PAYMENT: &[&str] = &[
    "customer.created",
    "customer.subscription.created",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
    "customer.subscription.updated",
    "refund.created",
    "refund.updated",
    "charge.refunded",
];

const SECOND_PAYMENT: &[&str] = &[
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
];

/// Emits the events, one second apart, the last one now.
pub(crate) fn emit_customer_lifecycle(state: &mut StripeState, account: Option<&str>) -> CustomerLifecycle {
    let mut at = state.clock.now() - (FIRST_PAYMENT.len() + SECOND_PAYMENT.len()) as i64;
    let mut ids = FreshIds::default();
    let mut events = Vec::new();
    for kind in FIRST_PAYMENT {
        at += 1;
        events.extend(emit_sample(state, kind, account, at, &mut ids));
    }
    let first = ids.clone();
    ids.remove(&["pi_", "ch_", "txn_"]);
    for kind in SECOND_PAYMENT {
        at += 1;
        events.extend(emit_sample(state, kind, account, at, &mut ids));
    }
    CustomerLifecycle {
        customer: first.get("cus_"),
        subscription: first.get("sub_"),
        invoice: first.get("in_"),
        invoice_payment: first.get("inpay_"),
        payment_intent: first.get("pi_"),
        charge: first.get("ch_"),
        refund: first.get("re_"),
        disputed_payment_intent: ids.get("pi_"),
        disputed_charge: ids.get("ch_"),
        dispute: ids.get("du_"),
        events,
    }
}

fn emit_sample(
    state: &mut StripeState,
    kind: &str,
    account: Option<&str>,
    at: i64,
    ids: &mut FreshIds,
) -> Option<String> {
    let mut data = sample(kind)?["data"].take();
    ids.replace_in(&mut data);
    let mut object = data["object"].take();
    // An object is created by the first event about it.
    let id = object["id"].as_str().unwrap_or_default();
    let created = state.objects.get(account, id).and_then(|stored| stored.value["created"].as_i64());
    object["created"] = created.unwrap_or(at).into();
    let new = NewEvent {
        object: Some(object),
        previous_attributes: data.get("previous_attributes").cloned(),
        account: account.map(str::to_owned),
        created: Some(at),
        ..NewEvent::new(kind)
    };
    emit(state, new).ok()?["id"].as_str().map(str::to_owned)
}

/// The fresh ids, by the sample ids that they replace.
#[derive(Clone, Default)]
struct FreshIds(HashMap<String, String>);

impl FreshIds {
    /// Returns the fresh id of the sample object whose id begins so.
    fn get(&self, prefix: &str) -> String {
        self.0.iter().find(|(old, _)| old.starts_with(prefix)).map(|(_, new)| new.clone()).unwrap_or_default()
    }

    fn remove(&mut self, prefixes: &[&str]) {
        self.0.retain(|old, _| !prefixes.iter().any(|prefix| old.starts_with(prefix)));
    }

    /// Replaces all sample ids in a value, also inside longer texts such as URLs.
    fn replace_in(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.replaced(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_in(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.replace_in(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn replaced(&mut self, text: &str) -> String {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let parts = text.split_inclusive(|letter| !is_word(letter));
        parts
            .map(|part| {
                let word = part.trim_end_matches(|letter| !is_word(letter));
                // The samples mark their ids by `Syn`; a client secret goes on after the id.
                let id = word.split_once("_secret_").map_or(word, |(id, _)| id);
                match id.split_once('_') {
                    Some((prefix, rest)) if rest.contains("Syn") => {
                        let new = self
                            .0
                            .entry(id.to_owned())
                            .or_insert_with(|| crate::ids::fresh(&format!("{prefix}_1")));
                        part.replace(id, new)
                    }
                    _ => part.to_owned(),
                }
            })
            .collect()
    }
}
