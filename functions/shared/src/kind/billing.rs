//! Customers, what they subscribe to and what they are billed.

use super::row::{
    CUSTOMER_OR_ACCOUNT, Deletion, Effect, KindRow, ListPlace, OwnList, PRICE_OF_ITEM, Reference, list, to,
};

pub(super) const CUSTOMER: KindRow = KindRow {
    permission: Some("rak_customer_read"),
    id_prefixes: &["cus"],
    list_filters: Some(&["created", "email"]),
    deletion: Deletion::StillThere,
    labels: &["name", "email", "phone", "description"],
    events: &[
        ("customer.created", Effect::Creation),
        ("customer.deleted", Effect::Deletion),
        ("customer.updated", Effect::Change),
    ],
    // Counted up by each invoice.
    silent: &["next_invoice_sequence"],
    applied_at_first: true,
    ..KindRow::new("customer", "customers", "customers")
};

pub(super) const SUBSCRIPTION: KindRow = KindRow {
    permission: Some("rak_subscription_read"),
    id_prefixes: &["sub"],
    list_filters: Some(&["created", "customer", "collection_method", "status"]),
    // Without it, those that have ended are left out.
    list_params: &[&[("status", "all")]],
    statuses: &[
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "unpaid",
        "paused",
        "canceled",
    ],
    settled: &["canceled", "incomplete_expired"],
    labels: &["description"],
    references: &[to("customer", "customer"), to("latest_invoice", "invoice")],
    customer: CUSTOMER_OR_ACCOUNT,
    lists: &[OwnList {
        member: "items",
        place: ListPlace::Filtered { path: "subscription_items", param: "subscription" },
        references: PRICE_OF_ITEM,
    }],
    events: &[
        ("customer.subscription.created", Effect::Creation),
        // It is canceled, and still there.
        ("customer.subscription.deleted", Effect::ChangeOf(&["status"])),
        ("customer.subscription.paused", Effect::ChangeOf(&["status"])),
        ("customer.subscription.pending_update_applied", Effect::ChangeOf(&["pending_update"])),
        ("customer.subscription.pending_update_expired", Effect::ChangeOf(&["pending_update"])),
        ("customer.subscription.resumed", Effect::ChangeOf(&["status"])),
        ("customer.subscription.trial_will_end", Effect::Notice),
        ("customer.subscription.updated", Effect::Change),
    ],
    applied_at_first: true,
    ..KindRow::new("subscription", "subscriptions", "subscriptions")
};

/// What a line of an invoice names: its price since API 2025-03-31 one level down.
const PRICE_OF_LINE: &[Reference] = &[
    to("pricing.price_details.price", "price"),
    to("pricing.price_details.product", "product"),
    to("price", "price"),
    to("price.product", "product"),
    to("plan", "plan"),
    to("plan.product", "product"),
];

