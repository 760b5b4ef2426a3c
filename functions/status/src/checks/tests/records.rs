//! Each thing that is wrong with comparing or importing is a warning of its own, and all else is none.

use shared::kind::Kind;
use shared::registry::{
    Difference, DriftPass, DriftProgress, DriftReport, FinishedPass, Halt, Import, ImportState, RefusedKind,
    Sampled, UncomparedObject,
};

use super::*;

const A_MINUTE: i64 = 60;
const AN_HOUR: i64 = 3_600;

fn finished(seconds: i64) -> DriftProgress {
    let at = ago(seconds);
    let last = FinishedPass { begun_at: at, finished_at: at, until: at, report: DriftReport::default() };
    DriftProgress { last: Some(last), ..DriftProgress::default() }
}

fn drift_report(inputs: &mut StatusInputs) -> &mut DriftReport {
    &mut inputs.drift.as_mut().unwrap().last.as_mut().unwrap().report
}

fn pass(seconds: i64) -> DriftPass {
    let at = ago(seconds);
    DriftPass {
        begun_at: at,
        since: at,
        until: at,
        after: None,
        all_listed: false,
        mismatches: vec![],
        unanswered: None,
        report: DriftReport::default(),
    }
}

fn import(state: ImportState) -> Import {
    Import {
        id: "0000000001-a".into(),
        since: None,
        kinds: Kind::all().collect(),
        by: "a@example.com".into(),
        begun_at: ago(AN_HOUR),
        state,
        ended_at: None,
        moved_at: ago(5 * A_MINUTE),
        halted: None,
        accounts: shared::registry::AccountList::default(),
        refused: Sampled::default(),
        rev: 3,
    }
}

fn refused(kind: Kind) -> RefusedKind {
    RefusedKind { account: None, kind, failure: failure() }
}

fn uncompared() -> UncomparedObject {
    UncomparedObject { key: "acct_1/invoice/in_1".parse().unwrap(), failure: failure() }
}

fn refused_and_ended(state: ImportState, seconds: i64) -> Import {
    let mut import = Import { ended_at: Some(ago(seconds)), ..import(state) };
    import.refused.add(refused(Kind::CUSTOMER));
    import
}

/// A stack that has had a key and an endpoint for a week, and compared last night.
fn week_old() -> StatusInputs {
    let mut inputs = healthy();
    inputs.endpoints[0].row.created_at = ago(7 * 24 * AN_HOUR);
    inputs.key_since = Some(now() - SignedDuration::from_hours(7 * 24));
    inputs.drift = Some(finished(10 * AN_HOUR));
    inputs
}

