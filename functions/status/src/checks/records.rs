//! Checks of the records: whether their events have an order, whether they are as Stripe's objects, and
//! whether an import goes on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use shared::ledger::OpenCount;
use shared::object_key::ObjectKey;
use shared::records::OpenRecords;
use shared::registry::{
    Difference, FinishedPass, Halt, Import, ImportState, RefusedKind, Sampled, UncomparedObject,
};
use shared::unix_time::UnixMillis;

use crate::inputs::StatusInputs;
use crate::report::{Check, OpenCountView, Severity};

/// One comparison a night, of which one may be missed.
const COMPARED_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// A run of an import takes four minutes, and the next begins a minute later.
const IMPORT_MOVES_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// How long after its end an import warns of lists that Stripe refused: who has not mended it by then leaves
/// it so, as with accounts that have left.
const REFUSED_WARNS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Where events of one second have no order, Stripe knows the latest state, if the key may read the object.
pub(super) fn order_uncertain(uncertain: &OpenRecords) -> Check {
    let code = "order_uncertain";
    let record =
        |key: &ObjectKey| json!({ "object": key.object(), "id": key.id(), "account": key.account() });
    let first: Vec<_> = uncertain.first.iter().map(record).collect();
    let evidence = json!({ "records": OpenCountView(uncertain.count), "first": first });
    if uncertain.count == OpenCount::Exactly(0) {
        let summary = "the events of every record could be put in order";
        return Check::pass(code, Severity::Warning, summary, evidence);
    }
    Check::fail(
        code,
        Severity::Warning,
        "records may not show their latest state: several events of one second have no order, and the Stripe key may not read the object",
        evidence,
        "in Stripe's dashboard let the key read these objects, then for each POST /events/replay {\"state\":\"processed\",\"reason\":\"order_uncertain\",\"object\":\"<object>/<id>\"}, and the same with \"superseded\"",
    )
}

/// Only ever a warning: what was found is mended, and events arrive whether or not anybody compares.
pub(super) fn records_as_stripe(inputs: &StatusInputs) -> Check {
    let code = "records_as_stripe";
    let last = inputs.drift.as_ref().and_then(|drift| drift.last.as_ref());
    let evidence = drift_evidence(inputs, last);
    let warning = |summary: String, remedy: &str| {
        Check::fail(code, Severity::Warning, summary, evidence.clone(), remedy)
    };
    if is_overdue(inputs, last) {
        return warning(
            "for two days records were not compared with Stripe's objects to the end, so a change without an event would not be seen"
                .to_owned(),
            "look at `halted` here, and at the import function's log and its schedule",
        );
    }
    let Some(found) = last.map(|last| &last.report) else {
        let summary = "records have not been compared with Stripe's objects yet";
        let waits_for = "the comparison of the coming night";
        return Check::unknown(code, Severity::Warning, summary, evidence, waits_for);
    };
    if found.refused.count > 0 {
        warning(
            format!(
                "the key may not read {}, so their records are not compared with Stripe's objects",
                kinds(&found.refused)
            ),
            "in Stripe's dashboard give the key the right to read them, or set another with PUT /settings/stripe-key; for connected accounts that have left, nothing",
        )
    } else if found.differed.count > 0 {
        warning(
            format!(
                "{} of {} records were not as Stripe's objects; they are mended",
                found.differed.count, found.looked_at
            ),
            "does the endpoint ask for all types of their events (`events_as_wanted`)? If so, Stripe made none for these changes: look whether what you do with such objects relies on their events. POST /import looks at all objects, not only at those of the last day",
        )
    } else if found.unread.count > 0 {
        warning(
            format!(
                "Stripe refused {} objects, never answered for them, or returned what cannot be read, so their records are not compared",
                found.unread.count
            ),
            "the evidence has Stripe's words; they are asked for again in the next night after an event of theirs. If it goes on, tell Stripe's support the request's id",
        )
    } else if found.missing.count > 0 {
        warning(
            format!(
                "Stripe does not know {} objects that it has sent events of, and the key is of another account or does not say of which; their records stay",
                found.missing.count
            ),
            "set a key of the endpoint's account with PUT /settings/stripe-key: one that may read the account says of which it is",
        )
    } else if found.too_large.count > 0 {
        warning(
            format!("{} objects are too large to be kept as they are now", found.too_large.count),
            "their records stay as their last event showed them",
        )
    } else {
        let summary = "the records of the last day's events are as Stripe's objects";
        Check::pass(code, Severity::Warning, summary, evidence)
    }
}

