//! Checks of what Stripe's objects themselves say: are the records as they are, and does an import go on?

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use shared::object_key::ObjectKey;
use shared::registry::{
    Difference, FinishedPass, Halt, Import, ImportState, RefusedList, Sampled, UncomparedObject,
};
use shared::stripe::StripeFailure;

use super::{fails, holds};
use crate::facts::Facts;
use crate::verdict::{Check, Severity};

/// A comparison a night, and one that may be missed.
const COMPARED_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// A run takes four minutes, and the next begins a minute later.
const GOES_ON_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Who has not mended it by then leaves it so, as with accounts that have left.
const REFUSED_IS_TOLD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn checks(facts: &Facts) -> [Check; 2] {
    [compared(facts), imported(facts)]
}

/// All are warnings: what was found is mended, and events arrive whether or not anybody compares.
fn compared(facts: &Facts) -> Check {
    let code = "records_as_stripe";
    let last = facts.comparison.as_ref().and_then(|comparison| comparison.last.as_ref());
    let evidence = evidence(facts, last);
    let warns =
        |summary: String, remedy: &str| fails(code, Severity::Warning, summary, evidence.clone(), remedy);
    if is_overdue(facts, last) {
        return warns(
            "for two days records were not compared with Stripe's objects to the end, so a change without an event would not be seen"
                .to_owned(),
            "look at `halted` here, and at the import function's log and its schedule",
        );
    }
    let Some(seen) = last.map(|last| &last.seen) else {
        let summary = "records have not been compared with Stripe's objects yet";
        return holds(code, Severity::Warning, summary, evidence);
    };
    if seen.refused.count > 0 {
        warns(
            format!(
                "the key may not read {}, so their records are not compared with Stripe's objects",
                kinds(&seen.refused)
            ),
            "in Stripe's dashboard give the key the right to read them, or set another with PUT /settings/stripe-key; for connected accounts that have left, nothing",
        )
    } else if seen.differed.count > 0 {
        warns(
            format!(
                "{} of {} records were not as Stripe's objects; they are mended",
                seen.differed.count, seen.looked_at
            ),
            "does the endpoint ask for all types of their events (`events_as_wanted`)? If so, Stripe made none for these changes: look whether what you do with such objects relies on their events. POST /import looks at all objects, not only at those of the last day",
        )
    } else if seen.unread.count > 0 {
        warns(
            format!(
                "Stripe refused {} objects, or never answered for them, so their records are not compared",
                seen.unread.count
            ),
            "the evidence has Stripe's words; they are asked for again in the next night after an event of theirs. If it goes on, tell Stripe's support the request's id",
        )
    } else if seen.missing.count > 0 {
        warns(
            format!(
                "Stripe does not know {} objects that it has told of; their records stay",
                seen.missing.count
            ),
            "were test data deleted, or is the key of another account than the endpoint? Records are never deleted for it",
        )
    } else if seen.too_large.count > 0 {
        warns(
            format!("{} objects are too large to be kept as they are now", seen.too_large.count),
            "their records stay as their last event showed them",
        )
    } else {
        holds(
            code,
            Severity::Warning,
            "the records of the last day's events are as Stripe's objects",
            evidence,
        )
    }
}

/// Was there somebody to hear events and a key to compare with for two days, and no comparison?
fn is_overdue(facts: &Facts, last: Option<&FinishedPass>) -> bool {
    let long_ago = |at: Timestamp| facts.now.duration_since(at) > COMPARED_WITHIN;
    let since = |millis: i64| Timestamp::from_millisecond(millis).is_ok_and(long_ago);
    let activity = facts
        .endpoints
        .iter()
        .any(|endpoint| endpoint.row.state == EndpointState::Active && since(endpoint.row.created_at));
    // The first is begun at once, so one under way has been so for long enough as well.
    let begun = facts.comparison.as_ref().and_then(|comparison| comparison.walk.as_ref());
    let done = last.map(|last| last.finished_at).or(begun.map(|walk| walk.begun_at));
    activity && facts.key_since.is_some_and(long_ago) && done.is_none_or(since)
}

