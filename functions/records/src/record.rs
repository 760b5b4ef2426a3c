//! `GET /records/{kind}` and `GET /records/{kind}/{id}`.

use futures::future::try_join_all;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::http::{ApiError, EventView, Query, json};
use shared::ledger::Listing;
use shared::object_key::{Kind, ObjectKey};
use shared::page::{MAX_LIMIT, Page};
use shared::records::{Record, RecordListing};

use crate::Deps;
use crate::payment::{Payment, derive};
use crate::view::{Read, RecordView, id};

/// Lambda's answers have 6 MB at most (its quotas); half of it leaves room for what stands around.
const LARGEST_PAGE: usize = 3_000_000;
/// What a customer's answer shows of each kind; lists have the rest.
const THEIRS: usize = 25;
/// And at most so many bytes of each.
const LARGEST_PART: usize = 1_000_000;

/// A record in a list.
#[derive(Serialize)]
struct Listed {
    #[serde(skip)]
    place: String,
    #[serde(flatten)]
    record: RecordView,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
}

/// What only payments show.
#[derive(Serialize)]
struct PaymentView {
    #[serde(flatten)]
    payment: Payment,
    charges: Vec<RecordView>,
    refunds: Vec<RecordView>,
    disputes: Vec<RecordView>,
    invoice: Option<String>,
}

/// A record on its own.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    record: Listed,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    theirs: Option<Theirs>,
    /// Its events, the later first; `GET /events?object=` has those beyond the first hundred.
    timeline: Vec<EventView>,
}

/// What only customers show: the newest of each kind.
#[derive(Serialize)]
struct Theirs {
    subscriptions: Vec<Box<RawValue>>,
    invoices: Vec<Box<RawValue>>,
    payments: Vec<Box<RawValue>>,
    charges: Vec<Box<RawValue>>,
}

