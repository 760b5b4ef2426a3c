//! Each thing that is wrong with payouts is a warning with its own words, and nothing is fine that nobody
//! looked at.

use shared::kind::Kind;
use shared::registry::{Halt, PayoutProgress, RefusedKind, Sampled};

use super::*;

const CODES: [&str; 2] = ["payouts_add_up", "payouts_arrive"];

fn progress(inputs: &mut StatusInputs) -> &mut PayoutProgress {
    inputs.payout_progress.as_mut().unwrap()
}

fn refused() -> Sampled<RefusedKind> {
    let mut refused = Sampled::default();
    refused.add(RefusedKind { account: None, kind: Kind::BALANCE_TRANSACTION, failure: failure() });
    refused
}

#[test]
fn nothing_is_fine_that_nobody_has_looked_at() {
    let cases: [fn(&mut StatusInputs); 3] = [
        |inputs| inputs.payouts = None,
        |inputs| inputs.payout_progress = None,
        |inputs| progress(inputs).last = None,
    ];
    for change in cases {
        let mut inputs = healthy();
        change(&mut inputs);
        let report = run(&inputs);
        assert_eq!(unknown(&report), CODES);
        assert_eq!(failing(&report), Vec::<&str>::new());
    }
}

#[test]
fn a_night_that_was_missed_twice_or_refused_is_told() {
    let mut inputs = healthy();
    progress(&mut inputs).last.as_mut().unwrap().finished_at = ago(48 * 3_600 + 1);
    assert_eq!(failing(&run(&inputs)), CODES);
    progress(&mut inputs).last.as_mut().unwrap().finished_at = ago(48 * 3_600);
    assert_eq!(failing(&run(&inputs)), Vec::<&str>::new());
    progress(&mut inputs).last.as_mut().unwrap().refused = refused();
    assert_eq!(failing(&run(&inputs)), CODES);
}

#[test]
fn the_remedy_goes_by_the_cause() {
    type Change = fn(&mut StatusInputs);
    let cases: [(Change, &str); 5] = [
        (|inputs| progress(inputs).refused = refused(), "rak_balance_transaction_source_read"),
        (|inputs| waits(inputs, Some(Halt::NoKey)), "set one with PUT /settings/stripe-key"),
        (|inputs| waits(inputs, Some(Halt::KeyRejected(Box::new(failure())))), "set another"),
        (|inputs| waits(inputs, Some(Halt::NoAnswer(Box::new(failure())))), "status.stripe.com"),
        (|inputs| waits(inputs, None), "log and its schedule"),
    ];
    for (change, remedy) in cases {
        let mut inputs = healthy();
        change(&mut inputs);
        let report = run(&inputs);
        let check = all(&report).find(|check| check.code == "payouts_add_up").unwrap();
        assert_eq!(check.outcome, CheckOutcome::Failed);
        assert!(check.remedy.as_ref().unwrap().contains(remedy), "{:?}", check.remedy);
    }
}

fn waits(inputs: &mut StatusInputs, halt: Option<Halt>) {
    payouts(inputs).to_list_since = Some(seconds_ago(3_601));
    progress(inputs).halted = halt;
}
