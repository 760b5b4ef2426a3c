//! What became of a payment: derived from its PaymentIntent, charges, refunds and disputes, each as Stripe last showed it.
//!
//! Any of them may be missing or late, so what two sources say is never added, but the larger counts: of what was taken, the
//! PaymentIntent and the charges; of what was given back, for each charge its refunds and its own running total. Amounts are
//! integers in the currency's smallest unit, and sums stay at the largest one instead of running over.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::view::id;

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
    let of_charges = sum(charges.iter().map(|charge| captured(charge)));
    let received = intent["amount_received"].as_i64();
    let received = received.unwrap_or(if status == "succeeded" { asked } else { 0 });
    let amount_captured = received.max(of_charges);
    let only_released =
        amount_captured == 0 && (status == "canceled" || charges.iter().any(|charge| is_authorised(charge)));
    let amount_refunded = if only_released { 0 } else { refunded(&charges, &refunds.collect::<Vec<_>>()) };
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

/// What a charge took. Before `amount_captured` came (2020), `captured` said it of the whole amount.
fn captured(charge: &Value) -> i64 {
    let paid = charge["paid"] != false && !matches!(charge["status"].as_str(), Some("failed" | "pending"));
    match charge["amount_captured"].as_i64() {
        Some(captured) if paid => captured,
        None if paid && charge["captured"] == true => amount(charge, "amount"),
        Some(_) | None => 0,
    }
}

/// Was the money only set aside, not taken? Stripe marks a charge as refunded also when it lets go of that; nothing is given back
/// then.
fn is_authorised(charge: &Value) -> bool {
    charge["captured"] == false && charge["status"] != "failed"
}

/// For each charge the larger of what its refunds say and what it says itself, whose total may still hold refunds that failed
/// later. A refund that names no charge is of the only one that there is.
fn refunded(charges: &[&Value], refunds: &[&Value]) -> i64 {
    let mut succeeded = charges.iter().filter(|charge| charge["status"] != "failed");
    let only = match (succeeded.next(), succeeded.next()) {
        (Some(charge), None) => id(&charge["id"]),
        (_, Some(_)) | (None, None) => None,
    };
    let named = |refund: &Value| id(&refund["charge"]).or(only).map(str::to_owned);
    let mut of: BTreeMap<Option<String>, [i64; 3]> = BTreeMap::new();
    let mut add = |charge, to: usize, amount: i64| {
        let sums = of.entry(charge).or_default();
        sums[to] = sums[to].saturating_add(amount);
    };
    let (standing, gone, total) = (0, 1, 2);
    for refund in refunds {
        let to =
            if matches!(refund["status"].as_str(), Some("failed" | "canceled")) { gone } else { standing };
        add(named(refund), to, amount(refund, "amount"));
    }
    for charge in charges {
        add(id(&charge["id"]).map(str::to_owned), total, amount(charge, "amount_refunded"));
    }
    sum(of.into_values().map(|[standing, gone, total]| standing.max(total.saturating_sub(gone))))
}

