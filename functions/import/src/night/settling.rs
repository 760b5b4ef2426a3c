//! When a doubt can be settled: once an event that tells of the change would be here. Pure.
//!
//! An event that could not be delivered comes by reconciliation, five minutes after it was made plus up to its schedule's ten. So a
//! doubt waits until its account's events are compared past it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::health::{GapReport, StripeView};
use shared::registry::{Mismatch, ReconcileProgress};

use super::ON_THEIR_WAY;

/// What nobody compares comes by delivery alone. Stripe's first tries are over by then.
const AT_LAST: SignedDuration = SignedDuration::from_mins(30);

/// How far the events of each account are compared with the ledger.
pub(super) struct EventsCompared {
    /// By account; `-` is our own.
    pub(super) accounts: BTreeMap<String, ReconcileProgress>,
    /// What the last comparison of events came to, once reconciliation has run.
    pub(super) last: Option<StripeView<GapReport>>,
}

/// Is it time to look whether `EventsCompared` lets it be settled?
pub(super) fn is_old(doubt: &Mismatch, now: Timestamp) -> bool {
    doubt.at <= (now - ON_THEIR_WAY).as_millisecond()
}

impl EventsCompared {
    /// Would an event that tells of it be here?
    pub(super) fn settles(&self, doubt: &Mismatch, now: Timestamp) -> bool {
        let second = doubt.at.div_euclid(1_000);
        let compared = self.accounts.get(doubt.key.account().unwrap_or("-"));
        match compared {
            Some(compared) if compared.until > second => is_old(doubt, now),
            Some(_) if self.goes_on_to(second) => false,
            Some(_) | None => doubt.at <= (now - AT_LAST).as_millisecond(),
        }
    }

    /// Will reconciliation get past this second in each account that it compares? If it has done so, and one is not, it does not
    /// compare that: it has left, or no endpoint listens to it any more.
    fn goes_on_to(&self, second: i64) -> bool {
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

    const LOOKED_AT: i64 = 1_000_000;

    fn settles_after(
        minutes: i64,
        account: &str,
        until: Option<i64>,
        last: Option<StripeView<GapReport>>,
    ) -> bool {
        let key = format!("{account}/customer/cus_1").parse().unwrap();
        let doubt = Mismatch { key, at: LOOKED_AT * 1_000 + 999, told: false };
        let compared = |until| {
            (
                account.to_owned(),
                ReconcileProgress { until, unfinished: None, failed: false, refused_at: None },
            )
        };
        let compared = EventsCompared { accounts: until.map(compared).into_iter().collect(), last };
        let now = Timestamp::from_second(LOOKED_AT + 1).unwrap() + SignedDuration::from_mins(minutes);
        compared.settles(&doubt, now)
    }

    fn up_to(until: i64) -> Option<StripeView<GapReport>> {
        Some(StripeView::Answered { value: GapReport { until, ..GapReport::default() }, request_id: None })
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
            for (minutes, until, settles) in [
                (9, LOOKED_AT + 300, false),
                (10, LOOKED_AT + 300, true),
                (10, LOOKED_AT + 1, true),
                (10, LOOKED_AT, false),
                (600, LOOKED_AT, false),
            ] {
                let what = format!("{account} {minutes} {until}");
                assert_eq!(settles_after(minutes, account, Some(until), up_to(until)), settles, "{what}");
            }
        }
    }

    #[test]
    fn what_nobody_compares_is_settled_after_half_an_hour() {
        let behind = Some(LOOKED_AT - 500);
        for (until, last) in [
            (None, None),
            (None, up_to(LOOKED_AT + 900)),
            (behind, Some(StripeView::Forbidden(failure()))),
            (behind, Some(StripeView::KeyRejected(failure()))),
            (behind, Some(StripeView::NotAsked)),
            // All that are compared are past it.
            (behind, up_to(LOOKED_AT + 1)),
        ] {
            let at = |minutes| settles_after(minutes, "acct_1", until, last.clone());
            assert_eq!((at(29), at(30)), (false, true), "{until:?} {last:?}");
        }
        for last in [None, Some(StripeView::Unavailable(failure())), up_to(LOOKED_AT)] {
            assert!(!settles_after(600, "acct_1", behind, last.clone()), "{last:?}");
        }
    }
}