pub(crate) async fn list(deps: &Deps, request: &Request, kind: &str) -> Result<Response<Body>, ApiError> {
    let kind = self::kind(kind)?;
    let query = Query::read(request, &["customer", "status", "account", "limit", "cursor"])?;
    let (limit, list) = (query.limit()?, format!("{} records {}", deps.mode, kind.plural()));
    let account = query.get("account");
    let listing = match query.get("customer") {
        None => RecordListing::Kind(kind),
        Some(customer) if names_customer(kind) => RecordListing::Customer {
            account: account.map(str::to_owned),
            customer: customer.to_owned(),
            kind,
        },
        Some(customer) => {
            return Err(ApiError::invalid("customer", format!("{} do not name a customer at Stripe", kind.plural()))
                .remedy(format!("read GET /records/customers/{customer}, or GET /records/payments?customer={customer}, whose payments list theirs")));
        }
    };
    let status = query.get("status");
    let wanted = |record: &Record| {
        let of_account = account.is_none_or(|account| record.key.account() == Some(account));
        of_account
            && status.is_none_or(|status| {
                Read::new(record.clone()).is_ok_and(|read| read.status() == Some(status))
            })
    };
    let from: Option<String> = query.cursor(&list)?;
    if from.as_ref().is_some_and(|from| !listing.may_hold(from)) {
        return Err(query.not_our_cursor());
    }
    let page = deps.records.list(&listing, from, limit, wanted).await?;
    let (data, next) = fitting(listed(deps, page.records).await?, page.next);
    let next_cursor = next.map(|at| query.next_cursor(&list, at));
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

/// Ends a page where its answer would become too large; there is always one record in it.
fn fitting(listed: Vec<Listed>, next: Option<String>) -> (Vec<Box<RawValue>>, Option<String>) {
    let (mut data, mut size, mut last) = (Vec::new(), 0, None);
    for one in listed {
        // What was read from JSON is written as JSON.
        let Ok(text) = serde_json::value::to_raw_value(&one) else { continue };
        size += text.get().len();
        if size > LARGEST_PAGE && !data.is_empty() {
            return (data, last);
        }
        data.push(text);
        last = Some(one.place);
    }
    (data, next)
}

pub(crate) async fn one(
    deps: &Deps,
    request: &Request,
    kind: &str,
    id: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let kind = self::kind(kind)?;
    let query = Query::read(request, &["account"])?;
    let missing = || {
        ApiError::not_found(format!("there is no {} `{id}` here", kind.object()))
            .remedy("GET /events?object= shows whether Stripe has told of it; objects of a connected account need `account`")
    };
    let key = ObjectKey::new(query.get("account"), kind.object(), id).map_err(|_| missing())?;
    let record = deps.records.get(&key).await?.ok_or_else(missing)?;
    let timeline = deps.ledger.list(&Listing::Object(key.clone()), None, MAX_LIMIT, now, |_| true).await?;
    let theirs = match kind {
        Kind::Customer => Some(theirs(deps, &key).await?),
        Kind::Subscription
        | Kind::Invoice
        | Kind::InvoicePayment
        | Kind::Payment
        | Kind::Charge
        | Kind::Refund
        | Kind::Dispute => None,
    };
    let record = show(deps, record).await?;
    let timeline = timeline.rows.into_iter().map(EventView::from).collect();
    Ok(json(StatusCode::OK, &Whole { record, theirs, timeline }))
}

fn kind(word: &str) -> Result<Kind, ApiError> {
    Kind::of_plural(word).ok_or_else(|| {
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        ApiError::not_found(format!("there are no records of kind `{word}`"))
            .remedy(format!("the kinds are {}", kinds.join(", ")))
    })
}

fn names_customer(kind: Kind) -> bool {
    match kind {
        Kind::Subscription | Kind::Invoice | Kind::Payment | Kind::Charge => true,
        Kind::Customer | Kind::InvoicePayment | Kind::Refund | Kind::Dispute => false,
    }
}

async fn theirs(deps: &Deps, customer: &ObjectKey) -> Result<Theirs, StoreError> {
    let of = async |kind| {
        let listing = RecordListing::Customer {
            account: customer.account().map(str::to_owned),
            customer: customer.id().to_owned(),
            kind,
        };
        let page = deps.records.list(&listing, None, THEIRS, |_| true).await?;
        let mut left = LARGEST_PART;
        let texts = listed(deps, page.records).await?;
        let texts = texts.iter().filter_map(|one| serde_json::value::to_raw_value(one).ok());
        Ok::<_, StoreError>(
            texts
                .take_while(|text| {
                    let fits = text.get().len() <= left;
                    left = left.saturating_sub(text.get().len());
                    fits
                })
                .collect(),
        )
    };
    let (subscriptions, invoices, payments, charges) =
        tokio::try_join!(of(Kind::Subscription), of(Kind::Invoice), of(Kind::Payment), of(Kind::Charge))?;
    Ok(Theirs { subscriptions, invoices, payments, charges })
}

async fn listed(deps: &Deps, records: Vec<Record>) -> Result<Vec<Listed>, StoreError> {
    try_join_all(records.into_iter().map(|record| show(deps, record))).await
}

async fn show(deps: &Deps, record: Record) -> Result<Listed, StoreError> {
    let read = Read::new(record)?;
    let payment = if read.kind == Kind::Payment { Some(payment(deps, &read).await?) } else { None };
    Ok(Listed { place: read.record.place().to_owned(), record: read.view(), payment })
}

/// Joins a payment with what names it: directly, or through one of its charges (refunds of old API versions name only that).
async fn payment(deps: &Deps, intent: &Read) -> Result<PaymentView, StoreError> {
    let key = &intent.record.key;
    let mut parts = naming(deps, key, key.id()).await?;
    let charges: Vec<String> =
        of(&parts, Kind::Charge).map(|charge| charge.record.key.id().to_owned()).collect();
    for through in try_join_all(charges.iter().map(|charge| naming(deps, key, charge))).await? {
        parts.extend(through);
    }
    let objects = |kind| of(&parts, kind).map(|part| &part.object);
    let payment =
        derive(&intent.object, objects(Kind::Charge), objects(Kind::Refund), objects(Kind::Dispute));
    let views = |kind| of(&parts, kind).map(Read::view).collect();
    let by_invoice_payment = || of(&parts, Kind::InvoicePayment).find_map(|part| id(&part.object["invoice"]));
    // Since API 2025-03-31 an invoice payment joins the two; before, the PaymentIntent named its invoice.
    let invoice = id(&intent.object["invoice"]).or_else(by_invoice_payment).map(str::to_owned);
    let (charges, refunds, disputes) = (views(Kind::Charge), views(Kind::Refund), views(Kind::Dispute));
    Ok(PaymentView { payment, charges, refunds, disputes, invoice })
}

fn of(parts: &[Read], kind: Kind) -> impl Iterator<Item = &Read> + Clone {
    parts.iter().filter(move |part| part.kind == kind)
}

async fn naming(deps: &Deps, of: &ObjectKey, payment: &str) -> Result<Vec<Read>, StoreError> {
    let listing =
        RecordListing::Payment { account: of.account().map(str::to_owned), payment: payment.to_owned() };
    let mut read = Vec::new();
    let mut from = None;
    loop {
        let page = deps.records.list(&listing, from, MAX_LIMIT, |_| true).await?;
        for record in page.records {
            read.push(Read::new(record)?);
        }
        from = page.next;
        if from.is_none() {
            return Ok(read);
        }
    }
}