/// Does a dispute stand against the payment? Inquiries do not, nor do those won or prevented.
fn stands(dispute: &Value) -> bool {
    let status = dispute["status"].as_str().unwrap_or_default();
    !status.starts_with("warning_") && !matches!(status, "won" | "prevented")
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
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
            (json!({"status": "requires_source", "last_payment_error": {}}), PaymentState::Failed),
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

    #[test]
    fn sums_are_made_for_each_charge_and_a_failed_one_counts_nothing() {
        let of = |id: &str, refunded: i64| json!({"id": id, "status": "succeeded", "captured": true, "amount_captured": 1000, "amount_refunded": refunded});
        let refund = |charge: &str, amount: i64, status: &str| json!({"charge": charge, "amount": amount, "status": status});
        // Of one charge only the refund has come, of the other only its own total.
        let charges = [of("ch_1", 0), of("ch_2", 300)];
        assert_eq!(
            state(paid(), &charges, &[refund("ch_1", 500, "succeeded")], &[]),
            (PaymentState::PartiallyRefunded, 800)
        );
        // What failed of one charge takes nothing from another's.
        assert_eq!(state(paid(), &charges, &[refund("ch_1", 500, "failed")], &[]).1, 300);
        let declined =
            json!({"id": "ch_0", "status": "failed", "paid": false, "captured": true, "amount": 2000});
        let whole = json!({"id": "ch_3", "status": "succeeded", "paid": true, "captured": true, "amount": 2000, "amount_refunded": 2000});
        let named_by_none = json!({"charge": null, "amount": 2000, "status": "failed"});
        for (refunds, expected) in
            [(vec![], (PaymentState::Refunded, 2000)), (vec![named_by_none], (PaymentState::Completed, 0))]
        {
            let intent = json!({"status": "succeeded", "amount": 2000});
            let charges = [declined.clone(), whole.clone()];
            assert_eq!(state(intent, &charges, &refunds, &[]), expected);
        }
        let pending = json!({"status": "processing", "amount": 2000, "amount_received": 0});
        let charges = [
            json!({"id": "ch_4", "status": "pending", "captured": true, "amount": 2000, "amount_captured": 2000}),
            declined,
        ];
        assert_eq!(derive(&pending, charges.iter(), [].iter(), [].iter()).amount_captured, 0);
    }

    #[test]
    fn an_old_charge_says_only_whether_it_is_captured() {
        let charge = |captured: bool| json!({"id": "ch_1", "status": "succeeded", "paid": true, "captured": captured, "amount": 2000});
        let captured = |charge: Value| {
            derive(&json!({"status": "processing", "amount": 2000}), [charge].iter(), [].iter(), [].iter())
                .amount_captured
        };
        assert_eq!((captured(charge(true)), captured(charge(false))), (2000, 0));
        assert_eq!(captured(json!({"paid": false, "captured": true, "amount": 2000})), 0);
    }

    #[test]
    fn money_that_was_only_set_aside_is_let_go_and_not_refunded() {
        let released = json!({"id": "ch_1", "status": "succeeded", "captured": false, "refunded": true, "amount": 2000, "amount_captured": 0, "amount_refunded": 2000});
        let refunds = [json!({"charge": "ch_1", "amount": 2000, "status": "succeeded"})];
        for (intent, expected) in [
            (
                json!({"status": "requires_capture", "amount": 2000, "amount_received": 0}),
                PaymentState::Pending,
            ),
            (json!({"status": "canceled", "amount": 2000, "amount_received": 0}), PaymentState::Canceled),
        ] {
            assert_eq!(
                state(intent.clone(), std::slice::from_ref(&released), &refunds, &[]),
                (expected, 0),
                "{intent}"
            );
        }
        let canceled = json!({"status": "canceled", "amount": 2000});
        assert_eq!(state(canceled, &[], &refunds, &[]), (PaymentState::Canceled, 0));
        // The charge as it was before it was captured; the PaymentIntent knows better.
        assert_eq!(state(paid(), &[released], &refunds, &[]), (PaymentState::Refunded, 2000));
    }

    #[test]
    fn a_part_of_what_was_asked_for_is_a_part_also_before_anything_tells_what_was_taken() {
        let intent = json!({"status": "processing", "amount": 2000, "amount_received": 0});
        assert_eq!(
            state(intent, &[], &[refund(500, "succeeded")], &[]),
            (PaymentState::PartiallyRefunded, 500)
        );
        // A declined attempt sets nothing aside; the refund is of another charge, which has not come yet.
        let declined = json!({"id": "ch_0", "status": "failed", "captured": false, "amount": 2000});
        let intent = json!({"status": "processing", "amount": 2000, "amount_received": 0});
        let refunds = [refund(500, "succeeded")];
        assert_eq!(state(intent, &[declined], &refunds, &[]), (PaymentState::PartiallyRefunded, 500));
    }

    #[test]
    fn charges_inside_an_old_payment_intent_count_where_there_is_no_other_word_of_them() {
        let charge = |refunded: i64| json!({"id": "ch_1", "status": "succeeded", "captured": true, "amount": 2000, "amount_refunded": refunded});
        let mut old = json!({"status": "succeeded", "amount": 2000, "charges": {"data": [charge(500)]}});
        assert_eq!(state(old.clone(), &[], &[], &[]), (PaymentState::PartiallyRefunded, 500));
        assert_eq!(state(old.clone(), &[charge(2000)], &[], &[]), (PaymentState::Refunded, 2000));
        old["latest_charge"] = charge(500);
        assert_eq!(state(old, &[], &[], &[]), (PaymentState::PartiallyRefunded, 500));
        let expanded = json!({"status": "succeeded", "amount": 2000, "latest_charge": charge(500)});
        assert_eq!(state(expanded, &[], &[], &[]), (PaymentState::PartiallyRefunded, 500));
    }

    #[test]
    fn sums_stay_at_the_largest_number_instead_of_running_over() {
        let most = |id: &str| json!({"id": id, "status": "succeeded", "amount_captured": i64::MAX, "amount_refunded": i64::MAX});
        let (charges, gone) = (
            [most("ch_1"), most("ch_2")],
            [json!({"charge": "ch_1", "amount": i64::MIN, "status": "failed"})],
        );
        let disputes = [json!({"amount": i64::MAX}), json!({"amount": i64::MAX})];
        let payment = derive(&json!({}), charges.iter(), gone.iter(), disputes.iter());
        assert_eq!(
            (payment.amount_captured, payment.amount_refunded, payment.amount_disputed),
            (i64::MAX, i64::MAX, i64::MAX)
        );
    }
}