#[test]
fn each_thing_that_is_wrong_is_a_warning_and_all_else_is_none() {
    type Change = fn(&mut StatusInputs);
    let compared: &[&str] = &["records_as_stripe"];
    let imported: &[&str] = &["import_goes_on"];
    let cases: [(Change, &[&str]); 25] = [
        (|_| {}, &[]),
        (
            |inputs| {
                drift_report(inputs).differed.add(Difference {
                    key: "-/invoice/in_1".parse().unwrap(),
                    fields: vec!["status".into()],
                });
            },
            compared,
        ),
        (|inputs| drift_report(inputs).refused.add(refused(Kind::DISPUTE)), compared),
        (|inputs| drift_report(inputs).unread.add(uncompared()), compared),
        (|inputs| drift_report(inputs).missing.add("-/invoice/in_1".parse().unwrap()), compared),
        (|inputs| drift_report(inputs).too_large.add("-/invoice/in_1".parse().unwrap()), compared),
        // Two days, and those who would have to be there for them.
        (|inputs| inputs.drift = Some(finished(48 * AN_HOUR)), &[]),
        (|inputs| inputs.drift = Some(finished(48 * AN_HOUR + 1)), compared),
        (|inputs| inputs.drift = None, compared),
        (
            |inputs| {
                inputs.drift =
                    Some(DriftProgress { pass: Some(pass(47 * AN_HOUR)), ..DriftProgress::default() })
            },
            &[],
        ),
        (
            |inputs| {
                inputs.drift =
                    Some(DriftProgress { pass: Some(pass(49 * AN_HOUR)), ..DriftProgress::default() })
            },
            compared,
        ),
        (
            |inputs| {
                let pass = Some(pass(30 * AN_HOUR));
                inputs.drift = Some(DriftProgress { pass, ..finished(50 * AN_HOUR) });
            },
            compared,
        ),
        (|inputs| (inputs.drift, inputs.key_since) = (None, None), &[]),
        (|inputs| (inputs.drift, inputs.endpoints[0].row.created_at) = (None, ago(AN_HOUR)), &[]),
        (|inputs| inputs.import = Some(import(ImportState::Running)), &[]),
        (
            |inputs| {
                inputs.import =
                    Some(Import { moved_at: ago(15 * A_MINUTE + 1), ..import(ImportState::Running) })
            },
            imported,
        ),
        (
            |inputs| {
                let halted = Some(Halt::NoAnswer(Box::new(failure())));
                inputs.import = Some(Import { halted, ..import(ImportState::Running) });
            },
            &[],
        ),
        (
            |inputs| {
                let halted = Some(Halt::KeyRejected(Box::new(failure())));
                inputs.import =
                    Some(Import { halted, moved_at: ago(16 * A_MINUTE), ..import(ImportState::Running) });
            },
            imported,
        ),
        (
            |inputs| inputs.import = Some(Import { moved_at: ago(AN_HOUR), ..import(ImportState::Finished) }),
            &[],
        ),
        (
            |inputs| inputs.import = Some(Import { moved_at: ago(AN_HOUR), ..import(ImportState::Stopped) }),
            &[],
        ),
        (
            |inputs| {
                let mut import = import(ImportState::Running);
                import.refused.add(refused(Kind::CUSTOMER));
                inputs.import = Some(import);
            },
            imported,
        ),
        // What was refused is a warning for a week after the end.
        (|inputs| inputs.import = Some(refused_and_ended(ImportState::Finished, 7 * 24 * AN_HOUR)), imported),
        (|inputs| inputs.import = Some(refused_and_ended(ImportState::Finished, 7 * 24 * AN_HOUR + 1)), &[]),
        (|inputs| inputs.import = Some(refused_and_ended(ImportState::Stopped, AN_HOUR)), imported),
        (|inputs| inputs.import = Some(refused_and_ended(ImportState::Stopped, 8 * 24 * AN_HOUR)), &[]),
    ];
    for (i, (change, expected)) in cases.into_iter().enumerate() {
        let mut inputs = week_old();
        change(&mut inputs);
        let report = run(&inputs);
        assert_eq!((failing(&report), report.status), (expected.to_vec(), HealthStatus::Active), "case {i}");
    }
}

#[test]
fn without_an_active_endpoint_nothing_has_to_be_compared() {
    let mut inputs = week_old();
    inputs.drift = None;
    inputs.endpoints[0].row.state = EndpointState::Disabled;
    assert!(!failing(&run(&inputs)).contains(&"records_as_stripe"));
}

#[test]
fn what_is_refused_and_what_differed_are_named() {
    let mut inputs = week_old();
    drift_report(&mut inputs).looked_at = 7;
    drift_report(&mut inputs).differed.add(Difference {
        key: "acct_1/payment_intent/pi_1".parse().unwrap(),
        fields: vec!["status".into(), "amount".into()],
    });
    let check = |inputs: &StatusInputs, code| {
        run(inputs).checks.into_iter().find(|check| check.code == code).unwrap()
    };
    let differed = check(&inputs, "records_as_stripe");
    assert!(differed.summary.starts_with("1 of 7 records"), "{}", differed.summary);
    assert_eq!(
        differed.evidence["last"]["first_that_differed"],
        json!([{ "kind": "payments", "id": "pi_1", "account": "acct_1", "fields": ["status", "amount"] }])
    );
    for kind in [Kind::REFUND, Kind::CUSTOMER, Kind::REFUND] {
        drift_report(&mut inputs).refused.add(refused(kind));
    }
    let refused = check(&inputs, "records_as_stripe");
    assert!(refused.summary.contains("may not read customers, refunds,"), "{}", refused.summary);
    assert_eq!(refused.evidence["last"]["refused"][0]["said"]["stripe_request"], "req_2");
    inputs.drift = Some(finished(10 * AN_HOUR));
    drift_report(&mut inputs).unread.add(uncompared());
    let evidence = &check(&inputs, "records_as_stripe").evidence["last"]["first_unread"][0];
    assert_eq!((&evidence["id"], &evidence["said"]["stripe_request"]), (&json!("in_1"), &json!("req_2")));
    inputs.import =
        Some(Import { halted: Some(Halt::NoKey), moved_at: ago(AN_HOUR), ..import(ImportState::Running) });
    let stopped = check(&inputs, "import_goes_on");
    assert!(stopped.summary.contains("no Stripe key"), "{}", stopped.summary);
    assert_eq!(stopped.evidence["halted"]["why"], "no_key");
}
