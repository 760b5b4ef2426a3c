//! The order itself, without the functions: what it decides is right, whatever arrived first, and it leaves
//! little undecided, because each question costs a call to Stripe and two seconds.

use shared::event::{ParsedEvent, read};
use shared::order::{Snapshot, Winner, winner};
use simulation::history::{ApiVersion, ExpectedOutcome, HistoryEvent, ObjectHistory, ObjectKind, unsigned};
use simulation::{busy_second_plans, sample};

/// Histories of each kind.
const SEEDS: u64 = 1_000;

fn snapshot(event: &HistoryEvent) -> Snapshot {
    let ParsedEvent::Event(event) = read(event.body.as_bytes()) else { panic!("{}", event.body) };
    Snapshot::from_event(&event).unwrap()
}

/// What became of the seconds that hold more than one event.
#[derive(Debug, Default)]
struct Outcomes {
    decided: usize,
    asked: usize,
    wrong: Vec<String>,
}

fn events_of_last_second(history: &ObjectHistory) -> Vec<&HistoryEvent> {
    let applied = history.events.iter().filter(|event| event.expected == ExpectedOutcome::Applied);
    let last = applied.clone().map(|event| event.created).max();
    applied.filter(|event| Some(event.created) == last).collect()
}

/// Returns the winner, which must be the same in whatever order the events are given.
fn the_winner(events: &[Snapshot]) -> Winner {
    let first = winner(events).unwrap();
    assert_eq!(winner(events.iter().rev()).unwrap(), first);
    let (front, back) = events.split_at(events.len() / 2);
    assert_eq!(winner(back.iter().chain(front)).unwrap(), first);
    first
}

fn outcomes(kind: ObjectKind) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for seed in 0..SEEDS {
        let history = ObjectHistory::new(&sample(&busy_second_plans(kind), seed));
        let events = events_of_last_second(&history);
        if events.len() < 2 || history.is_deleted() {
            continue;
        }
        let winner = the_winner(&events.iter().map(|event| snapshot(event)).collect::<Vec<_>>());
        let shown = events.iter().find(|event| event.id == winner.id.as_str()).unwrap();
        let end = history.end_in(ApiVersion::Endive).unwrap();
        if winner.uncertain {
            outcomes.asked += 1;
        } else if unsigned(&shown.object) == unsigned(&end) {
            outcomes.decided += 1;
        } else {
            let bodies: String = events.iter().map(|event| format!("\n  {}", event.body)).collect();
            outcomes.wrong.push(format!("seed {seed}: {} of{bodies}", winner.id));
        }
    }
    outcomes
}

#[test]
fn no_second_of_any_kind_is_decided_wrong() {
    for kind in ObjectKind::all() {
        let outcomes = outcomes(kind);
        assert!(outcomes.wrong.is_empty(), "{kind:?}: {} {}", outcomes.wrong.len(), outcomes.wrong[0]);
    }
}

#[test]
fn at_most_one_second_in_twenty_of_charges_and_of_invoices_is_asked_for() {
    for kind in [ObjectKind::Charge, ObjectKind::Invoice] {
        let Outcomes { decided, asked, .. } = outcomes(kind);
        assert!(decided > 500 && asked * 20 <= decided + asked, "{kind:?}: {asked} of {}", decided + asked);
    }
}
