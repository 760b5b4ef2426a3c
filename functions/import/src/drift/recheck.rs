//! When a mismatch can be compared again: once an event of the change would be here. Pure.
//!
//! An event that could not be delivered comes by reconciliation, five minutes after it was created plus up to
//! ten of the schedule. So a mismatch waits until its account's events are compared with the ledger past it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::account::AccountKey;
use shared::health::{GapReport, StripeView};
use shared::registry::{Mismatch, ReconcileProgress};
use shared::unix_time::{UnixMillis, UnixSeconds};

use super::schedule::EVENT_GRACE;

/// Events of accounts that are not reconciled come by delivery alone. Stripe's first tries are over by then.
const WITHOUT_RECONCILIATION: SignedDuration = SignedDuration::from_mins(30);

/// How far reconciliation has compared events with the ledger.
pub(super) struct ReconcileCoverage {
    pub(super) accounts: BTreeMap<AccountKey, ReconcileProgress>,
    /// The result of the last reconciliation, once there was one.
    pub(super) last: Option<StripeView<GapReport>>,
}

/// Whether a mismatch is old enough that [`ReconcileCoverage`] may allow to compare it again.
pub(super) fn is_old_enough(mismatch: &Mismatch, now: Timestamp) -> bool {
    mismatch.at <= UnixMillis::from(now - EVENT_GRACE)
}

impl ReconcileCoverage {
    /// Whether an event of the change would be here by now.
    pub(super) fn allows_recheck(&self, mismatch: &Mismatch, now: Timestamp) -> bool {
        let found_at = UnixSeconds::from(mismatch.at);
        match self.accounts.get(mismatch.key.account_key()) {
            Some(account) if account.until > found_at => is_old_enough(mismatch, now),
            Some(_) if self.will_pass(found_at) => false,
            Some(_) | None => mismatch.at <= UnixMillis::from(now - WITHOUT_RECONCILIATION),
        }
    }

    /// Whether reconciliation is still to get past this second in each account that it compares. An account
    /// that is behind when it has is not compared: it was disconnected, or no endpoint listens to it.
    fn will_pass(&self, second: UnixSeconds) -> bool {
        match &self.last {
            Some(StripeView::NotAsked | StripeView::KeyRejected(_) | StripeView::Forbidden(_)) => false,
            Some(StripeView::Answered { value, .. }) => value.until <= second,
            Some(StripeView::Unavailable(_)) | None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::stripe::StripeFailure;

    use super::*;

    const FOUND_AT: i64 = 1_000_000;

    fn is_allowed_after(
        minutes: i64,
        account: &str,
        until: Option<i64>,
        last: Option<StripeView<GapReport>>,
    ) -> bool {
        let key = format!("{account}/customer/cus_1").parse().unwrap();
        let mismatch = Mismatch { key, at: UnixMillis::new(FOUND_AT * 1_000 + 999), reported: false };
        let progress = |until: i64| {
            (
                account.parse().unwrap(),
                ReconcileProgress {
                    until: UnixSeconds::new(until),
                    unfinished: None,
                    failed: false,
                    refused_at: None,
                },
            )
        };
        let coverage = ReconcileCoverage { accounts: until.map(progress).into_iter().collect(), last };
        let now = Timestamp::from_second(FOUND_AT + 1).unwrap() + SignedDuration::from_mins(minutes);
        coverage.allows_recheck(&mismatch, now)
    }

    fn up_to(until: i64) -> Option<StripeView<GapReport>> {
        Some(StripeView::Answered {
            value: GapReport { until: UnixSeconds::new(until), ..GapReport::default() },
            request_id: None,
        })
    }

    fn failure() -> StripeFailure {
        StripeFailure {
            status: Some(403),
            kind: None,
            code: None,
            message: "no".into(),
            param: None,
            request_id: None,
        }
    }

    #[test]
    fn it_waits_until_its_accounts_events_are_compared_past_it_and_ten_minutes_at_least() {
        for account in ["-", "acct_1"] {
            for (minutes, until, is_allowed) in [
                (9, FOUND_AT + 300, false),
                (10, FOUND_AT + 300, true),
                (10, FOUND_AT + 1, true),
                (10, FOUND_AT, false),
                (600, FOUND_AT, false),
            ] {
                let case = format!("{account} {minutes} {until}");
                assert_eq!(
                    is_allowed_after(minutes, account, Some(until), up_to(until)),
                    is_allowed,
                    "{case}"
                );
            }
        }
    }

    #[test]
    fn without_reconciliation_it_waits_for_half_an_hour() {
        let behind = Some(FOUND_AT - 500);
        for (until, last) in [
            (None, None),
            (None, up_to(FOUND_AT + 900)),
            (behind, Some(StripeView::Forbidden(failure()))),
            (behind, Some(StripeView::KeyRejected(failure()))),
            (behind, Some(StripeView::NotAsked)),
            // All accounts that are reconciled are past it.
            (behind, up_to(FOUND_AT + 1)),
        ] {
            let after = |minutes| is_allowed_after(minutes, "acct_1", until, last.clone());
            assert_eq!((after(29), after(30)), (false, true), "{until:?} {last:?}");
        }
        for last in [None, Some(StripeView::Unavailable(failure())), up_to(FOUND_AT)] {
            assert!(!is_allowed_after(600, "acct_1", behind, last.clone()), "{last:?}");
        }
    }
}
