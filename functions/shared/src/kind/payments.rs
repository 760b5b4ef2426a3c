//! Payments: what was charged, given back and disputed.

use super::row::{Effect, KindRow, Reference, to};

const PAYMENT_OR_CHARGE: &[Reference] = &[to("payment_intent", "payment_intent"), to("charge", "charge")];

pub(super) const PAYMENT_INTENT: KindRow = KindRow {
    id_prefixes: &["pi"],
    statuses: &[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "succeeded",
        "canceled",
    ],
    settled: &["succeeded", "canceled"],
    amount: Some("amount"),
    // The last two are of a charge without a PaymentIntent, which is a payment too.
    labels: &[
        "description",
        "receipt_email",
        "statement_descriptor",
        "billing_details.email",
        "billing_details.name",
    ],
    references: &[to("customer", "customer"), to("latest_charge", "charge"), to("invoice", "invoice")],
    customer: &["customer"],
    invoice: &["invoice"],
    events: &[
        ("payment_intent.amount_capturable_updated", Effect::Change),
        ("payment_intent.canceled", Effect::ChangeOf(&["status"])),
        ("payment_intent.created", Effect::Creation),
        ("payment_intent.partially_funded", Effect::Change),
        ("payment_intent.payment_failed", Effect::Change),
        ("payment_intent.processing", Effect::Change),
        ("payment_intent.requires_action", Effect::Change),
        ("payment_intent.succeeded", Effect::ChangeOf(&["status"])),
    ],
    ..KindRow::new("payment_intent", "payments", "payment_intents")
};

pub(super) const CHARGE: KindRow = KindRow {
    id_prefixes: &["ch", "py"],
    statuses: &["pending", "succeeded", "failed"],
    settled: &["failed"],
    amount: Some("amount"),
    labels: &[
        "description",
        "billing_details.email",
        "billing_details.name",
        "receipt_email",
        "receipt_number",
    ],
    references: &[
        to("customer", "customer"),
        to("payment_intent", "payment_intent"),
        to("invoice", "invoice"),
    ],
    customer: &["customer"],
    part_of: &[to("payment_intent", "payment_intent")],
    invoice: &["invoice"],
    events: &[
        ("charge.captured", Effect::ChangeOf(&["captured", "amount_captured"])),
        ("charge.expired", Effect::ChangeOf(&["refunded", "status"])),
        ("charge.failed", Effect::CreationOrChangeOf(&["status"])),
        ("charge.pending", Effect::CreationOrChangeOf(&[])),
        ("charge.refunded", Effect::ChangeOf(&["amount_refunded", "refunded"])),
        ("charge.succeeded", Effect::CreationOrChangeOf(&["status"])),
        ("charge.updated", Effect::Change),
    ],
    ..KindRow::new("charge", "charges", "charges")
};

pub(super) const REFUND: KindRow = KindRow {
    id_prefixes: &["re", "pyr"],
    statuses: &["pending", "requires_action", "succeeded", "failed", "canceled"],
    // One that succeeded can fail later.
    settled: &["failed", "canceled"],
    amount: Some("amount"),
    labels: &["description", "receipt_number", "instructions_email"],
    references: &[to("payment_intent", "payment_intent"), to("charge", "charge"), to("customer", "customer")],
    // One of a customer's cash balance is of no payment, and names the customer itself.
    customer: &["customer"],
    by_payment_alone: true,
    part_of: PAYMENT_OR_CHARGE,
    events: &[
        ("charge.refund.updated", Effect::Change),
        ("refund.created", Effect::Creation),
        ("refund.failed", Effect::ChangeOf(&["status"])),
        ("refund.updated", Effect::Change),
    ],
    ..KindRow::new("refund", "refunds", "refunds")
};

pub(super) const DISPUTE: KindRow = KindRow {
    id_prefixes: &["dp", "du"],
    statuses: &[
        "warning_needs_response",
        "warning_under_review",
        "warning_closed",
        "needs_response",
        "under_review",
        "won",
        "lost",
        "prevented",
    ],
    // A lost one can be reopened by an appeal.
    settled: &["won", "warning_closed", "prevented"],
    amount: Some("amount"),
    labels: &["reason", "evidence.customer_email_address", "evidence.customer_name"],
    references: PAYMENT_OR_CHARGE,
    part_of: PAYMENT_OR_CHARGE,
    events: &[
        ("charge.dispute.closed", Effect::ChangeOf(&["status"])),
        ("charge.dispute.created", Effect::Creation),
        ("charge.dispute.funds_reinstated", Effect::ChangeOf(&["balance_transactions"])),
        ("charge.dispute.funds_withdrawn", Effect::ChangeOf(&["balance_transactions"])),
        ("charge.dispute.updated", Effect::Change),
    ],
    ..KindRow::new("dispute", "disputes", "disputes")
};
