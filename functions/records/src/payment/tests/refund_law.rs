//! The law of refund sums, over drawn payments: captured in full or in part, with refunds that succeed, are
//! pending, fail or are canceled, several of one amount among them, and a charge that is as late as may be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{PaymentState, derive};

/// A charge and its refunds, in the order in which they were made.
#[derive(Debug, Clone)]
struct RefundedCharge {
    amount: i64,
    captured: i64,
    /// Whether what was let go has a refund of its own, as old charges have.
    release_has_refund: bool,
    /// Whether a refund that failed stays in the charge's total.
    failed_stay_in_total: bool,
    refunds: Vec<(i64, &'static str)>,
}

fn counts(status: &str) -> bool {
    !matches!(status, "failed" | "canceled")
}

impl RefundedCharge {
    fn released(&self) -> i64 {
        self.amount - self.captured
    }

    /// What was refunded by the first so many refunds.
    fn refunded(&self, first: usize) -> i64 {
        self.refunds[..first].iter().filter(|(_, status)| counts(status)).map(|(amount, _)| amount).sum()
    }

    /// The charge after so many refunds.
    fn charge(&self, after: usize) -> Value {
        let in_total = |status: &str| counts(status) || self.failed_stay_in_total;
        let of_refunds: i64 = self.refunds[..after]
            .iter()
            .filter(|(_, status)| in_total(status))
            .map(|(amount, _)| amount)
            .sum();
        json!({"id": "ch_1", "status": "succeeded", "paid": true, "captured": true, "amount": self.amount, "amount_captured": self.captured, "amount_refunded": self.released() + of_refunds})
    }

    fn refund(&self, index: usize) -> Value {
        let (amount, status) = self.refunds[index];
        json!({"id": format!("re_{index}"), "charge": "ch_1", "amount": amount, "status": status, "balance_transaction": "txn_1"})
    }

    /// The refund of what was let go, if there is one.
    fn release(&self) -> Option<Value> {
        let refund = json!({"id": "re_release", "charge": "ch_1", "amount": self.released(), "status": "succeeded", "balance_transaction": null});
        Some(refund).filter(|_| self.release_has_refund && self.released() > 0)
    }

    fn intent(&self) -> Value {
        json!({"status": "succeeded", "amount": self.amount, "amount_received": self.captured})
    }
}

prop_compose! {
    fn drawn_charge()(
        amount in 1_i64..=12,
        part in 1_i64..=12,
        // Small numbers, so that refunds often equal each other and what was let go.
        drawn in prop::collection::vec((1_i64..=6, prop::sample::select(vec!["succeeded", "succeeded", "pending", "requires_action", "failed", "canceled"])), 0..6),
        release_has_refund in any::<bool>(),
        failed_stay_in_total in any::<bool>(),
    ) -> RefundedCharge {
        let captured = part.min(amount);
        let mut left = captured;
        // No more is refunded than was captured.
        let refunds = drawn.into_iter().filter(|(amount, status)| {
            let fits = *amount <= left;
            left -= if fits && counts(status) { *amount } else { 0 };
            fits
        }).collect();
        RefundedCharge { amount: amount * 100, captured: captured * 100, release_has_refund, failed_stay_in_total, refunds }.in_hundreds()
    }
}

impl RefundedCharge {
    fn in_hundreds(mut self) -> Self {
        self.refunds.iter_mut().for_each(|(amount, _)| *amount *= 100);
        self
    }
}

proptest! {
    #[test]
    fn once_all_refunds_have_come_their_sum_is_right_however_late_the_charge_is(
        drawn_charge in drawn_charge(), late in 0_usize..6,
    ) {
        let known = drawn_charge.refunds.len();
        let charge = drawn_charge.charge(known.saturating_sub(late));
        let refunds: Vec<Value> = (0..known).map(|index| drawn_charge.refund(index)).chain(drawn_charge.release()).collect();
        let payment = derive(&drawn_charge.intent(), [&charge].into_iter(), refunds.iter(), [].iter());
        let refunded = drawn_charge.refunded(known);
        prop_assert_eq!(payment.amount_refunded, refunded);
        let state = if refunded == 0 {
            PaymentState::Completed
        } else if refunded == drawn_charge.captured {
            PaymentState::Refunded
        } else {
            PaymentState::PartiallyRefunded
        };
        prop_assert_eq!(payment.state, state);
    }

    #[test]
    fn before_all_refunds_have_come_nothing_is_counted_that_was_not_refunded(
        drawn_charge in drawn_charge(), come in prop::collection::vec(any::<bool>(), 6), release_came in any::<bool>(),
    ) {
        let known = drawn_charge.refunds.len();
        let charge = drawn_charge.charge(known);
        let came: Vec<usize> = (0..known).filter(|index| come[*index]).collect();
        let has_failed = drawn_charge.refunds.iter().any(|(_, status)| !counts(status));
        let release = drawn_charge.release().filter(|_| release_came);
        let refunds: Vec<Value> = came.iter().map(|index| drawn_charge.refund(*index)).chain(release).collect();
        let payment = derive(&drawn_charge.intent(), [&charge].into_iter(), refunds.iter(), [].iter());
        let of_those: i64 =
            came.iter().map(|index| drawn_charge.refunds[*index]).filter(|(_, status)| counts(status)).map(|(amount, _)| amount).sum();
        prop_assert!(payment.amount_refunded >= of_those);
        if !has_failed {
            prop_assert_eq!(payment.amount_refunded, drawn_charge.refunded(known), "the charge's total says it");
        }
        if !has_failed || !drawn_charge.failed_stay_in_total {
            prop_assert!(payment.amount_refunded <= drawn_charge.refunded(known));
        }
    }
}
