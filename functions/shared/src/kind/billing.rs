//! Customers, what they subscribe to and what they are billed.

use super::row::{Deletion, Effect, KindRow, to};

pub(super) const CUSTOMER: KindRow = KindRow {
    id_prefixes: &["cus"],
    deletion: Deletion::Marked,
    labels: &["name", "email", "phone", "description"],
    events: &[
        ("customer.created", Effect::Creation),
        ("customer.deleted", Effect::Deletion),
        ("customer.updated", Effect::Change),
    ],
    ..KindRow::new("customer", "customers", "customers")
};

pub(super) const SUBSCRIPTION: KindRow = KindRow {
    id_prefixes: &["sub"],
    // Without it, those that have ended are left out.
    list_params: &[("status", "all")],
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
    customer: &["customer"],
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
    ..KindRow::new("subscription", "subscriptions", "subscriptions")
};

pub(super) const INVOICE: KindRow = KindRow {
    id_prefixes: &["in"],
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
    customer: &["customer"],
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
    ..KindRow::new("invoice", "invoices", "invoices")
};

pub(super) const INVOICE_PAYMENT: KindRow = KindRow {
    id_prefixes: &["inpay"],
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
    ..KindRow::new("invoice_payment", "invoice_payments", "invoice_payments")
};
