//! A charge without a PaymentIntent has the state and sums of a payment.

use serde_json::{Value, json};

use super::super::charge_alone::as_payment_intent;
use super::super::{Payment, PaymentState, derive};

fn of_charge(charge: &Value, refunds: &[Value], disputes: &[Value]) -> Payment {
    derive(&as_payment_intent(charge), [charge].into_iter(), refunds.iter(), disputes.iter())
}

#[test]
fn its_state_is_that_of_its_charge() {
    let charge = |fields: Value| {
        let mut charge = json!({"id": "ch_1", "amount": 2000, "amount_captured": 2000, "captured": true, "paid": true, "status": "succeeded"});
        charge.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        charge
    };
    for (fields, state, captured) in [
        (json!({}), PaymentState::Completed, 2000),
        (json!({"status": "failed", "paid": false, "amount_captured": 0}), PaymentState::Failed, 0),
        (json!({"status": null, "paid": false, "amount_captured": null}), PaymentState::Failed, 0),
        (json!({"status": "pending", "paid": false, "amount_captured": 0}), PaymentState::Pending, 0),
        (json!({"captured": false, "amount_captured": 0}), PaymentState::Pending, 0),
        (
            json!({"captured": false, "amount_captured": 0, "refunded": true, "amount_refunded": 2000}),
            PaymentState::Canceled,
            0,
        ),
        // Before 2020 and before 2015.
        (json!({"amount_captured": null}), PaymentState::Completed, 2000),
        (json!({"amount_captured": null, "status": null}), PaymentState::Completed, 2000),
        (json!({"status": "a_new_one"}), PaymentState::Completed, 2000),
    ] {
        let payment = of_charge(&charge(fields.clone()), &[], &[]);
        assert_eq!(
            (payment.state, payment.amount, payment.amount_captured),
            (state, 2000, captured),
            "{fields}"
        );
        assert_eq!(payment.amount_refunded, 0, "{fields}");
    }
}

#[test]
fn its_refunds_and_disputes_count_as_those_of_a_payment() {
    let charge = json!({"id": "ch_1", "amount": 2000, "amount_captured": 1500, "captured": true, "paid": true, "status": "succeeded", "amount_refunded": 500});
    let refund = |amount: i64| json!({"charge": "ch_1", "amount": amount, "status": "succeeded"});
    let state_and_sums = |refunds: &[Value], disputes: &[Value]| {
        let payment = of_charge(&charge, refunds, disputes);
        (payment.state, payment.amount_captured, payment.amount_refunded, payment.amount_disputed)
    };
    assert_eq!(state_and_sums(&[], &[]), (PaymentState::Completed, 1500, 0, 0));
    assert_eq!(state_and_sums(&[refund(500)], &[]), (PaymentState::PartiallyRefunded, 1500, 500, 0));
    assert_eq!(state_and_sums(&[refund(1000), refund(500)], &[]), (PaymentState::Refunded, 1500, 1500, 0));
    let dispute = json!({"charge": "ch_1", "amount": 1500, "status": "needs_response"});
    assert_eq!(state_and_sums(&[], &[dispute]), (PaymentState::Disputed, 1500, 0, 1500));
}
