//! Money between the Stripe balance, the bank and other accounts.

use super::row::{Effect, KindRow, list, to};

pub(super) const PAYOUT: KindRow = KindRow {
    permission: Some("rak_payout_read"),
    id_prefixes: &["po"],
    list_filters: Some(&["created", "destination", "status"]),
    statuses: &["pending", "in_transit", "paid", "failed", "canceled"],
    // One that is paid can fail for days.
    settled: &["canceled"],
    amount: Some("amount"),
    labels: &["description", "statement_descriptor", "trace_id.value"],
    references: &[
        to("original_payout", "payout"),
        to("reversed_by", "payout"),
        to("balance_transaction", "balance_transaction"),
        to("failure_balance_transaction", "balance_transaction"),
    ],
    events: &[
        ("payout.canceled", Effect::ChangeOf(&["status"])),
        ("payout.created", Effect::Creation),
        ("payout.failed", Effect::ChangeOf(&["status"])),
        ("payout.paid", Effect::ChangeOf(&["status"])),
        ("payout.reconciliation_completed", Effect::ChangeOf(&["reconciliation_status"])),
        ("payout.updated", Effect::Change),
    ],
    ..KindRow::new("payout", "payouts", "payouts")
};

/// No event carries one. It is fetched once its payout is reconciled, and by the nightly run.
pub(super) const BALANCE_TRANSACTION: KindRow = KindRow {
    permission: Some("rak_balance_transaction_source_read"),
    id_prefixes: &["txn"],
    list_filters: Some(&["created", "currency", "payout", "source", "type"]),
    // What it is for: a charge, a refund, a dispute, and what these name.
    list_params: &[&[("expand[]", "data.source")]],
    statuses: &["pending", "available"],
    settled: &["available"],
    amount: Some("amount"),
    labels: &["description", "source"],
    ..KindRow::new("balance_transaction", "balance_transactions", "balance_transactions")
};

pub(super) const TOPUP: KindRow = KindRow {
    permission: Some("rak_top_up_read"),
    id_prefixes: &["tu"],
    list_filters: Some(&["created", "status"]),
    statuses: &["pending", "succeeded", "failed", "canceled", "reversed"],
    settled: &["failed", "canceled", "reversed"],
    amount: Some("amount"),
    labels: &["description", "statement_descriptor"],
    events: &[
        ("topup.canceled", Effect::ChangeOf(&["status"])),
        ("topup.created", Effect::Creation),
        ("topup.failed", Effect::ChangeOf(&["status"])),
        ("topup.reversed", Effect::ChangeOf(&["status"])),
        ("topup.succeeded", Effect::ChangeOf(&["status"])),
    ],
    ..KindRow::new("topup", "topups", "topups")
};

pub(super) const TRANSFER: KindRow = KindRow {
    permission: Some("rak_transfer_read"),
    id_prefixes: &["tr"],
    list_filters: Some(&["created", "destination", "transfer_group"]),
    amount: Some("amount"),
    labels: &["description", "transfer_group"],
    references: &[to("destination_payment", "charge"), to("source_transaction", "charge")],
    lists: &[list("reversals", &[])],
    events: &[
        ("transfer.created", Effect::Creation),
        ("transfer.reversed", Effect::ChangeOf(&["amount_reversed", "reversed", "reversals"])),
        ("transfer.updated", Effect::Change),
    ],
    ..KindRow::new("transfer", "transfers", "transfers")
};

pub(super) const APPLICATION_FEE: KindRow = KindRow {
    permission: Some("rak_application_fee_read"),
    id_prefixes: &["fee"],
    list_filters: Some(&["created", "charge"]),
    amount: Some("amount"),
    // Of a charge of the connected account, which is another account's.
    references: &[to("originating_transaction", "charge")],
    lists: &[list("refunds", &[])],
    events: &[
        ("application_fee.created", Effect::Creation),
        ("application_fee.refunded", Effect::ChangeOf(&["amount_refunded", "refunded", "refunds"])),
    ],
    ..KindRow::new("application_fee", "application_fees", "application_fees")
};
