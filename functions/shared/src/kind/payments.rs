//! Payments: what was charged, given back and disputed.

use super::row::{CUSTOMER_OR_ACCOUNT, Effect, KindRow, PRICE_OF_ITEM, Reference, list, to};

const PAYMENT_OR_CHARGE: &[Reference] = &[to("payment_intent", "payment_intent"), to("charge", "charge")];

pub(super) const PAYMENT_INTENT: KindRow = KindRow {
    permission: Some("rak_payment_intent_read"),
    id_prefixes: &["pi"],
    list_filters: Some(&["created", "customer"]),
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
    customer: CUSTOMER_OR_ACCOUNT,
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
    // What `POST /v1/payment_intents/{id}` changes: there is no `payment_intent.updated`.
    silent: &[
        "allowed_payment_method_types",
        "amount",
        "amount_details",
        "application_fee_amount",
        "capture_method",
        "currency",
        "customer",
        "customer_account",
        "description",
        "excluded_payment_method_types",
        "hooks",
        "metadata",
        "payment_details",
        "payment_method",
        "payment_method_configuration_details",
        "payment_method_options",
        "payment_method_types",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ],
    applied_at_first: true,
    ..KindRow::new("payment_intent", "payments", "payment_intents")
};

pub(super) const CHARGE: KindRow = KindRow {
    permission: Some("rak_charge_read"),
    id_prefixes: &["ch", "py"],
    list_filters: Some(&["created", "customer", "payment_intent"]),
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
    customer: CUSTOMER_OR_ACCOUNT,
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
    applied_at_first: true,
    ..KindRow::new("charge", "charges", "charges")
};

pub(super) const REFUND: KindRow = KindRow {
    permission: Some("rak_charge_read"),
    id_prefixes: &["re", "pyr"],
    list_filters: Some(&["created", "charge", "payment_intent"]),
    statuses: &["pending", "requires_action", "succeeded", "failed", "canceled"],
    // One that succeeded can fail later.
    settled: &["failed", "canceled"],
    amount: Some("amount"),
    labels: &["description", "receipt_number", "instructions_email"],
    references: &[to("payment_intent", "payment_intent"), to("charge", "charge"), to("customer", "customer")],
    // One of a customer's cash balance is of no payment, and names the customer itself.
    customer: CUSTOMER_OR_ACCOUNT,
    by_payment_alone: true,
    part_of: PAYMENT_OR_CHARGE,
    events: &[
        ("charge.refund.updated", Effect::Change),
        ("refund.created", Effect::Creation),
        ("refund.failed", Effect::ChangeOf(&["status"])),
        ("refund.updated", Effect::Change),
    ],
    applied_at_first: true,
    ..KindRow::new("refund", "refunds", "refunds")
};

pub(super) const DISPUTE: KindRow = KindRow {
    permission: Some("rak_dispute_read"),
    id_prefixes: &["dp", "du"],
    list_filters: Some(&["created", "charge", "payment_intent"]),
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
    applied_at_first: true,
    ..KindRow::new("dispute", "disputes", "disputes")
};

pub(super) const EARLY_FRAUD_WARNING: KindRow = KindRow {
    id_prefixes: &["issfr"],
    list_filters: Some(&["created", "charge", "payment_intent"]),
    labels: &["fraud_type"],
    references: PAYMENT_OR_CHARGE,
    part_of: PAYMENT_OR_CHARGE,
    events: &[
        ("radar.early_fraud_warning.created", Effect::Creation),
        ("radar.early_fraud_warning.updated", Effect::Change),
    ],
    ..KindRow::new("radar.early_fraud_warning", "early_fraud_warnings", "radar/early_fraud_warnings")
};

pub(super) const REVIEW: KindRow = KindRow {
    permission: Some("rak_review_read"),
    id_prefixes: &["prv"],
    labels: &["reason"],
    references: PAYMENT_OR_CHARGE,
    part_of: PAYMENT_OR_CHARGE,
    events: &[
        ("review.closed", Effect::ChangeOf(&["open", "closed_reason"])),
        ("review.opened", Effect::Creation),
    ],
    ..KindRow::new("review", "reviews", "reviews")
};

