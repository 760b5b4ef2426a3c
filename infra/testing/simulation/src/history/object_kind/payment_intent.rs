//! Payments: attempts that fail and are repeated, until one succeeds or the payment is canceled. Stripe has
//! no general type for them, so no event has to say what it replaced.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{ObjectChange, pick};

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let status = pick(variant, ["requires_payment_method", "requires_confirmation"]);
    let object = json!({
        "customer": "cus_1", "status": status, "amount": 500, "amount_capturable": 0, "amount_received": 0,
        "currency": "eur", "last_payment_error": null, "latest_charge": null, "next_action": null, "canceled_at": null,
    });
    (object, vec!["payment_intent.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let charge = format!("ch_{value}");
    let requires_action = || {
        ObjectChange::new(json!({ "status": "requires_action", "next_action": { "type": "use_stripe_sdk" } }))
            .own(&["payment_intent.requires_action"])
    };
    let processing = || {
        ObjectChange::new(json!({ "status": "processing", "next_action": null, "last_payment_error": null }))
            .own(&["payment_intent.processing"])
    };
    let failed = || {
        let error = json!({ "code": "card_declined", "charge": charge });
        let set = json!({ "status": "requires_payment_method", "next_action": null, "last_payment_error": error, "latest_charge": charge });
        ObjectChange::new(set).own(&["payment_intent.payment_failed"])
    };
    let capturable = || {
        let set = json!({ "status": "requires_capture", "amount_capturable": 500 - i64::from(value), "latest_charge": charge });
        ObjectChange::new(set).own(&["payment_intent.amount_capturable_updated"])
    };
    let partially_funded = || {
        ObjectChange::new(json!({ "status": "requires_action", "amount_received": value }))
            .own(&["payment_intent.partially_funded"])
    };
    let succeeded = || {
        let set = json!({ "status": "succeeded", "amount_received": 500, "amount_capturable": 0, "next_action": null, "latest_charge": charge });
        ObjectChange::new(set).own(&["payment_intent.succeeded"])
    };
    let canceled = || {
        ObjectChange::new(json!({ "status": "canceled", "canceled_at": 1_785_000_300 }))
            .own(&["payment_intent.canceled"])
    };
    match status(object) {
        "requires_payment_method" | "requires_confirmation" => {
            vec![failed(), failed(), requires_action(), processing(), capturable(), succeeded(), canceled()]
        }
        "requires_action" => {
            vec![failed(), processing(), partially_funded(), capturable(), succeeded(), canceled()]
        }
        "processing" => vec![failed(), succeeded()],
        "requires_capture" => vec![capturable(), capturable(), succeeded(), canceled()],
        _ => Vec::new(),
    }
}
