//! `GET /records`: the kinds of record there are, and what a page needs to show one that it does not know.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::Value;
use shared::http::{ApiError, Query, json};
use shared::kind::{Kind, Reference, member};

/// What a kind of record is.
#[derive(Debug, Clone, Serialize)]
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
    references: Vec<ReferenceDescription>,
    /// Whether Stripe lists them, so that an import finds them.
    listed: bool,
    /// Whether `customer` narrows a list of them.
    by_customer: bool,
    /// What Stripe calls the right of a restricted key to read them, where that is known.
    permission: Option<&'static str>,
}

/// A member that holds the id of another record.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ReferenceDescription {
    member: &'static str,
    kind: &'static str,
}

/// The answer of `GET /records`.
#[derive(Serialize)]
struct Kinds {
    data: Vec<KindDescription>,
}

pub(crate) fn list(request: &Request) -> Result<Response<Body>, ApiError> {
    Query::read(request, &[])?;
    Ok(json(StatusCode::OK, &Kinds { data: Kind::all().map(KindDescription::from).collect() }))
}

/// Whether a text, in small letters, stands in the record's id or in one of the members by which people know
/// it.
pub(crate) fn is_known_by(kind: Kind, id: &str, object: &Value, text: &str) -> bool {
    let labels = kind.labels().iter().filter_map(|label| member(object, label)?.as_str());
    [id].into_iter().chain(labels).any(|label| label.to_lowercase().contains(text))
}

impl From<Kind> for KindDescription {
    fn from(kind: Kind) -> Self {
        let reference = |reference: &Reference| {
            let kind = Kind::from_object_name(reference.object)?.plural();
            Some(ReferenceDescription { member: reference.member, kind })
        };
        Self {
            kind: kind.plural(),
            object: kind.object(),
            id_prefixes: kind.id_prefixes(),
            statuses: kind.statuses(),
            amount: kind.amount(),
            labels: kind.labels(),
            references: kind.references().iter().filter_map(reference).collect(),
            listed: kind.is_listed(),
            by_customer: kind.can_be_a_customers(),
            permission: kind.permission(),
        }
    }
}
