//! `GET /records/{kind}/{id}`: one record with its events and what belongs to it.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::event_view::EventView;
use shared::http::{ApiError, Query, json};
use shared::kind::{Kind, reference_id};
use shared::ledger::EventListing;
use shared::object_key::ObjectKey;
use shared::page::MAX_LIMIT;

use crate::at::{self, PointInTime};
use crate::customer;
use crate::deps::Deps;
use crate::invoice::{self, InvoiceView};
use crate::listed_record::{ListedRecord, list_beginnings};
use crate::payment::history::HistoryEntry;
use crate::payment::parts::PaymentWithParts;
use crate::payment_list::list_payments;
use crate::references::{self, References};
use crate::response_size::all_fitting;
use crate::settlement::{is_settled_kind, settlements};
use crate::view::{LoadedRecord, parse_kind};

/// How many records of each kind a customer's response shows; lists have the rest.
const RECORDS_OF_KIND: usize = 25;
/// How many bytes of records it shows, shared alike by the kinds that can be a customer's. With the rest of
/// the response they fit what Lambda returns, 6 MB.
const BYTES_OF_RECORDS: usize = 4_200_000;

/// The newest of each kind that belong to a customer, by the kind's plural.
type CustomerRecords = BTreeMap<&'static str, Vec<Box<RawValue>>>;

/// A record on its own.
#[derive(Serialize)]
struct FullRecord {
    #[serde(flatten)]
    record: ListedRecord,
    /// A payment's history: each change of its state or sums, the earliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<HistoryEntry>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceView>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    customer_records: Option<CustomerRecords>,
    #[serde(flatten)]
    references: References,
    /// Its events, the latest first; `GET /events?object=` has those beyond the first hundred.
    timeline: Vec<EventView>,
}

/// Finds the record of the first of these ids that has one. A payment may be a charge without a
/// PaymentIntent.
///
/// # Errors
/// 404 if there is none; 503 if it cannot be read.
async fn find(
    deps: &Deps,
    kind: Kind,
    account: Option<&str>,
    ids: &[String],
) -> Result<LoadedRecord, ApiError> {
    let kinds = if kind == Kind::PAYMENT { &[Kind::PAYMENT, Kind::CHARGE][..] } else { &[kind] };
    for id in ids {
        for kind_of_id in kinds {
            let Ok(key) = ObjectKey::new(account, kind_of_id.object(), id) else { continue };
            let Some(record) = deps.records.get(&key).await? else { continue };
            let record = LoadedRecord::new(record)?;
            let intent = reference_id(&record.object["payment_intent"]);
            match intent.filter(|_| kind == Kind::PAYMENT && record.kind == Kind::CHARGE) {
                None => return Ok(record),
                Some(intent) => {
                    return Err(ApiError::not_found(format!("`{id}` is a charge of the payment `{intent}`"))
                        .remedy(format!("GET /records/payments/{intent} or /records/charges/{id}")));
                }
            }
        }
    }
    let id = ids.first().map(String::as_str).unwrap_or_default();
    Err(ApiError::not_found(format!("there is no {} `{id}` here", kind.object())).remedy(
        "GET /events?object= shows whether Stripe has sent an event of it; \
         objects of a connected account need `account`",
    ))
}

pub(crate) async fn get(
    deps: &Deps,
    request: &Request,
    kind: &str,
    ids: &[String],
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let kind = parse_kind(kind)?;
    let query = Query::read(request, &["account", "at"])?;
    let at = PointInTime::read(deps, &query, now).await?;
    let loaded = find(deps, kind, query.get("account"), ids).await?;
    if let Some(at) = at {
        return at::get(deps, &at, kind, loaded.record).await;
    }
    let key = loaded.record.key.clone();
    let timeline =
        deps.ledger.list(&EventListing::Object(key.clone()), None, MAX_LIMIT, now, |_| true).await?;
    let (mut payment, mut history, mut invoice, mut customer_records) = (None, None, None, None);
    let mut settlement = None;
    match kind {
        Kind::PAYMENT => {
            let with_parts = PaymentWithParts::load(deps, &loaded).await?;
            payment = Some(with_parts.view());
            settlement = Some(settlements(deps, &[with_parts.settled_parts()], now).await?.pop().flatten());
            history = Some(with_parts.history(deps, now).await?);
        }
        Kind::INVOICE => invoice = Some(invoice::view(deps, &loaded).await?),
        kind if is_settled_kind(kind) => {
            settlement = Some(settlements(deps, &[vec![&loaded]], now).await?.pop().flatten());
        }
        Kind::CUSTOMER => customer_records = Some(self::customer_records(deps, &key, now).await?),
        _ => {}
    }
    let references = references::view(deps, &loaded).await?;
    let record = match payment {
        Some(payment) => ListedRecord::as_payment(&loaded, payment),
        None => ListedRecord::without_payment(&loaded),
    };
    let record = match settlement {
        Some(settlement) => record.with_settlement(settlement),
        None => record,
    };
    let timeline = timeline.rows.into_iter().map(EventView::from).collect();
    Ok(json(StatusCode::OK, &FullRecord { record, history, invoice, customer_records, references, timeline }))
}

async fn customer_records(
    deps: &Deps,
    customer: &ObjectKey,
    now: Timestamp,
) -> Result<CustomerRecords, StoreError> {
    let list = async |kind| {
        let listing = customer::listing(customer, kind);
        let page = deps.records.list(&listing, None, RECORDS_OF_KIND, |_| true).await?;
        Ok::<_, StoreError>((kind, list_beginnings(deps, kind, page.records, now).await?))
    };
    let payments = async {
        let listing = |kind| customer::listing(customer, kind);
        let page = list_payments(deps, listing, None, RECORDS_OF_KIND, |_| true).await?;
        Ok::<_, StoreError>((Kind::PAYMENT, list_beginnings(deps, Kind::PAYMENT, page.records, now).await?))
    };
    let others = Kind::all().filter(|kind| ![Kind::CUSTOMER, Kind::PAYMENT].contains(kind));
    let (by_payments, by_customer): (Vec<Kind>, Vec<Kind>) =
        others.partition(|kind| kind.is_listed_by_payments());
    let by_customer = by_customer.into_iter().filter(|kind| !kind.customer_members().is_empty());
    let (naming_customer, payments, parts) = tokio::try_join!(
        try_join_all(by_customer.map(list)),
        payments,
        customer::newest_parts(deps, customer)
    )?;
    let through_payments = by_payments.into_iter().map(|kind| {
        let of_kind = parts.iter().filter(|part| part.kind == kind).take(RECORDS_OF_KIND);
        (kind, of_kind.map(ListedRecord::without_payment).collect())
    });
    let bytes_of_kind = BYTES_OF_RECORDS / Kind::all().filter(|kind| kind.can_be_a_customers()).count();
    let all = naming_customer.into_iter().chain([payments]).chain(through_payments);
    Ok(all.map(|(kind, records)| (kind.plural(), all_fitting(&records, bytes_of_kind))).collect())
}
