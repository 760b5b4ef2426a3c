//! Whether payouts arrive, and whether what they are made of adds up. Only ever warnings: events arrive all
//! the same.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::health::{PayoutHealth, PayoutInTrouble};
use shared::ledger::OpenCount;
use shared::registry::{Halt, PayoutProgress};
use shared::unix_time::UnixSeconds;

use super::records::{halt, refused_list};
use crate::inputs::StatusInputs;
use crate::report::{Check, OpenCountView, Severity};

/// A list is gone on with each minute, and a run takes four.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// One run a night, of which one may be missed.
const LOOKED_WITHIN: SignedDuration = SignedDuration::from_hours(48);

const NONE: OpenCount = OpenCount::Exactly(0);

/// Whether the transactions of each reconciled payout come to its amount.
pub(super) fn payouts_add_up(inputs: &StatusInputs) -> Check {
    let code = "payouts_add_up";
    let Some(health) = &inputs.payouts else { return not_looked(code, Value::Null) };
    let progress = inputs.payout_progress.clone().unwrap_or_default();
    let evidence = json!({
        "payouts": OpenCountView(health.unexplained),
        "first": health.first_unexplained.iter().map(payout).collect::<Vec<_>>(),
        "to_list": OpenCountView(health.to_list),
        "halted": progress.halted.as_ref().map(halt),
        "refused": progress.refused.first.iter().map(refused_list).collect::<Vec<_>>(),
        "looked_at": progress.last.as_ref().and_then(|last| last.finished_at.to_timestamp()),
    });
    let warning = |summary: String, remedy: &str| {
        Check::fail(code, Severity::Warning, summary, evidence.clone(), remedy)
    };
    if health.unexplained != NONE {
        let all_refused = health.first_unexplained.iter().all(|payout| payout.failure.is_some());
        let summary = if all_refused {
            "Stripe does not list what payouts are made of".to_owned()
        } else {
            "the transactions that Stripe lists of payouts do not come to their amounts".to_owned()
        };
        warning(
            summary,
            "they are listed again each night. If it stays so, compare the payout's page in Stripe's dashboard with GET /records/payouts/{id}/transactions, and ask Stripe's support with the payout's id",
        )
    } else if progress.refused.count > 0 {
        warning(
            "the key may not list what payouts are made of".to_owned(),
            "in Stripe's dashboard give the key the right to read balance transactions (rak_balance_transaction_source_read), or set another with PUT /settings/stripe-key; it then goes on by itself. For connected accounts that have left, nothing",
        )
    } else if is_standing_still(health, inputs.now) {
        let halt = progress.halted.as_ref();
        let (summary, remedy) = why_it_stands_still(halt);
        warning(summary.to_owned(), remedy)
    } else {
        looked_lately(code, inputs, &progress, evidence, "payouts that are reconciled add up")
    }
}

/// Whether payouts arrive on their dates.
pub(super) fn payouts_arrive(inputs: &StatusInputs) -> Check {
    let code = "payouts_arrive";
    let Some(health) = &inputs.payouts else { return not_looked(code, Value::Null) };
    let progress = inputs.payout_progress.clone().unwrap_or_default();
    let evidence = json!({
        "payouts": OpenCountView(if health.failed == NONE { health.late } else { health.failed }),
        "failed": OpenCountView(health.failed),
        "late": OpenCountView(health.late),
        "first": health.first_failed.iter().chain(&health.first_late).map(payout).collect::<Vec<_>>(),
        "looked_at": progress.last.as_ref().and_then(|last| last.finished_at.to_timestamp()),
    });
    let warning = |summary: &str, remedy: &str| {
        Check::fail(code, Severity::Warning, summary.to_owned(), evidence.clone(), remedy)
    };
    if health.failed != NONE {
        warning(
            "payouts failed in the last seven days: the money is back in the Stripe balance",
            "`failure_code` says why. Put the bank account right in Stripe's dashboard (for a connected account its owner does): Stripe pays out again by itself, unless payouts are manual. Seven days after it failed this is silent",
        )
    } else if health.late != NONE {
        warning(
            "payouts should have arrived two days ago, and Stripe has not said that they did",
            "ask the bank with the payout's `trace_id`; if it does not know it, ask Stripe's support with the payout's id. An event that did not come would show in `deliveries_arrive`",
        )
    } else {
        looked_lately(code, inputs, &progress, evidence, "no payout failed lately, and none is late")
    }
}

