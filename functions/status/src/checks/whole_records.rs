//! Whether the lists that belong to objects, such as the lines of an invoice or the transactions of a
//! customer's balance, are here whole.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::ledger::OpenCount;
use shared::object_key::ObjectKey;
use shared::records::{IncompleteRecords, LeftRecord, Obstacle};
use shared::unix_time::UnixSeconds;

use crate::inputs::StatusInputs;
use crate::report::{Check, OpenCountView, Severity};

/// The rest of a list is fetched within minutes; of an import of many such objects within an hour.
const FETCHED_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Only ever a warning: the sums and states of such records are right.
pub(super) fn records_whole(inputs: &StatusInputs) -> Check {
    let code = "records_whole";
    let Some(incomplete) = &inputs.incomplete else {
        let summary = "nobody has looked yet which records lack the rest of a list";
        let waits_for = "the next reconciliation; GET /status?live=true looks now";
        return Check::unknown(code, Severity::Warning, summary, Value::Null, waits_for);
    };
    let evidence = evidence(incomplete);
    let is_long_ago = |second: UnixSeconds| {
        second.to_timestamp().is_none_or(|at| inputs.now.duration_since(at) > FETCHED_WITHIN)
    };
    if incomplete.left != OpenCount::Exactly(0) {
        return Check::fail(
            code,
            Severity::Warning,
            "records lack the rest of a list, such as an invoice's lines after the first ten or the transactions of a customer's balance, and it cannot be had for now",
            evidence,
            "the evidence says why. `refused`: in Stripe's dashboard let the key read these objects, or set another with PUT /settings/stripe-key. `unanswered`: if it goes on, tell Stripe's support the request's id. Both are tried again each night, and after an event of the object. `too_large`: nothing, these records stay without the rest, which Stripe shows",
        );
    }
    if incomplete.waiting_since.is_some_and(is_long_ago) {
        return Check::fail(
            code,
            Severity::Warning,
            "records have lacked the rest of a list, such as an invoice's lines after the first ten or the transactions of a customer's balance, for over an hour",
            evidence,
            "is a Stripe key set and accepted (`stripe_key_present`, `stripe_key_accepted`), and does Stripe answer (`stripe_answers`)? It then goes on by itself, some hundred lists a minute; else look at the import function's log and its schedule",
        );
    }
    Check::pass(
        code,
        Severity::Warning,
        "lists that belong to records are whole, or will be in minutes",
        evidence,
    )
}

fn evidence(incomplete: &IncompleteRecords) -> Value {
    json!({
        "waiting": OpenCountView(incomplete.waiting.count),
        "waiting_since": incomplete.waiting_since.and_then(UnixSeconds::to_timestamp),
        "first_waiting": incomplete.waiting.first.iter().map(record).collect::<Vec<_>>(),
        "left": OpenCountView(incomplete.left),
        "first_left": incomplete.first_left.iter().map(left).collect::<Vec<_>>(),
    })
}

fn record(key: &ObjectKey) -> Value {
    json!({ "kind": key.kind().map(|kind| kind.plural()), "id": key.id(), "account": key.account() })
}

fn left(left: &LeftRecord) -> Value {
    let (why, failure) = match &left.obstacle {
        Obstacle::TooLarge => ("too_large", None),
        Obstacle::Refused(failure) => ("refused", Some(failure)),
        Obstacle::Unanswered(failure) => ("unanswered", Some(failure)),
    };
    let mut value = record(&left.key);
    value["list"] = json!(left.member);
    value["why"] = json!(why);
    value["said"] = failure.map_or(Value::Null, |failure| failure.to_evidence());
    value
}
