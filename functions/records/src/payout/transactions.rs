//! `GET /records/payouts/{id}/transactions`: what a payout is made of, the newest first, as JSON or as CSV.

use jiff::Timestamp;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::Value;
use shared::http::{ApiError, Query, json};
use shared::kind::{Kind, reference_id};
use shared::object_key::ObjectKey;
use shared::page::Page;
use shared::records::{RecordListing, TransactionLinks};
use url::form_urlencoded;

use super::{balance_status, time};
use crate::csv;
use crate::deps::Deps;
use crate::response_size::{LARGEST_PAGE, take_fitting};
use crate::view::LoadedRecord;

/// Rows of a page of CSV, unless `limit` asks for fewer.
const MAX_CSV_ROWS: usize = 2_000;

/// A transaction of a payout. Amounts are in the smallest unit of `currency`.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionView {
    id: String,
    account: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    reporting_category: Option<String>,
    description: Option<String>,
    created: Option<Timestamp>,
    available_on: Option<Timestamp>,
    status: Option<String>,
    currency: Option<String>,
    amount: Option<i64>,
    fee: Option<i64>,
    net: Option<i64>,
    fee_details: Value,
    source: Option<String>,
    #[serde(flatten)]
    links: LinksView,
}

/// What a balance transaction belongs to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LinksView {
    charge: Option<String>,
    refund: Option<String>,
    dispute: Option<String>,
    payment: Option<String>,
    invoice: Option<String>,
    customer: Option<String>,
    payout: Option<String>,
}

impl LinksView {
    /// What a balance transaction shows; none for other records.
    pub(crate) fn from_record(record: &LoadedRecord) -> Option<Self> {
        (record.kind == Kind::BALANCE_TRANSACTION)
            .then(|| Self::from(record.record.links.clone().unwrap_or_default()))
    }
}

impl From<TransactionLinks> for LinksView {
    fn from(links: TransactionLinks) -> Self {
        let TransactionLinks { payout, charge, refund, dispute, payment, invoice, customer } = links;
        Self { charge, refund, dispute, payment, invoice, customer, payout }
    }
}

impl TransactionView {
    fn new(record: &LoadedRecord, now: Timestamp) -> Self {
        let object = &record.object;
        let text = |member: &str| object[member].as_str().map(str::to_owned);
        let number = |member: &str| object[member].as_i64();
        Self {
            id: record.record.key.id().to_owned(),
            account: record.record.key.account().map(str::to_owned),
            kind: text("type"),
            reporting_category: text("reporting_category"),
            description: text("description"),
            created: time(&object["created"]),
            available_on: time(&object["available_on"]),
            status: balance_status(object, now),
            currency: text("currency"),
            amount: number("amount"),
            fee: number("fee"),
            net: number("net"),
            fee_details: object["fee_details"].clone(),
            source: reference_id(&object["source"]).map(str::to_owned),
            links: record.record.links.clone().unwrap_or_default().into(),
        }
    }
}

pub(crate) async fn list(
    deps: &Deps,
    request: &Request,
    ids: &[String],
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let query = Query::read(request, &["account", "limit", "cursor"])?;
    let as_csv = wants_csv(request);
    let limit = if as_csv { query.limit_up_to(MAX_CSV_ROWS, MAX_CSV_ROWS)? } else { query.limit()? };
    let payout = find(deps, query.get("account"), ids).await?;
    let list_name = format!("{} transactions of {payout}", deps.mode);
    let from: Option<String> = query.cursor(&list_name)?;
    let listing =
        RecordListing::Payout { account: payout.account_key().clone(), payout: payout.id().to_owned() };
    if from.as_ref().is_some_and(|from| !listing.can_contain(from)) {
        return Err(query.invalid_cursor());
    }
    let page = deps.records.list(&listing, from, limit, |_| true).await?;
    let mut rows = Vec::new();
    for record in page.records {
        let position = record.list_position().to_owned();
        rows.push((position, TransactionView::new(&LoadedRecord::new(record)?, now)));
    }
    if !as_csv {
        let (data, next) = take_fitting(rows, page.next);
        let next_cursor = next.map(|position| query.next_cursor(&list_name, position));
        return Ok(json(StatusCode::OK, &Page { data, next_cursor }));
    }
    let (text, next) = to_csv(&rows, page.next)
        .map_err(|error| ApiError::unavailable("writing the transactions as CSV", &error))?;
    let next = next.map(|position| query.next_cursor(&list_name, position));
    Ok(csv_response(&payout, text, next.as_deref(), &query))
}

