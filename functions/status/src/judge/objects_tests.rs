//! Each trouble of comparing or importing is a warning of its own, and nothing is said where there is nothing to say.

use shared::endpoint::EndpointState;
use shared::object_key::Kind;
use shared::registry::{
    Difference, DriftPass, DriftProgress, DriftReport, FinishedPass, Halt, Import, ImportState, RefusedList,
    Sampled, UncomparedObject,
};

use super::judge;
use super::tests::{ago, failing, failure, now, well};
use crate::facts::Facts;
use crate::verdict::Condition;

const A_MINUTE: i64 = 60;
const AN_HOUR: i64 = 3_600;

fn finished(seconds: i64) -> DriftProgress {
    let at = ago(seconds);
    let last = FinishedPass { begun_at: at, finished_at: at, until: at, seen: DriftReport::default() };
    DriftProgress { last: Some(last), ..DriftProgress::default() }
}

fn seen(facts: &mut Facts) -> &mut DriftReport {
    &mut facts.comparison.as_mut().unwrap().last.as_mut().unwrap().seen
}

fn walk(seconds: i64) -> DriftPass {
    let at = ago(seconds);
    DriftPass {
        begun_at: at,
        since: at,
        until: at,
        after: None,
        walked: false,
        doubts: vec![],
        stuck: None,
        seen: DriftReport::default(),
    }
}

fn import(state: ImportState) -> Import {
    Import {
        id: "0000000001-a".into(),
        since: None,
        kinds: Kind::ALL.to_vec(),
        by: "a@example.com".into(),
        begun_at: ago(AN_HOUR),
        state,
        ended_at: None,
        moved_at: ago(5 * A_MINUTE),
        halted: None,
        refused: Sampled::default(),
        rev: 3,
    }
}

fn refused(kind: Kind) -> RefusedList {
    RefusedList { account: None, kind, failure: failure() }
}

fn unread() -> UncomparedObject {
    UncomparedObject { key: "acct_1/invoice/in_1".parse().unwrap(), failure: failure() }
}

fn refused_and_ended(state: ImportState, seconds: i64) -> Import {
    let mut import = Import { ended_at: Some(ago(seconds)), ..import(state) };
    import.refused.note(refused(Kind::Customer));
    import
}

/// A stack that has had a key and an endpoint for a week, and compared last night.
fn old() -> Facts {
    let mut facts = well();
    facts.endpoints[0].row.created_at = ago(7 * 24 * AN_HOUR);
    facts.key_since = Some(now() - jiff::SignedDuration::from_hours(7 * 24));
    facts.comparison = Some(finished(10 * AN_HOUR));
    facts
}