pub(super) const PAYMENT_METHOD: KindRow = KindRow {
    permission: Some("rak_payment_method_read"),
    id_prefixes: &["pm"],
    list_filters: Some(&["customer", "type"]),
    labels: &["billing_details.name", "billing_details.email", "card.last4"],
    references: &[to("customer", "customer")],
    customer: CUSTOMER_OR_ACCOUNT,
    events: &[
        ("payment_method.attached", Effect::ChangeOf(&["customer", "customer_account"])),
        ("payment_method.automatically_updated", Effect::Change),
        ("payment_method.detached", Effect::ChangeOf(&["customer", "customer_account"])),
        ("payment_method.updated", Effect::Change),
    ],
    ..KindRow::new("payment_method", "payment_methods", "payment_methods")
};

pub(super) const SETUP_INTENT: KindRow = KindRow {
    permission: Some("rak_setup_intent_read"),
    id_prefixes: &["seti"],
    list_filters: Some(&["created", "customer", "payment_method"]),
    statuses: &[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "succeeded",
        "canceled",
    ],
    settled: &["succeeded", "canceled"],
    labels: &["description"],
    references: &[
        to("customer", "customer"),
        to("payment_method", "payment_method"),
        to("mandate", "mandate"),
        to("single_use_mandate", "mandate"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    events: &[
        ("setup_intent.canceled", Effect::ChangeOf(&["status"])),
        ("setup_intent.created", Effect::Creation),
        ("setup_intent.requires_action", Effect::Change),
        ("setup_intent.setup_failed", Effect::Change),
        ("setup_intent.succeeded", Effect::ChangeOf(&["status"])),
    ],
    // What `POST /v1/setup_intents/{id}` changes: there is no `setup_intent.updated`.
    silent: &[
        "allowed_payment_method_types",
        "attach_to_self",
        "customer",
        "customer_account",
        "description",
        "excluded_payment_method_types",
        "flow_directions",
        "metadata",
        "payment_method",
        "payment_method_configuration_details",
        "payment_method_options",
        "payment_method_types",
    ],
    ..KindRow::new("setup_intent", "setup_intents", "setup_intents")
};

pub(super) const MANDATE: KindRow = KindRow {
    id_prefixes: &["mandate"],
    says_when_made: false,
    // Stripe has no list of them: they come by their events.
    list_filters: None,
    statuses: &["pending", "active", "inactive"],
    references: &[to("payment_method", "payment_method")],
    part_of: &[to("payment_method", "payment_method")],
    events: &[("mandate.updated", Effect::Change)],
    ..KindRow::new("mandate", "mandates", "mandates")
};

pub(super) const CHECKOUT_SESSION: KindRow = KindRow {
    permission: Some("rak_checkout_session_read"),
    id_prefixes: &["cs", "cs_test", "cs_live"],
    list_filters: Some(&["created", "customer", "payment_intent", "payment_link", "status", "subscription"]),
    statuses: &["open", "complete", "expired"],
    settled: &["complete", "expired"],
    amount: Some("amount_total"),
    labels: &["client_reference_id", "customer_details.email", "customer_details.name", "customer_email"],
    references: &[
        to("customer", "customer"),
        to("payment_intent", "payment_intent"),
        to("invoice", "invoice"),
        to("subscription", "subscription"),
        to("setup_intent", "setup_intent"),
        to("payment_link", "payment_link"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    lists: &[list("line_items", PRICE_OF_ITEM)],
    events: &[
        ("checkout.session.async_payment_failed", Effect::Change),
        ("checkout.session.async_payment_succeeded", Effect::ChangeOf(&["payment_status"])),
        ("checkout.session.completed", Effect::ChangeOf(&["status"])),
        ("checkout.session.expired", Effect::ChangeOf(&["status"])),
    ],
    // What changes while the customer fills it in, and what `POST /v1/checkout/sessions/{id}` does: there is
    // no `checkout.session.updated`.
    silent: &[
        "amount_subtotal",
        "amount_total",
        "automatic_tax",
        "collected_information",
        "consent",
        "currency_conversion",
        "custom_fields",
        "customer",
        "customer_account",
        "customer_details",
        "customer_email",
        "discounts",
        "metadata",
        "payment_intent",
        "setup_intent",
        "shipping_cost",
        "shipping_options",
        "total_details",
    ],
    ..KindRow::new("checkout.session", "checkout_sessions", "checkout/sessions")
};
