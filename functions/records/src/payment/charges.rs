//! What a payment's charges and refunds say was taken and given back.
//!
//! When only a part of a charge is captured, Stripe lets go of the rest and books it as refunded: the charge's own total holds it,
//! and of old charges there is a refund of it too. Nobody was given that money back, because nobody had paid it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{amount, sum};
use crate::view::id;

/// What each charge took. Before `amount_captured` came (2020), a charge said only that it was captured; how much of it, the
/// PaymentIntent knows, if it is the only one. One that has received nothing is older than the charge, and knows nothing of it.
pub(super) fn captured(intent: &Value, charges: &[&Value]) -> Vec<i64> {
    let is_captured = |charge: &Value| took(charge) && charge["captured"] == true;
    let received = amount(intent, "amount_received");
    let known = received > 0 && charges.iter().filter(|charge| is_captured(charge)).count() == 1;
    let captured = |charge: &&Value| match charge["amount_captured"].as_i64() {
        Some(captured) if took(charge) => captured,
        None if is_captured(charge) => {
            if known {
                received
            } else {
                amount(charge, "amount")
            }
        }
        Some(_) | None => 0,
    };
    charges.iter().map(captured).collect()
}

fn took(charge: &Value) -> bool {
    charge["paid"] != false && !matches!(charge["status"].as_str(), Some("failed" | "pending"))
}

/// The refunds of one charge.
#[derive(Default)]
struct Refunds {
    /// What each one that stands is of.
    standing: Vec<i64>,
    /// The sum of those that failed or were canceled.
    gone: i64,
}

/// What was given back. For each charge the larger of what its refunds say and what it says itself, whose total may still hold
/// refunds that failed later. A refund that names no charge is of the only one that there is. Where there are more, it may be part
/// of any total, so the larger counts of such refunds and of what the totals say beyond the refunds that name their charge.
///
/// Charges come with what they took. `open` says that the rest of them can still be captured.
pub(super) fn refunded<'a>(
    charges: impl Iterator<Item = (&'a Value, i64)> + Clone,
    refunds: &[&'a Value],
    open: bool,
) -> i64 {
    let mut may_be_of = charges.clone().filter(|(charge, _)| charge["status"] != "failed");
    let only = match (may_be_of.next(), may_be_of.next()) {
        (Some((charge, _)), None) => id(&charge["id"]),
        (_, Some(_)) | (None, None) => None,
    };
    let mut of: BTreeMap<Option<&str>, Refunds> = BTreeMap::new();
    for refund in refunds {
        let (of, amount) = (of.entry(id(&refund["charge"]).or(only)).or_default(), amount(refund, "amount"));
        if matches!(refund["status"].as_str(), Some("failed" | "canceled")) {
            of.gone = of.gone.saturating_add(amount);
        } else {
            of.standing.push(amount);
        }
    }
    let unnamed = of.remove(&None).unwrap_or_default();
    let (mut named, mut beyond) = (0_i64, 0_i64);
    for (charge, captured) in charges {
        let refunds = of.remove(&id(&charge["id"])).unwrap_or_default();
        let (standing, total) = of_charge(charge, if open { 0 } else { captured }, &refunds);
        named = named.saturating_add(standing);
        beyond = beyond.saturating_add(total.saturating_sub(standing).max(0));
    }
    // Refunds of charges that have not come yet.
    named =
        of.into_values().map(|refunds| sum(refunds.standing.into_iter())).fold(named, i64::saturating_add);
    let unnamed = sum(unnamed.standing.into_iter()).max(beyond.saturating_sub(unnamed.gone));
    named.saturating_add(unnamed).max(0)
}

/// What a charge's refunds and its own total say was given back, both without what was let go when only a part was captured.
fn of_charge(charge: &Value, captured: i64, refunds: &Refunds) -> (i64, i64) {
    let (standing, total) = (sum(refunds.standing.iter().copied()), amount(charge, "amount_refunded"));
    let said = total.saturating_sub(refunds.gone);
    let released = amount(charge, "amount").saturating_sub(captured);
    if captured <= 0 || released <= 0 || total < released {
        return (standing, said);
    }
    let said = said.saturating_sub(released).max(0);
    // A refund is of the release for certain if more would have been given back than was taken, and in all likelihood if it is of
    // that very amount and the total has no room for it beside the release.
    let with_release = standing > captured || standing > said && refunds.standing.contains(&released);
    (if with_release { standing.saturating_sub(released).max(0) } else { standing }, said)
}
