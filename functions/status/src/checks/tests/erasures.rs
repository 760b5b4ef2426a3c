//! An erasure that does not go on is told, with who can do something about it.

use shared::registry::{ErasureJob, ErasurePosition, ErasureState, Sampled};

use super::*;

const AN_HOUR: i64 = 3_600;

/// An erasure that was asked for two days ago, and that a run has just gone on with.
fn job(state: ErasureState) -> ErasureJob {
    ErasureJob {
        customer: "-/customer/cus_1".parse().unwrap(),
        state,
        asked_at: ago(48 * AN_HOUR),
        finished_at: None,
        moved_at: ago(60),
        due_at: ago(-60),
        position: None,
        records: 0,
        events: 0,
        waiting: Sampled::default(),
        waiting_since: None,
        tried_again: 0,
        rev: 0,
    }
}

/// One that has waited for an event for a day and a second.
fn waiting(tried_again: u64) -> ErasureJob {
    let mut job = job(ErasureState::Running);
    job.waiting.add("evt_1".parse().unwrap());
    ErasureJob { tried_again, waiting_since: Some(ago(24 * AN_HOUR + 1)), ..job }
}

fn overdue(seconds: i64) -> ErasureJob {
    ErasureJob { due_at: ago(seconds), moved_at: ago(9 * AN_HOUR), ..job(ErasureState::Finished) }
}

#[test]
fn an_erasure_that_does_not_go_on_is_a_warning_that_says_what_to_do() {
    let position = ErasurePosition { kind: shared::kind::Kind::INVOICE, after: None };
    let cases: [(ErasureJob, &str); 11] = [
        (job(ErasureState::Running), ""),
        (job(ErasureState::Finished), ""),
        (overdue(AN_HOUR), ""),
        (overdue(AN_HOUR + 1), "log of the erase function"),
        // A long pass is due since it began.
        (ErasureJob { moved_at: ago(60), position: Some(position), ..overdue(5 * AN_HOUR) }, ""),
        (job(ErasureState::Stopped), "delete them at Stripe"),
        (waiting(0), "POST /events/{id}/replay"),
        (waiting(1), "GET /events/{id} says why"),
        // It was asked for two days ago, and waits for a day.
        (ErasureJob { waiting_since: Some(ago(24 * AN_HOUR)), ..waiting(1) }, ""),
        // What another pass finds is not known before its end.
        (ErasureJob { waiting: Sampled::default(), ..waiting(0) }, "GET /events/{id} says why"),
        (ErasureJob { state: ErasureState::Stopped, ..overdue(2 * AN_HOUR) }, "log of the erase function"),
    ];
    for (job, remedy) in cases {
        let jobs = [self::job(ErasureState::Finished), job];
        let inputs = StatusInputs { erasures: ErasureJob::health(&jobs, healthy().now), ..healthy() };
        let report = run(&inputs);
        let check = all(&report).find(|check| check.code == "erasures_go_on").unwrap();
        assert_eq!(report.status, HealthStatus::Active);
        assert_eq!(check.ok, remedy.is_empty(), "{check:?}");
        assert!(check.remedy.as_deref().unwrap_or_default().contains(remedy), "{check:?}");
        assert_eq!(check.evidence["first"].as_array().unwrap().len(), usize::from(!check.ok));
    }
    let check = run(&healthy());
    let check = all(&check).find(|check| check.code == "erasures_go_on").unwrap();
    assert!(check.ok && check.evidence.is_null(), "nobody has asked for any");
}
