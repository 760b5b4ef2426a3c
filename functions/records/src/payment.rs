//! What became of a payment: derived from its PaymentIntent, charges, refunds and disputes, each as Stripe last showed it.
//!
//! Any of them may be missing or late, so what two sources say is never added, but the larger counts: of what was taken, the
//! PaymentIntent and the charges; of what was given back, for each charge its refunds and its own running total. Amounts are
//! integers in the currency's smallest unit, and sums stay at the largest one instead of running over.

mod charges;

use serde::Serialize;
use serde_json::Value;

use charges::{captured, refunded};

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing decided yet.
    Pending,
    /// Paid.
    Completed,
    /// The last attempt failed; another may follow.
    Failed,
    /// Given up.
    Canceled,
    /// A part was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// The bank has taken the money back, or may.
    Disputed,
}

/// A payment's state and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// What became of it.
    pub state: PaymentState,
    /// What was asked for.
    pub amount: i64,
    /// What was taken.
    pub amount_captured: i64,
    /// What was given back.
    pub amount_refunded: i64,
    /// What open and lost disputes are about.
    pub amount_disputed: i64,
}

/// Derives a payment from its objects. Charges that an old or expanded PaymentIntent holds itself count where there is no other
/// word of them.
pub fn derive<'a>(
    intent: &'a Value,
    charges: impl Iterator<Item = &'a Value>,
    refunds: impl Iterator<Item = &'a Value>,
    disputes: impl Iterator<Item = &'a Value>,
) -> Payment {
    let status = intent["status"].as_str().unwrap_or_default();
    let (asked, charges) = (amount(intent, "amount"), and_held(intent, charges));
    let taken = captured(intent, &charges);
    let of_charges = sum(taken.iter().copied());
    let received = intent["amount_received"].as_i64();
    let received = received.unwrap_or(if status == "succeeded" { asked } else { 0 });
    let amount_captured = received.max(of_charges);
    let only_released =
        amount_captured == 0 && (status == "canceled" || charges.iter().any(|charge| is_authorised(charge)));
    // While more may be captured of it, nothing has been let go.
    let open = received > 0 && amount(intent, "amount_capturable") > 0;
    let charges = charges.into_iter().zip(taken);
    let amount_refunded =
        if only_released { 0 } else { refunded(charges, &refunds.collect::<Vec<_>>(), open) };
    // Where nothing has told yet what was taken, a refund still says that something was.
    let taken = if amount_captured > 0 { amount_captured } else { asked };
    let disputes: Vec<&Value> = disputes.filter(|dispute| stands(dispute)).collect();
    let state = if !disputes.is_empty() {
        PaymentState::Disputed
    } else if amount_refunded > 0 && amount_refunded >= taken {
        PaymentState::Refunded
    } else if amount_refunded > 0 {
        PaymentState::PartiallyRefunded
    } else {
        match status {
            "succeeded" => PaymentState::Completed,
            "canceled" => PaymentState::Canceled,
            // `requires_source` is its name before API 2019-02-11.
            "requires_payment_method" | "requires_source" if !intent["last_payment_error"].is_null() => {
                PaymentState::Failed
            }
            _ => PaymentState::Pending,
        }
    };
    let amount_disputed = sum(disputes.into_iter().map(|dispute| amount(dispute, "amount")));
    Payment { state, amount: asked, amount_captured, amount_refunded, amount_disputed }
}

/// The charges that a PaymentIntent holds itself: `charges` up to API 2022-08-01, `latest_charge` if expanded.
pub(crate) fn held(intent: &Value) -> impl Iterator<Item = &Value> {
    let listed = intent["charges"]["data"].as_array().into_iter().flatten();
    listed.chain([&intent["latest_charge"]]).filter(|charge| charge["id"].is_string())
}

fn and_held<'a>(intent: &'a Value, charges: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut all: Vec<&Value> = charges.collect();
    for charge in held(intent) {
        if all.iter().all(|known| known["id"] != charge["id"]) {
            all.push(charge);
        }
    }
    all
}

/// Was the money only set aside, not taken? Stripe marks a charge as refunded also when it lets go of that; nothing is given back
/// then.
fn is_authorised(charge: &Value) -> bool {
    charge["captured"] == false && charge["status"] != "failed"
}

/// Does a dispute stand against the payment? Inquiries do not, nor do those won or prevented, nor, in old API versions, those whose
/// charge was refunded before the inquiry became a dispute.
fn stands(dispute: &Value) -> bool {
    let status = dispute["status"].as_str().unwrap_or_default();
    !status.starts_with("warning_") && !matches!(status, "won" | "prevented" | "charge_refunded")
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

fn amount(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or(0)
}

#[cfg(test)]
mod tests;
