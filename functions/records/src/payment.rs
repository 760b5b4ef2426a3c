//! A payment's state and sums: derived from its PaymentIntent, charges, refunds and disputes, each as Stripe
//! last showed it. A charge without a PaymentIntent stands for one.
//!
//! Any of them may be missing or late, so what two sources say is never added, but the larger counts: of what
//! was captured, the PaymentIntent and the charges; of what was refunded, for each charge its refunds and its
//! own running total. Amounts are integers in the currency's smallest unit, and sums stay at the largest
//! integer instead of overflowing.

mod amounts;
mod charge_alone;
mod charges;
pub(crate) mod history;
pub(crate) mod parts;

use serde::Serialize;
use serde_json::Value;

use self::amounts::{amount, sum};
use self::charges::{captured_amounts, refunded_amount};

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentState {
    /// Nothing is decided yet.
    Pending,
    /// Paid.
    Completed,
    /// The last attempt failed; another may follow.
    Failed,
    /// Canceled before it was paid.
    Canceled,
    /// A part was refunded.
    PartiallyRefunded,
    /// All of it was refunded.
    Refunded,
    /// The bank has taken the money back, or may.
    Disputed,
}

/// A payment's state and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Payment {
    pub(crate) state: PaymentState,
    /// What was to be paid.
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    pub(crate) amount_refunded: i64,
    /// What open and lost disputes are about.
    pub(crate) amount_disputed: i64,
}

/// Derives a payment from its objects. Charges embedded in an old or expanded PaymentIntent count unless they
/// are among `charges`.
pub(crate) fn derive<'a>(
    intent: &'a Value,
    charges: impl Iterator<Item = &'a Value>,
    refunds: impl Iterator<Item = &'a Value>,
    disputes: impl Iterator<Item = &'a Value>,
) -> Payment {
    let status = intent["status"].as_str().unwrap_or_default();
    let (amount_asked, charges) = (amount(intent, "amount"), with_embedded_charges(intent, charges));
    let captured = captured_amounts(intent, &charges);
    let captured_by_charges = sum(captured.iter().copied());
    let received = intent["amount_received"].as_i64();
    let received = received.unwrap_or(if status == "succeeded" { amount_asked } else { 0 });
    let amount_captured = received.max(captured_by_charges);
    let is_only_released = amount_captured == 0
        && (status == "canceled" || charges.iter().any(|charge| is_only_authorized(charge)));
    // While more may be captured of it, nothing has been released.
    let is_capturable = received > 0 && amount(intent, "amount_capturable") > 0;
    let charges = charges.into_iter().zip(captured);
    let amount_refunded = if is_only_released {
        0
    } else {
        refunded_amount(charges, &refunds.collect::<Vec<_>>(), is_capturable)
    };
    // Where no object says yet what was captured, a refund still shows that something was.
    let refundable = if amount_captured > 0 { amount_captured } else { amount_asked };
    let disputes: Vec<&Value> = disputes.filter(|dispute| is_open_or_lost(dispute)).collect();
    let state = if !disputes.is_empty() {
        PaymentState::Disputed
    } else if amount_refunded > 0 && amount_refunded >= refundable {
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
    Payment { state, amount: amount_asked, amount_captured, amount_refunded, amount_disputed }
}

/// The charges embedded in a PaymentIntent: `charges` up to API 2022-08-01, `latest_charge` if expanded.
fn embedded_charges(intent: &Value) -> impl Iterator<Item = &Value> {
    let listed = intent["charges"]["data"].as_array().into_iter().flatten();
    listed.chain([&intent["latest_charge"]]).filter(|charge| charge["id"].is_string())
}

fn with_embedded_charges<'a>(intent: &'a Value, charges: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut all: Vec<&Value> = charges.collect();
    for charge in embedded_charges(intent) {
        if all.iter().all(|other| other["id"] != charge["id"]) {
            all.push(charge);
        }
    }
    all
}

/// Whether the money was only authorized, not captured. Stripe marks a charge as refunded also when it
/// releases the authorization; nothing is refunded then.
fn is_only_authorized(charge: &Value) -> bool {
    charge["captured"] == false && charge["status"] != "failed"
}

/// Whether a dispute counts against the payment. Inquiries do not, nor do disputes that were won or
/// prevented, nor, in old API versions, those whose charge was refunded before the inquiry became a dispute.
fn is_open_or_lost(dispute: &Value) -> bool {
    let status = dispute["status"].as_str().unwrap_or_default();
    !status.starts_with("warning_") && !matches!(status, "won" | "prevented" | "charge_refunded")
}

#[cfg(test)]
mod tests;