#[test]
fn each_trouble_is_a_warning_and_nothing_is_said_without_one() {
    type Trouble = fn(&mut Facts);
    let compared: &[&str] = &["records_as_stripe"];
    let imported: &[&str] = &["import_goes_on"];
    let troubles: [(Trouble, &[&str]); 25] = [
        (|_| {}, &[]),
        (
            |f| {
                seen(f).differed.note(Difference {
                    key: "-/invoice/in_1".parse().unwrap(),
                    fields: vec!["status".into()],
                });
            },
            compared,
        ),
        (|f| seen(f).refused.note(refused(Kind::Dispute)), compared),
        (|f| seen(f).unread.note(unread()), compared),
        (|f| seen(f).missing.note("-/invoice/in_1".parse().unwrap()), compared),
        (|f| seen(f).too_large.note("-/invoice/in_1".parse().unwrap()), compared),
        // Two days, and those who would have to be there for them.
        (|f| f.comparison = Some(finished(48 * AN_HOUR)), &[]),
        (|f| f.comparison = Some(finished(48 * AN_HOUR + 1)), compared),
        (|f| f.comparison = None, compared),
        (
            |f| {
                f.comparison =
                    Some(DriftProgress { walk: Some(walk(47 * AN_HOUR)), ..DriftProgress::default() })
            },
            &[],
        ),
        (
            |f| {
                f.comparison =
                    Some(DriftProgress { walk: Some(walk(49 * AN_HOUR)), ..DriftProgress::default() })
            },
            compared,
        ),
        (
            |f| {
                let walk = Some(walk(30 * AN_HOUR));
                f.comparison = Some(DriftProgress { walk, ..finished(50 * AN_HOUR) });
            },
            compared,
        ),
        (|f| (f.comparison, f.key_since) = (None, None), &[]),
        (|f| (f.comparison, f.endpoints[0].row.created_at) = (None, ago(AN_HOUR)), &[]),
        (|f| f.import = Some(import(ImportState::Running)), &[]),
        (
            |f| f.import = Some(Import { moved_at: ago(15 * A_MINUTE + 1), ..import(ImportState::Running) }),
            imported,
        ),
        (
            |f| {
                let halted = Some(Halt::NoAnswer(Box::new(failure())));
                f.import = Some(Import { halted, ..import(ImportState::Running) });
            },
            &[],
        ),
        (
            |f| {
                let halted = Some(Halt::KeyRejected(Box::new(failure())));
                f.import =
                    Some(Import { halted, moved_at: ago(16 * A_MINUTE), ..import(ImportState::Running) });
            },
            imported,
        ),
        (|f| f.import = Some(Import { moved_at: ago(AN_HOUR), ..import(ImportState::Finished) }), &[]),
        (|f| f.import = Some(Import { moved_at: ago(AN_HOUR), ..import(ImportState::Stopped) }), &[]),
        (
            |f| {
                let mut import = import(ImportState::Running);
                import.refused.note(refused(Kind::Customer));
                f.import = Some(import);
            },
            imported,
        ),
        // What was refused is told for a week after the end.
        (|f| f.import = Some(refused_and_ended(ImportState::Finished, 7 * 24 * AN_HOUR)), imported),
        (|f| f.import = Some(refused_and_ended(ImportState::Finished, 7 * 24 * AN_HOUR + 1)), &[]),
        (|f| f.import = Some(refused_and_ended(ImportState::Stopped, AN_HOUR)), imported),
        (|f| f.import = Some(refused_and_ended(ImportState::Stopped, 8 * 24 * AN_HOUR)), &[]),
    ];
    for (i, (trouble, expected)) in troubles.into_iter().enumerate() {
        let mut facts = old();
        trouble(&mut facts);
        let status = judge(&facts);
        assert_eq!((failing(&status), status.status), (expected.to_vec(), Condition::Active), "trouble {i}");
    }
}

#[test]
fn nobody_who_hears_no_event_has_to_compare() {
    let mut facts = old();
    facts.comparison = None;
    facts.endpoints[0].row.state = EndpointState::Disabled;
    assert!(!failing(&judge(&facts)).contains(&"records_as_stripe"));
}

#[test]
fn what_is_refused_and_what_differed_are_named() {
    let mut facts = old();
    seen(&mut facts).looked_at = 7;
    seen(&mut facts).differed.note(Difference {
        key: "acct_1/payment_intent/pi_1".parse().unwrap(),
        fields: vec!["status".into(), "amount".into()],
    });
    let check =
        |facts: &Facts, code| judge(facts).checks.into_iter().find(|check| check.code == code).unwrap();
    let differed = check(&facts, "records_as_stripe");
    assert!(differed.summary.starts_with("1 of 7 records"), "{}", differed.summary);
    assert_eq!(
        differed.evidence["last"]["first_that_differed"],
        serde_json::json!([{ "kind": "payments", "id": "pi_1", "account": "acct_1", "fields": ["status", "amount"] }])
    );
    for kind in [Kind::Refund, Kind::Customer, Kind::Refund] {
        seen(&mut facts).refused.note(refused(kind));
    }
    let refused = check(&facts, "records_as_stripe");
    assert!(refused.summary.contains("may not read customers, refunds,"), "{}", refused.summary);
    assert_eq!(refused.evidence["last"]["refused"][0]["said"]["stripe_request"], "req_2");
    facts.comparison = Some(finished(10 * AN_HOUR));
    seen(&mut facts).unread.note(unread());
    let evidence = &check(&facts, "records_as_stripe").evidence["last"]["first_unread"][0];
    assert_eq!(
        (&evidence["id"], &evidence["said"]["stripe_request"]),
        (&serde_json::json!("in_1"), &serde_json::json!("req_2"))
    );
    facts.import =
        Some(Import { halted: Some(Halt::NoKey), moved_at: ago(AN_HOUR), ..import(ImportState::Running) });
    let still = check(&facts, "import_goes_on");
    assert!(still.summary.contains("no Stripe key"), "{}", still.summary);
    assert_eq!(still.evidence["halted"]["why"], "no_key");
}