/// Whether an active endpoint and a key were there for two days, and no comparison was finished.
fn is_overdue(inputs: &StatusInputs, last: Option<&FinishedPass>) -> bool {
    let is_long_ago = |at: Timestamp| inputs.now.duration_since(at) > COMPARED_WITHIN;
    let is_long_since = |at: UnixMillis| at.to_timestamp().is_some_and(is_long_ago);
    let has_endpoint = inputs.endpoints.iter().any(|endpoint| {
        endpoint.row.state == EndpointState::Active && is_long_since(endpoint.row.created_at)
    });
    // The first is begun at once, so one under way has been so for long enough as well.
    let under_way = inputs.drift.as_ref().and_then(|drift| drift.pass.as_ref());
    let compared_at = last.map(|last| last.finished_at).or(under_way.map(|pass| pass.begun_at));
    has_endpoint && inputs.key_since.is_some_and(is_long_ago) && compared_at.is_none_or(is_long_since)
}

fn drift_evidence(inputs: &StatusInputs, last: Option<&FinishedPass>) -> Value {
    let drift = inputs.drift.as_ref();
    let under_way = drift.and_then(|drift| drift.pass.as_ref());
    json!({
        "going_on_since": under_way.and_then(|pass| pass.begun_at.to_timestamp()),
        "halted": drift.and_then(|drift| drift.halted.as_ref()).map(halt),
        "last": last.map(|last| json!({
            "begun_at": last.begun_at.to_timestamp(),
            "finished_at": last.finished_at.to_timestamp(),
            "looked_at": last.report.looked_at,
            "calls": last.report.calls,
            "differed": last.report.differed.count,
            "first_that_differed": last.report.differed.first.iter().map(difference).collect::<Vec<_>>(),
            "refused": last.report.refused.first.iter().map(refused_list).collect::<Vec<_>>(),
            "unread": last.report.unread.count,
            "first_unread": last.report.unread.first.iter().map(uncompared).collect::<Vec<_>>(),
            "missing": last.report.missing.count,
            "first_missing": last.report.missing.first.iter().map(record).collect::<Vec<_>>(),
            "gone": last.report.gone.count,
            "first_gone": last.report.gone.first.iter().map(record).collect::<Vec<_>>(),
            "too_large": last.report.too_large.first.iter().map(record).collect::<Vec<_>>(),
        })),
    })
}

pub(super) fn import_goes_on(inputs: &StatusInputs) -> Check {
    let code = "import_goes_on";
    let Some(import) = &inputs.import else {
        return Check::pass(code, Severity::Warning, "nothing was to be imported", Value::Null);
    };
    let evidence = json!({
        "begun_at": import.begun_at.to_timestamp(),
        "ended_at": import.ended_at.and_then(UnixMillis::to_timestamp),
        "moved_at": import.moved_at.to_timestamp(),
        "halted": import.halted.as_ref().map(halt),
        "refused": import.refused.count,
        "first_refused": import.refused.first.iter().map(refused_list).collect::<Vec<_>>(),
    });
    let stands_still = import
        .moved_at
        .to_timestamp()
        .is_none_or(|moved_at| inputs.now.duration_since(moved_at) > IMPORT_MOVES_WITHIN);
    let is_long_over = import
        .ended_at
        .and_then(UnixMillis::to_timestamp)
        .is_some_and(|ended_at| inputs.now.duration_since(ended_at) > REFUSED_WARNS_FOR);
    if import.state == ImportState::Running && stands_still {
        let (summary, remedy) = why_it_stands_still(import);
        Check::fail(code, Severity::Warning, summary, evidence, remedy)
    } else if import.refused.count > 0 && !is_long_over {
        Check::fail(
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
        Check::pass(code, Severity::Warning, summary, evidence)
    }
}

/// The summary and the remedy.
fn why_it_stands_still(import: &Import) -> (&'static str, &'static str) {
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
            "wait, it is tried again each minute; https://status.stripe.com shows Stripe's incidents; DELETE /import stops it",
        ),
        None => (
            "the import stands still",
            "look at the import function's log and its schedule; DELETE /import stops it",
        ),
    }
}

/// The kinds that are refused, each once: `customers, invoices`.
fn kinds(refused: &Sampled<RefusedKind>) -> String {
    let mut kinds: Vec<_> = refused.first.iter().map(|list| list.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds.into_iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ")
}

fn record(key: &ObjectKey) -> Value {
    json!({ "kind": key.kind().map(|kind| kind.plural()), "id": key.id(), "account": key.account() })
}

fn difference(difference: &Difference) -> Value {
    let mut value = record(&difference.key);
    value["fields"] = json!(difference.fields);
    value
}

fn uncompared(object: &UncomparedObject) -> Value {
    let mut value = record(&object.key);
    value["said"] = object.failure.to_evidence();
    value
}

pub(super) fn refused_list(list: &RefusedKind) -> Value {
    json!({ "kind": list.kind, "account": list.account, "said": list.failure.to_evidence() })
}

pub(super) fn halt(halt: &Halt) -> Value {
    match halt {
        Halt::NoKey => json!({ "why": "no_key" }),
        Halt::KeyRejected(failure) => json!({ "why": "key_refused", "said": failure.to_evidence() }),
        Halt::NoAnswer(failure) => json!({ "why": "no_answer", "said": failure.to_evidence() }),
    }
}