fn evidence(facts: &Facts, last: Option<&FinishedPass>) -> Value {
    let comparison = facts.comparison.as_ref();
    let walk = comparison.and_then(|comparison| comparison.walk.as_ref());
    json!({
        "going_on_since": walk.and_then(|walk| millis(walk.begun_at)),
        "halted": comparison.and_then(|comparison| comparison.halted.as_ref()).map(halted),
        "last": last.map(|last| json!({
            "begun_at": millis(last.begun_at),
            "finished_at": millis(last.finished_at),
            "looked_at": last.seen.looked_at,
            "differed": last.seen.differed.count,
            "first_that_differed": last.seen.differed.first.iter().map(difference).collect::<Vec<_>>(),
            "refused": last.seen.refused.first.iter().map(refused).collect::<Vec<_>>(),
            "unread": last.seen.unread.count,
            "first_unread": last.seen.unread.first.iter().map(unread).collect::<Vec<_>>(),
            "missing": last.seen.missing.count,
            "first_missing": last.seen.missing.first.iter().map(named).collect::<Vec<_>>(),
            "too_large": last.seen.too_large.first.iter().map(named).collect::<Vec<_>>(),
        })),
    })
}

fn imported(facts: &Facts) -> Check {
    let code = "import_goes_on";
    let Some(import) = &facts.import else {
        return holds(code, Severity::Warning, "nothing was to be imported", Value::Null);
    };
    let evidence = json!({
        "begun_at": millis(import.begun_at),
        "ended_at": import.ended_at.and_then(millis),
        "moved_at": millis(import.moved_at),
        "halted": import.halted.as_ref().map(halted),
        "refused": import.refused.count,
        "first_refused": import.refused.first.iter().map(refused).collect::<Vec<_>>(),
    });
    let still =
        millis(import.moved_at).is_none_or(|moved_at| facts.now.duration_since(moved_at) > GOES_ON_WITHIN);
    let is_long_over = import
        .ended_at
        .and_then(millis)
        .is_some_and(|ended_at| facts.now.duration_since(ended_at) > REFUSED_IS_TOLD_FOR);
    if import.state == ImportState::Running && still {
        let (summary, remedy) = stands_still(import);
        fails(code, Severity::Warning, summary, evidence, remedy)
    } else if import.refused.count > 0 && !is_long_over {
        fails(
            code,
            Severity::Warning,
            format!(
                "Stripe refuses lists of {}, or never answers them, so what there was before is not all here",
                kinds(&import.refused)
            ),
            evidence,
            "the evidence has Stripe's words. If the key may not read them, in Stripe's dashboard give it the right; then POST /import {\"kinds\":[…]}. For connected accounts that have left, nothing: seven days after the import's end this is silent",
        )
    } else {
        let summary = match import.state {
            ImportState::Running => "the import goes on",
            ImportState::Finished => "the last import came to its end",
            ImportState::Stopped => "the last import was stopped by an admin",
        };
        holds(code, Severity::Warning, summary, evidence)
    }
}

fn stands_still(import: &Import) -> (&'static str, &'static str) {
    match &import.halted {
        Some(Halt::NoKey) => (
            "the import stands still: no Stripe key is set",
            "set one with PUT /settings/stripe-key; the import then goes on by itself",
        ),
        Some(Halt::KeyRejected(_)) => (
            "the import stands still: Stripe does not accept the key",
            "set another with PUT /settings/stripe-key; the import then goes on by itself",
        ),
        Some(Halt::NoAnswer(_)) => (
            "the import stands still: Stripe gave no answer that counts, or wants fewer calls",
            "wait, it is tried again each minute; https://status.stripe.com tells of Stripe's troubles; DELETE /import stops it",
        ),
        None => (
            "the import stands still",
            "look at the import function's log and its schedule; DELETE /import stops it",
        ),
    }
}

/// The kinds that are refused, each once: `customers, invoices`.
fn kinds(refused: &Sampled<RefusedList>) -> String {
    let mut kinds: Vec<_> = refused.first.iter().map(|one| one.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds.into_iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ")
}

fn difference(difference: &Difference) -> Value {
    let mut named = named(&difference.key);
    named["fields"] = json!(difference.fields);
    named
}

fn named(key: &ObjectKey) -> Value {
    json!({ "kind": key.kind().map(|kind| kind.plural()), "id": key.id(), "account": key.account() })
}

fn unread(unread: &UncomparedObject) -> Value {
    let mut named = named(&unread.key);
    named["said"] = said(&unread.failure);
    named
}

fn refused(refused: &RefusedList) -> Value {
    json!({ "kind": refused.kind, "account": refused.account, "said": said(&refused.failure) })
}

fn halted(halt: &Halt) -> Value {
    match halt {
        Halt::NoKey => json!({ "why": "no_key" }),
        Halt::KeyRejected(failure) => json!({ "why": "key_refused", "said": said(failure) }),
        Halt::NoAnswer(failure) => json!({ "why": "no_answer", "said": said(failure) }),
    }
}

fn said(failure: &StripeFailure) -> Value {
    json!({
        "stripe_status": failure.status, "stripe_message": failure.message, "stripe_request": failure.request_id,
    })
}

fn millis(at: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(at).ok()
}
