//! Tests of a payment's state and sums.

mod charge_alone;
mod refund_law;

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
fn without_other_objects_the_payment_intent_decides_alone() {
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
fn a_refund_that_failed_does_not_count() {
    assert_eq!(state(paid(), &[charge(2000)], &[refund(2000, "failed")], &[]), (PaymentState::Completed, 0));
    let refunds = [refund(500, "canceled"), refund(700, "succeeded")];
    assert_eq!(state(paid(), &[charge(1200)], &refunds, &[]), (PaymentState::PartiallyRefunded, 700));
}

#[test]
fn an_open_or_lost_dispute_comes_first_and_an_inquiry_does_not_count() {
    let dispute = |status: &str| [json!({"status": status, "amount": 2000})];
    for status in ["needs_response", "under_review", "lost", "appeal_under_review", "a_new_one"] {
        assert_eq!(
            state(paid(), &[charge(2000)], &[], &dispute(status)).0,
            PaymentState::Disputed,
            "{status}"
        );
    }
    for status in ["warning_needs_response", "warning_closed", "won", "prevented", "charge_refunded"] {
        assert_eq!(state(paid(), &[charge(0)], &[], &dispute(status)).0, PaymentState::Completed, "{status}");
    }
}

#[test]
fn sums_are_made_for_each_charge_and_a_failed_one_counts_nothing() {
    let charge = |id: &str, refunded: i64| json!({"id": id, "status": "succeeded", "captured": true, "amount_captured": 1000, "amount_refunded": refunded});
    let refund = |charge: &str, amount: i64, status: &str| json!({"charge": charge, "amount": amount, "status": status});
    // Of one charge only the refund has come, of the other only its own total.
    let charges = [charge("ch_1", 0), charge("ch_2", 300)];
    assert_eq!(
        state(paid(), &charges, &[refund("ch_1", 500, "succeeded")], &[]),
        (PaymentState::PartiallyRefunded, 800)
    );
    // What failed of one charge takes nothing from another's.
    assert_eq!(state(paid(), &charges, &[refund("ch_1", 500, "failed")], &[]).1, 300);
    let declined = json!({"id": "ch_0", "status": "failed", "paid": false, "captured": true, "amount": 2000});
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
fn an_authorization_is_released_and_not_refunded() {
    let released = json!({"id": "ch_1", "status": "succeeded", "captured": false, "refunded": true, "amount": 2000, "amount_captured": 0, "amount_refunded": 2000});
    let refunds = [json!({"charge": "ch_1", "amount": 2000, "status": "succeeded"})];
    for (intent, expected) in [
        (json!({"status": "requires_capture", "amount": 2000, "amount_received": 0}), PaymentState::Pending),
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
    // The charge as it was before it was captured; the PaymentIntent is newer.
    assert_eq!(state(paid(), &[released], &refunds, &[]), (PaymentState::Refunded, 2000));
}

#[test]
fn a_partial_refund_is_partial_also_before_any_object_says_what_was_captured() {
    let intent = json!({"status": "processing", "amount": 2000, "amount_received": 0});
    assert_eq!(state(intent, &[], &[refund(500, "succeeded")], &[]), (PaymentState::PartiallyRefunded, 500));
    // A declined attempt authorizes nothing; the refund is of another charge, which has not come yet.
    let declined = json!({"id": "ch_0", "status": "failed", "captured": false, "amount": 2000});
    let intent = json!({"status": "processing", "amount": 2000, "amount_received": 0});
    let refunds = [refund(500, "succeeded")];
    assert_eq!(state(intent, &[declined], &refunds, &[]), (PaymentState::PartiallyRefunded, 500));
}

#[test]
fn charges_embedded_in_an_old_payment_intent_count_unless_they_have_records() {
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
fn sums_stay_at_the_largest_number_instead_of_overflowing() {
    let most = |id: &str| json!({"id": id, "status": "succeeded", "amount_captured": i64::MAX, "amount_refunded": i64::MAX});
    let (charges, gone) =
        ([most("ch_1"), most("ch_2")], [json!({"charge": "ch_1", "amount": i64::MIN, "status": "failed"})]);
    let disputes = [json!({"amount": i64::MAX}), json!({"amount": i64::MAX})];
    let payment = derive(&json!({}), charges.iter(), gone.iter(), disputes.iter());
    assert_eq!(
        (payment.amount_captured, payment.amount_refunded, payment.amount_disputed),
        (i64::MAX, i64::MAX, i64::MAX)
    );
}

/// A charge of 2000 of which a part was captured, with its own total; old ones do not say how much.
fn partly(captured: i64, total: i64, old: bool) -> Value {
    let mut charge = json!({"id": "ch_1", "status": "succeeded", "paid": true, "captured": true, "amount": 2000, "amount_refunded": total});
    if !old {
        charge["amount_captured"] = captured.into();
    }
    charge
}

#[test]
fn what_was_let_go_when_a_part_was_captured_is_not_refunded() {
    let (none, part, all) =
        (PaymentState::Completed, PaymentState::PartiallyRefunded, PaymentState::Refunded);
    // What a refund is of: money that was captured, or what was let go, which moved none.
    let (paid, released) = (|amount: i64| (amount, false), |amount: i64| (amount, true));
    for (captured, total, refunds, expected) in [
        // Nothing was given back: no refund at all, or one of the release.
        (1500, 500, &[][..], (none, 0)),
        (1500, 500, &[released(500)], (none, 0)),
        (500, 1500, &[], (none, 0)),
        (500, 1500, &[released(1500)], (none, 0)),
        // More than was captured was not paid, whatever the refund says of itself.
        (500, 1500, &[paid(1500)], (none, 0)),
        // A part was: its refund has come or not, with that of the release or without.
        (1500, 800, &[], (part, 300)),
        (1500, 800, &[paid(300)], (part, 300)),
        (1500, 800, &[released(500)], (part, 300)),
        (1500, 800, &[released(500), paid(300)], (part, 300)),
        // As much as was let go.
        (1500, 1000, &[], (part, 500)),
        (1500, 1000, &[paid(500)], (part, 500)),
        (1500, 1000, &[released(500)], (part, 500)),
        (1500, 1000, &[released(500), paid(500)], (part, 500)),
        // All that was taken.
        (1500, 2000, &[], (all, 1500)),
        (1500, 2000, &[paid(1500)], (all, 1500)),
        (1500, 2000, &[released(500), paid(1500)], (all, 1500)),
        (500, 2000, &[released(1500), paid(500)], (all, 500)),
        (500, 2000, &[paid(1200), paid(800)], (all, 500)),
        // The charge is older than the refund, or than the release.
        (1500, 500, &[paid(300)], (part, 300)),
        (1500, 500, &[released(500), paid(300)], (part, 300)),
        (1500, 500, &[paid(500)], (part, 500)),
        (1500, 500, &[paid(500), paid(500)], (part, 1000)),
        (1500, 0, &[paid(300)], (part, 300)),
        (1500, 300, &[], (part, 300)),
    ] {
        let intent = json!({"status": "succeeded", "amount": 2000, "amount_received": captured});
        let refunds: Vec<Value> = refunds
            .iter()
            .map(|(amount, is_release)| {
                let transaction = if *is_release { Value::Null } else { json!("txn_1") };
                json!({"charge": "ch_1", "amount": amount, "status": "succeeded", "balance_transaction": transaction})
            })
            .collect();
        for old in [false, true] {
            let charge = partly(captured, total, old);
            let payment = derive(&intent, [&charge].into_iter(), refunds.iter(), [].iter());
            assert_eq!(payment.amount_captured, captured, "{charge} {refunds:?}");
            assert_eq!((payment.state, payment.amount_refunded), expected, "{charge} {refunds:?}");
        }
    }
}

#[test]
fn a_refund_that_failed_does_not_make_a_release_count() {
    let intent = json!({"status": "succeeded", "amount": 2000, "amount_received": 1500});
    let failed = json!({"charge": "ch_1", "amount": 800, "status": "failed"});
    let release =
        json!({"charge": "ch_1", "amount": 500, "status": "succeeded", "balance_transaction": null});
    for total in [500, 1300] {
        for refunds in [vec![failed.clone()], vec![failed.clone(), release.clone()]] {
            let charge = partly(1500, total, false);
            assert_eq!(state(intent.clone(), &[charge], &refunds, &[]), (PaymentState::Completed, 0));
        }
    }
}

#[test]
fn a_refund_of_as_much_as_was_let_go_counts_also_beside_one_that_failed() {
    let intent = json!({"status": "succeeded", "amount": 1000, "amount_received": 700});
    let charge = |total: i64| json!({"id": "ch_1", "status": "succeeded", "paid": true, "captured": true, "amount": 1000, "amount_captured": 700, "amount_refunded": total});
    let refund = |status: &str| json!({"charge": "ch_1", "amount": 300, "status": status});
    let part = (PaymentState::PartiallyRefunded, 300);
    let both = [refund("failed"), refund("succeeded")];
    assert_eq!(state(intent.clone(), &[charge(600)], &both, &[]), part);
    assert_eq!(
        state(intent.clone(), &[charge(900)], &both, &[]),
        part,
        "the failed one is still in the total"
    );
    // `charge.captured` has come, `charge.refunded` not yet.
    assert_eq!(state(intent, &[charge(300)], &both[1..], &[]), part);
}

#[test]
fn an_old_charge_is_captured_in_full_unless_the_payment_intent_says_which_part() {
    // The PaymentIntent is older than the charge.
    let before = json!({"status": "requires_capture", "amount": 2000, "amount_received": 0});
    let charge = partly(2000, 2000, true);
    let payment = derive(&before, [&charge].into_iter(), [].iter(), [].iter());
    assert_eq!(
        (payment.state, payment.amount_captured, payment.amount_refunded),
        (PaymentState::Refunded, 2000, 2000)
    );
    // Of two charges it is unknown how much of each was captured.
    let intent = json!({"status": "succeeded", "amount": 4000, "amount_received": 3500});
    let mut other = charge.clone();
    other["id"] = "ch_2".into();
    let payment = derive(&intent, [&charge, &other].into_iter(), [].iter(), [].iter());
    assert_eq!((payment.amount_captured, payment.amount_refunded), (4000, 4000));
}

#[test]
fn while_more_can_be_captured_nothing_has_been_released() {
    let intent = json!({"status": "requires_capture", "amount": 2000, "amount_received": 1500, "amount_capturable": 500});
    let refunds = [json!({"charge": "ch_1", "amount": 500, "status": "succeeded"})];
    let charges = [partly(1500, 500, false)];
    assert_eq!(state(intent, &charges, &refunds, &[]), (PaymentState::PartiallyRefunded, 500));
}

#[test]
fn refunds_that_name_none_of_several_charges_are_compared_with_their_totals() {
    let charge = |id: &str, refunded: i64, status: &str| json!({"id": id, "status": status, "paid": status == "succeeded", "captured": true, "amount": 1000, "amount_captured": 1000, "amount_refunded": refunded});
    let refund = |charge: Option<&str>, amount: i64, status: &str| json!({"charge": charge, "payment_intent": "pi_1", "amount": amount, "status": status});
    let refunded = |first: i64, second: i64, refunds: &[Value]| {
        let charges = [charge("ch_1", first, "succeeded"), charge("ch_2", second, "pending")];
        state(paid(), &charges, refunds, &[]).1
    };
    let unnamed = |amount: i64| refund(None, amount, "succeeded");
    let named = refund(Some("ch_1"), 300, "succeeded");
    assert_eq!(refunded(500, 0, &[unnamed(500)]), 500);
    assert_eq!(refunded(0, 0, &[unnamed(500)]), 500);
    assert_eq!(refunded(500, 0, &[unnamed(500), unnamed(200)]), 700);
    assert_eq!(refunded(500, 400, &[unnamed(500)]), 900);
    // What a named refund accounts for is not there for the others.
    assert_eq!(refunded(300, 0, &[named.clone(), unnamed(200)]), 500);
    assert_eq!(refunded(500, 0, &[named.clone(), unnamed(200)]), 500);
    assert_eq!(refunded(500, 0, &[named, unnamed(100)]), 500);
    assert_eq!(refunded(500, 0, &[refund(None, 500, "failed")]), 0);
}