pub(super) const INVOICE: KindRow = KindRow {
    permission: Some("rak_invoice_read"),
    id_prefixes: &["in"],
    list_filters: Some(&["created", "customer", "collection_method", "status"]),
    deletion: Deletion::GoneWhile("draft"),
    statuses: &["draft", "open", "paid", "uncollectible", "void"],
    settled: &["paid", "void"],
    amount: Some("total"),
    labels: &["number", "customer_email", "customer_name", "description"],
    references: &[
        to("customer", "customer"),
        to("parent.subscription_details.subscription", "subscription"),
        to("subscription", "subscription"),
        to("payment_intent", "payment_intent"),
        to("charge", "charge"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    lists: &[list("lines", PRICE_OF_LINE)],
    events: &[
        ("invoice.created", Effect::Creation),
        ("invoice.deleted", Effect::Deletion),
        ("invoice.finalization_failed", Effect::Change),
        ("invoice.finalized", Effect::ChangeOf(&["status"])),
        ("invoice.marked_uncollectible", Effect::ChangeOf(&["status"])),
        ("invoice.overdue", Effect::Notice),
        ("invoice.overpaid", Effect::ChangeOf(&["amount_overpaid"])),
        ("invoice.paid", Effect::ChangeOf(&["status"])),
        ("invoice.payment_action_required", Effect::Change),
        ("invoice.payment_attempt_required", Effect::Change),
        ("invoice.payment_failed", Effect::Change),
        ("invoice.payment_succeeded", Effect::ChangeOf(&["status", "amount_paid"])),
        ("invoice.sent", Effect::Change),
        ("invoice.upcoming", Effect::Preview),
        ("invoice.updated", Effect::Change),
        ("invoice.voided", Effect::ChangeOf(&["status"])),
        ("invoice.will_be_due", Effect::Notice),
    ],
    // Set when the deliveries of its events are through.
    silent: &["webhooks_delivered_at"],
    applied_at_first: true,
    ..KindRow::new("invoice", "invoices", "invoices")
};

pub(super) const INVOICE_PAYMENT: KindRow = KindRow {
    permission: Some("rak_invoice_read"),
    id_prefixes: &["inpay"],
    list_filters: Some(&["created", "invoice", "status"]),
    statuses: &["open", "paid", "canceled"],
    settled: &["paid", "canceled"],
    amount: Some("amount_requested"),
    references: &[
        to("invoice", "invoice"),
        to("payment.payment_intent", "payment_intent"),
        to("payment.charge", "charge"),
    ],
    part_of: &[to("payment.payment_intent", "payment_intent"), to("payment.charge", "charge")],
    invoice: &["invoice"],
    events: &[
        ("invoice_payment.detached", Effect::Detachment),
        ("invoice_payment.paid", Effect::ChangeOf(&["status"])),
    ],
    // Taken off the list that endpoints choose from (the changelogs of Stripe's SDKs, 2026-06-24).
    unlisted_events: &["invoice_payment.detached"],
    applied_at_first: true,
    ..KindRow::new("invoice_payment", "invoice_payments", "invoice_payments")
};

pub(super) const INVOICE_ITEM: KindRow = KindRow {
    permission: Some("rak_invoice_read"),
    id_prefixes: &["ii"],
    list_filters: Some(&["created", "customer", "invoice"]),
    deletion: Deletion::Gone,
    amount: Some("amount"),
    labels: &["description"],
    references: &[
        to("customer", "customer"),
        to("invoice", "invoice"),
        to("parent.subscription_details.subscription", "subscription"),
        to("subscription", "subscription"),
        to("pricing.price_details.price", "price"),
        to("pricing.price_details.product", "product"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    events: &[("invoiceitem.created", Effect::Creation), ("invoiceitem.deleted", Effect::Deletion)],
    ..KindRow::new("invoiceitem", "invoice_items", "invoiceitems")
};

pub(super) const CREDIT_NOTE: KindRow = KindRow {
    permission: Some("rak_credit_note_read"),
    id_prefixes: &["cn"],
    list_filters: Some(&["created", "customer", "invoice"]),
    statuses: &["issued", "void"],
    settled: &["void"],
    amount: Some("total"),
    labels: &["number", "memo"],
    references: &[to("customer", "customer"), to("invoice", "invoice")],
    customer: CUSTOMER_OR_ACCOUNT,
    invoice: &["invoice"],
    lists: &[list("lines", &[])],
    events: &[
        ("credit_note.created", Effect::Creation),
        ("credit_note.updated", Effect::Change),
        ("credit_note.voided", Effect::ChangeOf(&["status"])),
    ],
    ..KindRow::new("credit_note", "credit_notes", "credit_notes")
};

pub(super) const QUOTE: KindRow = KindRow {
    permission: Some("rak_quote_read"),
    id_prefixes: &["qt"],
    list_filters: Some(&["customer", "status"]),
    statuses: &["draft", "open", "accepted", "canceled"],
    settled: &["accepted", "canceled"],
    amount: Some("amount_total"),
    labels: &["number", "description", "header"],
    references: &[
        to("customer", "customer"),
        to("invoice", "invoice"),
        to("subscription", "subscription"),
        to("subscription_schedule", "subscription_schedule"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    lists: &[list("line_items", PRICE_OF_ITEM)],
    events: &[
        ("quote.accepted", Effect::ChangeOf(&["status"])),
        ("quote.canceled", Effect::ChangeOf(&["status"])),
        ("quote.created", Effect::Creation),
        ("quote.finalized", Effect::ChangeOf(&["status"])),
    ],
    ..KindRow::new("quote", "quotes", "quotes")
};

pub(super) const SUBSCRIPTION_SCHEDULE: KindRow = KindRow {
    permission: Some("rak_subscription_read"),
    id_prefixes: &["sub_sched"],
    list_filters: Some(&["created", "customer"]),
    statuses: &["not_started", "active", "completed", "released", "canceled"],
    settled: &["completed", "released", "canceled"],
    references: &[to("customer", "customer"), to("subscription", "subscription")],
    customer: CUSTOMER_OR_ACCOUNT,
    events: &[
        ("subscription_schedule.aborted", Effect::ChangeOf(&["status"])),
        ("subscription_schedule.canceled", Effect::ChangeOf(&["status"])),
        ("subscription_schedule.completed", Effect::ChangeOf(&["status"])),
        ("subscription_schedule.created", Effect::Creation),
        ("subscription_schedule.expiring", Effect::Notice),
        ("subscription_schedule.released", Effect::ChangeOf(&["status"])),
        ("subscription_schedule.updated", Effect::Change),
    ],
    ..KindRow::new("subscription_schedule", "subscription_schedules", "subscription_schedules")
};

pub(super) const TAX_ID: KindRow = KindRow {
    // The account's list has its own alone.
    below_customer: Some("tax_ids"),
    permission: Some("rak_customer_read"),
    id_prefixes: &["txi"],
    list_filters: Some(&[]),
    deletion: Deletion::Gone,
    labels: &["value", "verification.verified_name"],
    references: &[to("customer", "customer")],
    customer: &["customer", "customer_account", "owner.customer", "owner.customer_account"],
    events: &[
        ("customer.tax_id.created", Effect::Creation),
        ("customer.tax_id.deleted", Effect::Deletion),
        ("customer.tax_id.updated", Effect::Change),
    ],
    ..KindRow::new("tax_id", "tax_ids", "tax_ids")
};

pub(super) const CREDIT_GRANT: KindRow = KindRow {
    id_prefixes: &["credgr"],
    list_filters: Some(&["customer"]),
    labels: &["name"],
    references: &[to("customer", "customer")],
    customer: CUSTOMER_OR_ACCOUNT,
    events: &[
        ("billing.credit_grant.created", Effect::Creation),
        ("billing.credit_grant.updated", Effect::Change),
    ],
    ..KindRow::new("billing.credit_grant", "credit_grants", "billing/credit_grants")
};

pub(super) const CREDIT_BALANCE_TRANSACTION: KindRow = KindRow {
    id_prefixes: &["cbtxn"],
    list_filters: Some(&["credit_grant"]),
    references: &[
        to("credit_grant", "billing.credit_grant"),
        to("credit.credits_application_invoice_voided.invoice", "invoice"),
        to("debit.credits_applied.invoice", "invoice"),
    ],
    part_of: &[to("credit_grant", "billing.credit_grant")],
    events: &[("billing.credit_balance_transaction.created", Effect::Creation)],
    ..KindRow::new(
        "billing.credit_balance_transaction",
        "credit_balance_transactions",
        "billing/credit_balance_transactions",
    )
};

/// No event carries one. A customer's are fetched when their balance changes. Their ids begin with `cbtxn` as
/// those of credit balance transactions do.
pub(super) const CUSTOMER_BALANCE_TRANSACTION: KindRow = KindRow {
    path: None,
    below_customer: Some("balance_transactions"),
    permission: Some("rak_customer_read"),
    list_filters: None,
    amount: Some("amount"),
    labels: &["description", "type"],
    references: &[
        to("customer", "customer"),
        to("invoice", "invoice"),
        to("credit_note", "credit_note"),
        to("checkout_session", "checkout.session"),
    ],
    customer: CUSTOMER_OR_ACCOUNT,
    invoice: &["invoice"],
    ..KindRow::new("customer_balance_transaction", "customer_balance_transactions", "")
};