/// Whether the client asks for CSV.
fn wants_csv(request: &Request) -> bool {
    let accepts = request.headers().get_all(header::ACCEPT);
    let accepts = accepts.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    accepts
        .filter_map(|part| part.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("text/csv"))
}

/// The payout of the path, whose `ids` end with `/transactions`.
async fn find(deps: &Deps, account: Option<&str>, ids: &[String]) -> Result<ObjectKey, ApiError> {
    let ids: Vec<&str> = ids.iter().filter_map(|id| id.strip_suffix("/transactions")).collect();
    for id in &ids {
        let Ok(key) = ObjectKey::new(account, Kind::PAYOUT.object(), id) else { continue };
        if deps.records.get(&key).await?.is_some() {
            return Ok(key);
        }
    }
    let id = ids.first().copied().unwrap_or_default();
    Err(ApiError::not_found(format!("there is no payout `{id}` here"))
        .remedy("GET /records/payouts lists those that are; those of a connected account need `account`"))
}

const COLUMNS: [&str; 21] = [
    "id",
    "type",
    "reporting_category",
    "created",
    "available_on",
    "status",
    "currency",
    "amount",
    "fee",
    "net",
    "amount_decimal",
    "fee_decimal",
    "net_decimal",
    "description",
    "source",
    "charge",
    "refund",
    "dispute",
    "payment",
    "invoice",
    "customer",
];

/// The rows as CSV, as many as fit into a response, and the position to go on after.
fn to_csv(
    rows: &[(String, TransactionView)],
    next: Option<String>,
) -> Result<(String, Option<String>), csv::CsvError> {
    let mut table = csv::Table::new(&COLUMNS)?;
    for (index, (_, row)) in rows.iter().enumerate() {
        if table.len() > LARGEST_PAGE {
            let last = rows.get(index - 1).map(|(position, _)| position.clone());
            return Ok((table.finish()?, last));
        }
        let LinksView { charge, refund, dispute, payment, invoice, customer, payout: _ } = &row.links;
        let currency = row.currency.as_deref().unwrap_or_default();
        let texts = |value: &Option<String>| csv::Cell::Text(value.clone().unwrap_or_default());
        let time =
            |value: Option<Timestamp>| csv::Cell::Text(value.map(|at| at.to_string()).unwrap_or_default());
        let integer = |value: Option<i64>| csv::Cell::Integer(value);
        let decimal = |value: Option<i64>| csv::Cell::Decimal(value, currency);
        table.push(&[
            csv::Cell::Text(row.id.clone()),
            texts(&row.kind),
            texts(&row.reporting_category),
            time(row.created),
            time(row.available_on),
            texts(&row.status),
            texts(&row.currency),
            integer(row.amount),
            integer(row.fee),
            integer(row.net),
            decimal(row.amount),
            decimal(row.fee),
            decimal(row.net),
            texts(&row.description),
            texts(&row.source),
            texts(charge),
            texts(refund),
            texts(dispute),
            texts(payment),
            texts(invoice),
            texts(customer),
        ])?;
    }
    Ok((table.finish()?, next))
}

fn csv_response(payout: &ObjectKey, text: String, next: Option<&str>, query: &Query) -> Response<Body> {
    let mut response = Response::new(Body::Text(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Stripe's own ids are letters, digits and `_`; nothing else may get into a header.
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let name: String = payout.id().chars().map(safe).collect();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    if let Some(next) = next {
        let kept = ["account", "limit"].into_iter().filter_map(|name| Some((name, query.get(name)?)));
        let link = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("cursor", next)
            .finish();
        // Relative to the request's own address, whatever path the stack is served at.
        if let Ok(value) = HeaderValue::try_from(format!("<?{link}>; rel=\"next\"")) {
            headers.insert(header::LINK, value);
        }
    }
    response
}
