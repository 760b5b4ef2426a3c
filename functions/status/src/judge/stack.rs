//! Checks of the whole stack: the key, Stripe, and records that may not be the latest.

use serde_json::{Value, json};
use shared::health::StripeView;
use shared::ledger::OpenCount;
use shared::object_key::ObjectKey;
use shared::records::UncertainRecords;
use shared::stripe::{StripeFailure, WebhookEndpoint};

use super::{events, fails, holds};
use crate::facts::{Facts, Key};
use crate::verdict::{Check, Count, Severity};

const SET_THE_KEY: &str = "set a key with PUT /settings/stripe-key";

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let needed = if facts.endpoints.is_empty() { Severity::Warning } else { Severity::Error };
    let mut checks = vec![registered(facts)];
    checks.extend(key(&facts.key, needed));
    checks.extend(stripe(&facts.at_stripe, needed));
    checks.extend(left_over(facts));
    checks.extend(events::checks(&facts.open, facts.now));
    checks.push(uncertain(&facts.uncertain));
    checks.extend(super::reconciled::checks(facts, needed));
    checks
}

/// No error: a stack without an endpoint is `inactive`, and nothing is expected to arrive.
fn registered(facts: &Facts) -> Check {
    let code = "endpoint_registered";
    let names: Vec<_> = facts.endpoints.iter().map(|endpoint| &endpoint.row.name).collect();
    let evidence = json!({ "endpoints": names });
    if names.is_empty() {
        let summary = "no endpoint is registered, so nothing can arrive";
        fails(code, Severity::Warning, summary, evidence, "register one with POST /endpoints")
    } else {
        holds(code, Severity::Warning, "an endpoint is registered", evidence)
    }
}

fn key(key: &Key, needed: Severity) -> Vec<Check> {
    let code = "stripe_key_present";
    vec![match key {
        Key::Set { hint } => holds(code, needed, "a Stripe key is set", json!({ "hint": hint })),
        Key::NotSet => fails(code, needed, "no Stripe key is set", Value::Null, SET_THE_KEY),
        Key::Unknown => fails(
            code,
            needed,
            "it is not known whether a Stripe key is set: Secrets Manager did not answer",
            Value::Null,
            "ask again in a moment; if it stays, look at the status function's log",
        ),
    }]
}

fn stripe(at_stripe: &StripeView<Vec<WebhookEndpoint>>, needed: Severity) -> Vec<Check> {
    let accepted = |request_id: Option<&String>| {
        holds(
            "stripe_key_accepted",
            needed,
            "Stripe accepts the key",
            json!({ "stripe_request": request_id }),
        )
    };
    let answers = |request_id: Option<&String>| {
        holds("stripe_answers", needed, "Stripe answers", json!({ "stripe_request": request_id }))
    };
    let may = |request_id: Option<&String>| {
        let evidence = json!({ "stripe_request": request_id });
        holds("stripe_key_rights", needed, "the key may read webhook endpoints", evidence)
    };
    match at_stripe {
        StripeView::NotAsked => vec![],
        StripeView::Answered { request_id, .. } => {
            let id = request_id.as_ref();
            vec![accepted(id), may(id), answers(id)]
        }
        StripeView::KeyRejected(failure) => vec![
            fails(
                "stripe_key_accepted",
                needed,
                "Stripe does not accept the key: it was revoked, or is not one of Stripe's",
                said(failure),
                SET_THE_KEY,
            ),
            answers(failure.request_id.as_ref()),
        ],
        StripeView::Forbidden(failure) => vec![
            accepted(failure.request_id.as_ref()),
            fails(
                "stripe_key_rights",
                needed,
                "the key may not read webhook endpoints, so nobody can tell how they stand at Stripe",
                said(failure),
                "in Stripe's dashboard give the key `Webhook Endpoints: Write`, or set another with PUT /settings/stripe-key",
            ),
            answers(failure.request_id.as_ref()),
        ],
        StripeView::Unavailable(failure) => vec![fails(
            "stripe_answers",
            needed,
            "Stripe gave no answer that counts, so nobody can tell how the endpoints stand there",
            said(failure),
            "ask again in a moment; https://status.stripe.com tells of Stripe's troubles",
        )],
    }
}

/// Endpoints at Stripe that this stack made and knows no more: Stripe sends to them, and each delivery is refused here.
fn left_over(facts: &Facts) -> Option<Check> {
    let StripeView::Answered { value: list, .. } = &facts.at_stripe else { return None };
    let rows: Vec<_> = facts.endpoints.iter().map(|endpoint| endpoint.row.clone()).collect();
    let left: Vec<_> = list
        .iter()
        .filter(|endpoint| endpoint.is_left_over(&facts.stack, &rows, facts.now))
        .map(|endpoint| json!({ "stripe_id": endpoint.id, "url": endpoint.url }))
        .collect();
    let code = "left_over_at_stripe";
    Some(if left.is_empty() {
        let summary = "Stripe has no endpoint of this stack that is unknown here";
        holds(code, Severity::Warning, summary, json!({ "endpoints": left }))
    } else {
        fails(
            code,
            Severity::Warning,
            "Stripe has endpoints that this stack made and does not know any more; what it sends to them is refused",
            json!({ "endpoints": left }),
            "delete them in Stripe's dashboard under Developers > Webhooks",
        )
    })
}

fn said(failure: &StripeFailure) -> Value {
    json!({
        "stripe_status": failure.status,
        "stripe_message": failure.message,
        "stripe_request": failure.request_id,
    })
}

/// Stripe could have told their order, if the key might read them.
fn uncertain(uncertain: &UncertainRecords) -> Check {
    let code = "order_uncertain";
    let named = |key: &ObjectKey| json!({ "object": key.object(), "id": key.id(), "account": key.account() });
    let first: Vec<_> = uncertain.first.iter().map(named).collect();
    let evidence = json!({ "records": Count(uncertain.count), "first": first });
    if uncertain.count == OpenCount::Exactly(0) {
        return holds(code, Severity::Warning, "the events of every record could be put in order", evidence);
    }
    fails(
        code,
        Severity::Warning,
        "records may not show their latest state: several events of one second have no order, and the Stripe key may not read the object",
        evidence,
        "in Stripe's dashboard let the key read these objects, then for each POST /events/replay {\"state\":\"processed\",\"reason\":\"order_uncertain\",\"object\":\"<object>/<id>\"}, and the same with \"superseded\"",
    )
}
