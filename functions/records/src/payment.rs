//! What became of a payment: derived from its PaymentIntent, charges, refunds and disputes, each as Stripe last showed it.
//!
//! Any of them may be missing or late. So the refunded sum is the larger of what two sources say: the refunds themselves, and the
//! charge's own running total. Amounts are integers in the currency's smallest unit.

use serde::Serialize;
use serde_json::Value;

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

/// Derives a payment from its objects.
pub fn derive<'a>(
    intent: &Value,
    charges: impl Iterator<Item = &'a Value> + Clone,
    refunds: impl Iterator<Item = &'a Value> + Clone,
    disputes: impl Iterator<Item = &'a Value> + Clone,
) -> Payment {
    let status = intent["status"].as_str().unwrap_or_default();
    let of_charges: i64 = charges.clone().map(|charge| amount(charge, "amount_captured")).sum();
    let amount_captured = amount(intent, "amount_received").max(of_charges);
    let amount_refunded = refunded(charges, refunds);
    let mut counted = disputes.filter(|dispute| counts(dispute)).peekable();
    let disputed = counted.peek().is_some();
    let state = if disputed {
        PaymentState::Disputed
    } else if amount_refunded > 0 && amount_refunded >= amount_captured {
        PaymentState::Refunded
    } else if amount_refunded > 0 {
        PaymentState::PartiallyRefunded
    } else {
        match status {
            "succeeded" => PaymentState::Completed,
            "canceled" => PaymentState::Canceled,
            "requires_payment_method" if !intent["last_payment_error"].is_null() => PaymentState::Failed,
            _ => PaymentState::Pending,
        }
    };
    Payment {
        state,
        amount: amount(intent, "amount"),
        amount_captured,
        amount_refunded,
        amount_disputed: counted.map(|dispute| amount(dispute, "amount")).sum(),
    }
}

/// The larger of what the refunds say and what the charges say. A charge's total may still hold refunds that failed later.
fn refunded<'a>(
    charges: impl Iterator<Item = &'a Value>,
    refunds: impl Iterator<Item = &'a Value> + Clone,
) -> i64 {
    let gone = |refund: &&Value| matches!(refund["status"].as_str(), Some("failed" | "canceled"));
    let standing: i64 =
        refunds.clone().filter(|refund| !gone(refund)).map(|refund| amount(refund, "amount")).sum();
    let returned: i64 = refunds.filter(gone).map(|refund| amount(refund, "amount")).sum();
    let of_charges: i64 = charges.map(|charge| amount(charge, "amount_refunded")).sum();
    standing.max(of_charges - returned)
}

/// Does a dispute stand against the payment? Inquiries do not, nor do those won or prevented.
fn counts(dispute: &Value) -> bool {
    let status = dispute["status"].as_str().unwrap_or_default();
    !status.starts_with("warning_") && !matches!(status, "won" | "prevented")
}

fn amount(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(intent: Value, charges: &[Value], refunds: &[Value], disputes: &[Value]) -> (PaymentState, i64) {
        let payment = derive(&intent, charges.iter(), refunds.iter(), disputes.iter());
        (payment.state, payment.amount_refunded)
    }

    fn paid() -> Value {
        json!({"status": "succeeded", "amount": 2000, "amount_received": 2000})
    }

    fn charge(refunded: i64) -> Value {
        json!({"status": "succeeded", "amount_captured": 2000, "amount_refunded": refunded})
    }

    fn refund(amount: i64, status: &str) -> Value {
        json!({"amount": amount, "status": status})
    }

    #[test]
    fn without_companions_the_intent_alone_tells() {
        for (intent, expected) in [
            (paid(), PaymentState::Completed),
            (json!({"status": "canceled"}), PaymentState::Canceled),
            (
                json!({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}),
                PaymentState::Failed,
            ),
            (json!({"status": "requires_payment_method", "last_payment_error": null}), PaymentState::Pending),
            (json!({"status": "requires_capture"}), PaymentState::Pending),
            (json!({"status": "a_new_one"}), PaymentState::Pending),
            (json!({}), PaymentState::Pending),
        ] {
            assert_eq!(state(intent.clone(), &[], &[], &[]).0, expected, "{intent}");
        }
    }

    #[test]
    fn either_source_of_refunds_alone_is_enough() {
        let (all, part) = (PaymentState::Refunded, PaymentState::PartiallyRefunded);
        assert_eq!(state(paid(), &[charge(2000)], &[], &[]), (all, 2000));
        assert_eq!(state(paid(), &[], &[refund(2000, "succeeded")], &[]), (all, 2000));
        assert_eq!(state(paid(), &[charge(500)], &[refund(500, "pending")], &[]), (part, 500));
        assert_eq!(state(paid(), &[charge(0)], &[refund(500, "succeeded")], &[]), (part, 500));
    }

    #[test]
    fn a_refund_that_failed_is_money_that_stayed() {
        assert_eq!(
            state(paid(), &[charge(2000)], &[refund(2000, "failed")], &[]),
            (PaymentState::Completed, 0)
        );
        let refunds = [refund(500, "canceled"), refund(700, "succeeded")];
        assert_eq!(state(paid(), &[charge(1200)], &refunds, &[]), (PaymentState::PartiallyRefunded, 700));
    }

    #[test]
    fn a_dispute_that_stands_comes_first_and_an_inquiry_does_not_count() {
        let dispute = |status: &str| [json!({"status": status, "amount": 2000})];
        for status in ["needs_response", "under_review", "lost", "appeal_under_review", "a_new_one"] {
            assert_eq!(
                state(paid(), &[charge(2000)], &[], &dispute(status)).0,
                PaymentState::Disputed,
                "{status}"
            );
        }
        for status in ["warning_needs_response", "warning_closed", "won", "prevented"] {
            assert_eq!(
                state(paid(), &[charge(0)], &[], &dispute(status)).0,
                PaymentState::Completed,
                "{status}"
            );
        }
    }
}
