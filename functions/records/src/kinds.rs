//! `GET /records`: the kinds of record there are, and what a page needs to show one that it does not know.
//!
//! The members are those of Stripe's API reference, of the newest version and of those before it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::Value;
use shared::http::{ApiError, Query, json};
use shared::object_key::Kind;

/// What a kind of record is.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct KindDescription {
    kind: &'static str,
    /// Stripe's word in the `object` field.
    object: &'static str,
    id_prefixes: &'static [&'static str],
    /// The values of `status` that Stripe documents, in the order of a life.
    statuses: &'static [&'static str],
    /// The member of the object that holds its sum in `currency`.
    amount: Option<&'static str>,
    /// The members by which people know one, the best first; a dot leads into an object.
    labels: &'static [&'static str],
    references: &'static [Reference],
}

/// A member that holds the id of another record.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Reference {
    member: &'static str,
    kind: &'static str,
}

/// The answer of `GET /records`.
#[derive(Serialize)]
struct Kinds {
    data: [KindDescription; Kind::ALL.len()],
}

const fn to(member: &'static str, kind: &'static str) -> Reference {
    Reference { member, kind }
}

pub(crate) fn list(request: &Request) -> Result<Response<Body>, ApiError> {
    Query::read(request, &[])?;
    Ok(json(StatusCode::OK, &Kinds { data: Kind::ALL.map(description) }))
}

/// Whether a text, in small letters, stands in the record's id or in one of the members by which people know
/// it.
pub(crate) fn is_known_by(kind: Kind, id: &str, object: &Value, text: &str) -> bool {
    let labels = description(kind).labels.iter().filter_map(|label| member(object, label)?.as_str());
    [id].into_iter().chain(labels).any(|label| label.to_lowercase().contains(text))
}

/// A member of an object; a dot leads into an object.
fn member<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |object, name| object.get(name))
}

fn description(kind: Kind) -> KindDescription {
    let (statuses, amount, labels, references): (&[&str], Option<&str>, &[&str], &[Reference]) = match kind {
        Kind::Customer => (&[], None, &["name", "email", "phone", "description"], &[]),
        Kind::Subscription => (
            &[
                "incomplete",
                "incomplete_expired",
                "trialing",
                "active",
                "past_due",
                "unpaid",
                "paused",
                "canceled",
            ],
            None,
            &["description"],
            const { &[to("customer", "customers"), to("latest_invoice", "invoices")] },
        ),
        Kind::Invoice => (
            &["draft", "open", "paid", "uncollectible", "void"],
            Some("total"),
            &["number", "customer_email", "customer_name", "description"],
            const {
                &[
                    to("customer", "customers"),
                    to("parent.subscription_details.subscription", "subscriptions"),
                    to("subscription", "subscriptions"),
                    to("payment_intent", "payments"),
                    to("charge", "charges"),
                ]
            },
        ),
        Kind::InvoicePayment => (
            &["open", "paid", "canceled"],
            Some("amount_requested"),
            &[],
            const {
                &[
                    to("invoice", "invoices"),
                    to("payment.payment_intent", "payments"),
                    to("payment.charge", "charges"),
                ]
            },
        ),
        Kind::Payment => (
            &[
                "requires_payment_method",
                "requires_confirmation",
                "requires_action",
                "processing",
                "requires_capture",
                "succeeded",
                "canceled",
            ],
            Some("amount"),
            // The last two are of a charge without a PaymentIntent, which is a payment too.
            &[
                "description",
                "receipt_email",
                "statement_descriptor",
                "billing_details.email",
                "billing_details.name",
            ],
            const { &[to("customer", "customers"), to("latest_charge", "charges"), to("invoice", "invoices")] },
        ),
        Kind::Charge => (
            &["pending", "succeeded", "failed"],
            Some("amount"),
            &[
                "description",
                "billing_details.email",
                "billing_details.name",
                "receipt_email",
                "receipt_number",
            ],
            const { &[to("customer", "customers"), to("payment_intent", "payments"), to("invoice", "invoices")] },
        ),
        Kind::Refund => (
            &["pending", "requires_action", "succeeded", "failed", "canceled"],
            Some("amount"),
            &["description", "receipt_number", "instructions_email"],
            const { &[to("payment_intent", "payments"), to("charge", "charges"), to("customer", "customers")] },
        ),
        Kind::Dispute => (
            &[
                "warning_needs_response",
                "warning_under_review",
                "warning_closed",
                "needs_response",
                "under_review",
                "won",
                "lost",
                "prevented",
            ],
            Some("amount"),
            &["reason", "evidence.customer_email_address", "evidence.customer_name"],
            const { &[to("payment_intent", "payments"), to("charge", "charges")] },
        ),
    };
    KindDescription {
        kind: kind.plural(),
        object: kind.object(),
        id_prefixes: kind.id_prefixes(),
        statuses,
        amount,
        labels,
        references,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reference_leads_to_a_kind() {
        for kind in Kind::ALL {
            for reference in description(kind).references {
                assert!(Kind::from_plural(reference.kind).is_some(), "{reference:?}");
            }
        }
    }
}
