//! What a payment's charges and refunds say was captured and refunded.
//!
//! When only a part of a charge is captured, Stripe releases the rest and counts it as refunded: the charge's
//! own total includes it, and of old charges there is a refund of it too. Nobody was refunded that money,
//! because nobody had paid it.
//!
//! How much was released, the charge says (`amount` less `amount_captured`). A refund of the release moved no
//! money, so it has no `balance_transaction`; equal amounts alone tell nothing, because a customer may be
//! refunded as much as was released.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::kind::reference_id;

use super::amounts::{amount, sum};

/// Returns what was captured of each charge. Before `amount_captured` came (2020), a charge said only that it
/// was captured; how much of it, the PaymentIntent says, if it has only one such charge. A PaymentIntent that
/// has received nothing is older than the charge, and says nothing of it.
pub(super) fn captured_amounts(intent: &Value, charges: &[&Value]) -> Vec<i64> {
    let is_captured = |charge: &Value| is_paid(charge) && charge["captured"] == true;
    let received = amount(intent, "amount_received");
    let is_only_one = charges.iter().filter(|charge| is_captured(charge)).count() == 1;
    let captured = |charge: &&Value| match charge["amount_captured"].as_i64() {
        Some(captured) if is_paid(charge) => captured,
        None if is_captured(charge) => {
            if received > 0 && is_only_one {
                received
            } else {
                amount(charge, "amount")
            }
        }
        Some(_) | None => 0,
    };
    charges.iter().map(captured).collect()
}

fn is_paid(charge: &Value) -> bool {
    charge["paid"] != false && !matches!(charge["status"].as_str(), Some("failed" | "pending"))
}

/// The refunds of one charge.
#[derive(Default)]
struct ChargeRefunds<'a> {
    /// Those that neither failed nor were canceled.
    effective: Vec<&'a Value>,
    /// The sum of those that failed or were canceled.
    failed: i64,
}

/// Returns what was refunded. For each charge the larger counts of what its refunds say and what it says
/// itself, whose total may still include refunds that failed later. A refund that names no charge is one of
/// the only charge there is. Where there are more charges, it may be part of any total, so the larger counts
/// of such refunds and of what the totals say beyond the refunds that name their charge.
///
/// Charges come with what was captured of them. `is_capturable` says that the rest can still be captured.
pub(super) fn refunded_amount<'a>(
    charges: impl Iterator<Item = (&'a Value, i64)> + Clone,
    refunds: &[&'a Value],
    is_capturable: bool,
) -> i64 {
    let mut refundable = charges.clone().filter(|(charge, _)| charge["status"] != "failed");
    let only_charge = match (refundable.next(), refundable.next()) {
        (Some((charge, _)), None) => reference_id(&charge["id"]),
        (_, Some(_)) | (None, None) => None,
    };
    let mut by_charge: BTreeMap<Option<&str>, ChargeRefunds<'_>> = BTreeMap::new();
    for refund in refunds {
        let charge = reference_id(&refund["charge"]).or(only_charge);
        let of_charge = by_charge.entry(charge).or_default();
        if matches!(refund["status"].as_str(), Some("failed" | "canceled")) {
            of_charge.failed = of_charge.failed.saturating_add(amount(refund, "amount"));
        } else {
            of_charge.effective.push(refund);
        }
    }
    let unnamed = by_charge.remove(&None).unwrap_or_default();
    let (mut named, mut beyond_named) = (0_i64, 0_i64);
    for (charge, captured) in charges {
        let refunds = by_charge.remove(&reference_id(&charge["id"])).unwrap_or_default();
        let captured = if is_capturable { 0 } else { captured };
        let (by_refunds, by_total) = refunded_without_release(charge, captured, &refunds);
        named = named.saturating_add(by_refunds);
        beyond_named = beyond_named.saturating_add(by_total.saturating_sub(by_refunds).max(0));
    }
    // Refunds of charges that have not come yet.
    let of_other_charges = by_charge.into_values().map(|refunds| refunds.sum());
    named = of_other_charges.fold(named, i64::saturating_add);
    let by_totals = beyond_named.saturating_sub(unnamed.failed);
    let unnamed = unnamed.sum().max(by_totals);
    named.saturating_add(unnamed).max(0)
}

impl ChargeRefunds<'_> {
    /// The sum of those that neither failed nor were canceled.
    fn sum(&self) -> i64 {
        sum(self.effective.iter().map(|refund| amount(refund, "amount")))
    }

    /// Whether one of them is of this amount and moved no money.
    fn include_release_of(&self, released: i64) -> bool {
        self.effective.iter().any(|refund| {
            let moved_no_money =
                refund["status"] == "succeeded" && refund.get("balance_transaction") == Some(&Value::Null);
            moved_no_money && amount(refund, "amount") == released
        })
    }
}

/// Returns what a charge's refunds say was refunded and what its own total says, both without what was
/// released when only a part was captured.
fn refunded_without_release(charge: &Value, captured: i64, refunds: &ChargeRefunds<'_>) -> (i64, i64) {
    let (by_refunds, total) = (refunds.sum(), amount(charge, "amount_refunded"));
    let released = amount(charge, "amount").saturating_sub(captured);
    if captured <= 0 || released <= 0 {
        return (by_refunds, total.saturating_sub(refunds.failed));
    }
    // No more than was captured can be refunded, so if there is more, one of the refunds is of the release.
    let includes_release = refunds.include_release_of(released) || by_refunds > captured;
    let by_refunds = if includes_release { by_refunds.saturating_sub(released).max(0) } else { by_refunds };
    // A total below what was released is older than the release.
    let of_release = if total < released { 0 } else { released };
    (by_refunds, total.saturating_sub(of_release).saturating_sub(refunds.failed))
}
