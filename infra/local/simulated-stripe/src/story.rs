//! The story of one customer: all six groups of events, linked as Stripe links them.
//!
//! The samples all speak of the same few objects. Each story gives those objects fresh ids wherever they are named, so
//! that stories do not meet, and lets a second payment end in a dispute.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::emit::{Emit, emit};
use crate::ids;
use crate::samples::sample;
use crate::world::World;

/// The ids of one story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Who it is about.
    pub customer: String,
    /// Becomes active.
    pub subscription: String,
    /// Is paid by the first payment.
    pub invoice: String,
    /// Joins the two.
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
    /// The dispute, waiting for an answer.
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

/// Lets the story happen, one second a step, the last one now.
pub(crate) fn story(world: &mut World, account: Option<&str>) -> Story {
    let mut at = world.clock.now() - (FIRST_PAYMENT.len() + SECOND_PAYMENT.len()) as i64;
    let mut names = Names::default();
    let mut events = Vec::new();
    for kind in FIRST_PAYMENT {
        at += 1;
        events.extend(step(world, kind, account, at, &mut names));
    }
    let first = names.clone();
    names.forget(&["pi_", "ch_", "txn_"]);
    for kind in SECOND_PAYMENT {
        at += 1;
        events.extend(step(world, kind, account, at, &mut names));
    }
    Story {
        customer: first.get("cus_"),
        subscription: first.get("sub_"),
        invoice: first.get("in_"),
        invoice_payment: first.get("inpay_"),
        payment_intent: first.get("pi_"),
        charge: first.get("ch_"),
        refund: first.get("re_"),
        disputed_payment_intent: names.get("pi_"),
        disputed_charge: names.get("ch_"),
        dispute: names.get("du_"),
        events,
    }
}

fn step(world: &mut World, kind: &str, account: Option<&str>, at: i64, names: &mut Names) -> Option<String> {
    let mut data = sample(kind)?["data"].take();
    names.give(&mut data);
    let mut object = data["object"].take();
    // An object is made by the first event that tells of it.
    let id = object["id"].as_str().unwrap_or_default();
    let made = world.objects.get(account, id).and_then(|stored| stored.value["created"].as_i64());
    object["created"] = made.unwrap_or(at).into();
    let wanted = Emit {
        object: Some(object),
        previous_attributes: data.get("previous_attributes").cloned(),
        account: account.map(str::to_owned),
        created: Some(at),
        ..Emit::of(kind)
    };
    emit(world, wanted).ok()?["id"].as_str().map(str::to_owned)
}

/// Fresh ids for those of the samples.
#[derive(Clone, Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// The fresh id of the sample object whose id begins so.
    fn get(&self, prefix: &str) -> String {
        self.0.iter().find(|(old, _)| old.starts_with(prefix)).map(|(_, new)| new.clone()).unwrap_or_default()
    }

    fn forget(&mut self, prefixes: &[&str]) {
        self.0.retain(|old, _| !prefixes.iter().any(|prefix| old.starts_with(prefix)));
    }

    /// Renames all ids in a value, also inside longer texts such as URLs.
    fn give(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.renamed(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.give(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.give(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn renamed(&mut self, text: &str) -> String {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let parts = text.split_inclusive(|letter| !is_word(letter));
        parts
            .map(|part| {
                let word = part.trim_end_matches(|letter| !is_word(letter));
                // The samples mark their ids by `Syn`; a client secret goes on after the id.
                let id = word.split_once("_secret_").map_or(word, |(id, _)| id);
                match id.split_once('_') {
                    Some((prefix, rest)) if rest.contains("Syn") => {
                        let new =
                            self.0.entry(id.to_owned()).or_insert_with(|| ids::fresh(&format!("{prefix}_1")));
                        part.replace(id, new)
                    }
                    _ => part.to_owned(),
                }
            })
            .collect()
    }
}