/// Passes if the night's lists were gone through: an event that was lost would hide a payout.
fn looked_lately(
    code: &'static str,
    inputs: &StatusInputs,
    progress: &PayoutProgress,
    evidence: Value,
    summary: &str,
) -> Check {
    match progress.last.as_ref().and_then(|last| last.finished_at.to_timestamp()) {
        None => not_looked(code, evidence),
        Some(at) if inputs.now.duration_since(at) > LOOKED_WITHIN => {
            let summary = "for two days Stripe's payouts were not listed to the end, so one whose events were lost would not be seen";
            let remedy =
                "look at `halted` of `payouts_add_up`, and at the import function's log and its schedule";
            Check::fail(code, Severity::Warning, summary.to_owned(), evidence, remedy)
        }
        Some(_) => match progress.last.as_ref().filter(|last| last.refused.count > 0) {
            Some(last) => {
                let mut evidence = evidence;
                evidence["refused"] = last.refused.first.iter().map(refused_list).collect();
                let summary = "Stripe refused to list payouts or balance transactions last night";
                let remedy = "in Stripe's dashboard give the key the rights to read payouts (rak_payout_read) and balance transactions (rak_balance_transaction_source_read). For connected accounts that have left, nothing";
                Check::fail(code, Severity::Warning, summary.to_owned(), evidence, remedy)
            }
            None => Check::pass(code, Severity::Warning, summary, evidence),
        },
    }
}

fn not_looked(code: &'static str, evidence: Value) -> Check {
    let summary = "Stripe's payouts have not been listed yet";
    Check::unknown(
        code,
        Severity::Warning,
        summary,
        evidence,
        "a Stripe key, and the run of the coming minutes",
    )
}

fn is_standing_still(health: &PayoutHealth, now: Timestamp) -> bool {
    health.to_list_since.is_some_and(|since| since + LISTED_WITHIN < UnixSeconds::from(now))
}

fn why_it_stands_still(halt: Option<&Halt>) -> (&'static str, &'static str) {
    match halt {
        Some(Halt::NoKey) => (
            "what payouts are made of is not listed: no Stripe key is set",
            "set one with PUT /settings/stripe-key; it then goes on by itself",
        ),
        Some(Halt::KeyRejected(_)) => (
            "what payouts are made of is not listed: Stripe does not accept the key",
            "set another with PUT /settings/stripe-key; it then goes on by itself",
        ),
        Some(Halt::NoAnswer(_)) => (
            "what payouts are made of is not listed: Stripe gives no answer that counts, or wants fewer calls",
            "wait, it is tried again each minute; https://status.stripe.com shows Stripe's incidents",
        ),
        None => (
            "what payouts are made of has waited to be listed for over an hour",
            "after an import of many payouts this takes its time: `to_list` gets less. Else look at the import function's log and its schedule",
        ),
    }
}

fn payout(payout: &PayoutInTrouble) -> Value {
    json!({
        "kind": payout.key.kind().map(|kind| kind.plural()),
        "id": payout.key.id(),
        "account": payout.key.account(),
        "amount": payout.amount,
        "currency": payout.currency,
        "status": payout.status,
        "arrival_date": payout.arrival_date.and_then(UnixSeconds::to_timestamp),
        "failure_code": payout.failure_code,
        "difference": payout.difference,
        "said": payout.failure.as_ref().map(|failure| failure.to_evidence()),
    })
}
