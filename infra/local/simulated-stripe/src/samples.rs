//! One example of each event type that Billhook applies, and the names of all of Stripe's event types.
//!
//! They are built in from the project's own `events/stripe` folder, so that the simulated Stripe, the tests
//! and `sam local invoke` cannot come to disagree about what an event looks like.

use serde_json::Value;

/// All event types that an endpoint may subscribe to by name, one a line.
const TYPES: &str = include_str!("../../../../functions/shared/src/event_types.txt");

/// Whether Stripe has an event type of this name.
pub(crate) fn is_event_type(name: &str) -> bool {
    TYPES.lines().any(|line| line == name)
}

/// Returns the example event of this type, if there is one.
pub(crate) fn sample(kind: &str) -> Option<Value> {
    let (_, text) = SAMPLES.iter().find(|(name, _)| *name == kind)?;
    serde_json::from_str(text).ok()
}

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../events/stripe/", $name, ".json")))),*]
    };
}

const SAMPLES: &[(&str, &str)] = samples![
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.expired",
    "charge.failed",
    "charge.pending",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalization_failed",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.overpaid",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_attempt_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.sent",
    "invoice.upcoming",
    "invoice.updated",
    "invoice.voided",
    "invoice.will_be_due",
    "invoice_payment.detached",
    "invoice_payment.paid",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.partially_funded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_an_event_of_the_type_it_is_filed_under() {
        for (name, _) in SAMPLES {
            assert_eq!(sample(name).unwrap()["type"], *name);
            // Stripe sends it in a preview version only, so no endpoint can ask for it by name.
            let is_preview = *name == "invoice_payment.detached";
            assert_eq!(is_event_type(name), !is_preview, "{name}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../events/stripe");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SAMPLES.len());
    }
}
