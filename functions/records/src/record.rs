//! `GET /records/{kind}` and `GET /records/{kind}/{id}`.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::http::{ApiError, EventView, Query, json};
use shared::ledger::EventListing;
use shared::object_key::{Kind, ObjectKey};
use shared::page::{MAX_LIMIT, Page};
use shared::records::{Record, RecordListing};

use crate::Deps;
use crate::customer::{self, Found, Place};
use crate::history::Entry;
use crate::invoice::{self, InvoiceView};
use crate::joined::{Joined, PaymentView};
use crate::view::{Read, RecordView};

/// Lambda's answers have 6 MB at most (its quotas), as the JSON text that they are put into.
const LARGEST_PAGE: usize = 4_500_000;
/// Payments that are joined at once.
const AT_ONCE: usize = 8;
/// What a customer's answer shows of each kind; lists have the rest.
const THEIRS: usize = 25;
/// And at most so many bytes of each. There are seven, so that all fit one answer.
const LARGEST_PART: usize = 600_000;

/// A record in a list.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    record: RecordView,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
}

/// A record on its own.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    record: Listed,
    /// For a payment: how it came to be what it is, the earliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Entry>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceView>,
    /// For a customer: what is theirs, the newest of each kind.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    theirs: Option<BTreeMap<&'static str, Vec<Box<RawValue>>>>,
    /// Its events, the later first; `GET /events?object=` has those beyond the first hundred.
    timeline: Vec<EventView>,
}

/// How a list finds a customer's records of a kind.
enum Theirs {
    /// They name the customer.
    Named(RecordListing),
    /// They name the customer's payments.
    Walked(ObjectKey),
    /// It is the customer.
    Themselves(ObjectKey),
}

pub(crate) async fn list(deps: &Deps, request: &Request, kind: &str) -> Result<Response<Body>, ApiError> {
    let kind = self::kind(kind)?;
    let query = Query::read(request, &["customer", "status", "account", "limit", "cursor"])?;
    let (limit, list) = (query.limit()?, format!("{} records {}", deps.mode, kind.plural()));
    let (account, status) = (query.get("account"), query.get("status"));
    let of_status = |read: &Read| status.is_none_or(|status| read.status() == Some(status));
    let (data, next_cursor) = match theirs_of(kind, &query)? {
        Theirs::Named(listing) => {
            let wanted = |record: &Record| {
                let of_account = account.is_none_or(|account| record.key.account() == Some(account));
                of_account
                    && (status.is_none() || Read::new(record.clone()).is_ok_and(|read| of_status(&read)))
            };
            let from: Option<String> = query.cursor(&list)?;
            if from.as_ref().is_some_and(|from| !listing.may_hold(from)) {
                return Err(query.not_our_cursor());
            }
            let page = deps.records.list(&listing, from, limit, wanted).await?;
            let places: Vec<String> = page.records.iter().map(|record| record.place().to_owned()).collect();
            let (data, next) = fitting(places.into_iter().zip(listed(deps, page.records).await?), page.next);
            (data, next.map(|at| query.next_cursor(&list, at)))
        }
        Theirs::Walked(customer) => {
            let from: Option<Place> = query.cursor(&list)?;
            if from.as_ref().is_some_and(|from| !from.may_be_of(kind)) {
                return Err(query.not_our_cursor());
            }
            let Found { found, next } = customer::walk(deps, &customer, kind, from, limit, of_status).await?;
            let found =
                found.into_iter().map(|(place, read)| (place, Listed { record: read.view(), payment: None }));
            let (data, next) = fitting(found, next);
            (data, next.map(|at| query.next_cursor(&list, at)))
        }
        Theirs::Themselves(customer) => {
            if query.get("cursor").is_some() {
                return Err(query.not_our_cursor());
            }
            let record = deps.records.get(&customer).await?.map(Read::new).transpose()?;
            let record = record.filter(of_status).map(|read| Listed { record: read.view(), payment: None });
            (fitting(record.map(|one| ((), one)), None).0, None)
        }
    };
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

fn theirs_of(kind: Kind, query: &Query) -> Result<Theirs, ApiError> {
    let Some(customer) = query.get("customer") else { return Ok(Theirs::Named(RecordListing::Kind(kind))) };
    let customer = ObjectKey::new(query.get("account"), Kind::Customer.object(), customer).map_err(|_| {
        ApiError::invalid("customer", "`customer` or `account` is no id of Stripe's")
            .remedy("give the ids as Stripe shows them, such as cus_… and acct_…")
    })?;
    Ok(match kind {
        Kind::Subscription | Kind::Invoice | Kind::Payment | Kind::Charge => {
            Theirs::Named(customer::naming(&customer, kind))
        }
        Kind::InvoicePayment | Kind::Refund | Kind::Dispute => Theirs::Walked(customer),
        Kind::Customer => Theirs::Themselves(customer),
    })
}

/// Ends a page where its answer would become too large; there is always one record in it.
fn fitting<P>(
    listed: impl IntoIterator<Item = (P, Listed)>,
    next: Option<P>,
) -> (Vec<Box<RawValue>>, Option<P>) {
    let (mut data, mut size, mut last) = (Vec::new(), 0, None);
    for (place, one) in listed {
        let Some(text) = text(&one) else { continue };
        size += weight(&text);
        if size > LARGEST_PAGE && !data.is_empty() {
            return (data, last);
        }
        data.push(text);
        last = Some(place);
    }
    (data, next)
}

/// Its bytes as a part of a JSON text: quotes, backslashes and ends of lines are written as two.
fn weight(text: &RawValue) -> usize {
    let doubled = text.get().bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
    text.get().len() + doubled.count()
}

/// What was read from JSON is written as JSON.
fn text(one: &Listed) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(one).ok()
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
    let timeline =
        deps.ledger.list(&EventListing::Object(key.clone()), None, MAX_LIMIT, now, |_| true).await?;
    let read = Read::new(record)?;
    let (mut payment, mut history, mut invoice, mut theirs) = (None, None, None, None);
    match kind {
        Kind::Payment => {
            let joined = Joined::read(deps, &read).await?;
            (payment, history) = (Some(joined.view()), Some(joined.history(deps, now).await?));
        }
        Kind::Invoice => invoice = Some(invoice::view(deps, &read, now).await?),
        Kind::Customer => theirs = Some(self::theirs(deps, &key).await?),
        Kind::Subscription | Kind::InvoicePayment | Kind::Charge | Kind::Refund | Kind::Dispute => {}
    }
    let record = Listed { record: read.view(), payment };
    let timeline = timeline.rows.into_iter().map(EventView::from).collect();
    Ok(json(StatusCode::OK, &Whole { record, history, invoice, theirs, timeline }))
}

fn kind(word: &str) -> Result<Kind, ApiError> {
    Kind::from_plural(word).ok_or_else(|| {
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        ApiError::not_found(format!("there are no records of kind `{word}`"))
            .remedy(format!("the kinds are {}", kinds.join(", ")))
    })
}

/// The newest of each kind that is the customer's.
async fn theirs(
    deps: &Deps,
    customer: &ObjectKey,
) -> Result<BTreeMap<&'static str, Vec<Box<RawValue>>>, StoreError> {
    let named = async |kind| {
        let page = deps.records.list(&customer::naming(customer, kind), None, THEIRS, |_| true).await?;
        Ok::<_, StoreError>((kind, listed(deps, page.records).await?))
    };
    let kinds = [Kind::Subscription, Kind::Invoice, Kind::Payment, Kind::Charge];
    let (named, parts) = tokio::try_join!(
        try_join_all(kinds.into_iter().map(named)),
        customer::parts_of_newest(deps, customer)
    )?;
    let through = [Kind::Refund, Kind::Dispute, Kind::InvoicePayment].map(|kind| {
        let of_kind = parts.iter().filter(|part| part.kind == kind).take(THEIRS);
        (kind, of_kind.map(|part| Listed { record: part.view(), payment: None }).collect())
    });
    let fitting = |listed: Vec<Listed>| {
        let mut left = LARGEST_PART;
        // One that is too large does not hide the others; its own page shows it.
        let texts = listed.iter().filter_map(text).filter(|text| {
            let fits = weight(text) <= left;
            left -= if fits { weight(text) } else { 0 };
            fits
        });
        texts.collect()
    };
    Ok(named.into_iter().chain(through).map(|(kind, listed)| (kind.plural(), fitting(listed))).collect())
}

async fn listed(deps: &Deps, records: Vec<Record>) -> Result<Vec<Listed>, StoreError> {
    let listed = records.into_iter().map(async |record| {
        let read = Read::new(record)?;
        let payment = match read.kind {
            Kind::Payment => Some(Joined::read(deps, &read).await?.view()),
            Kind::Customer
            | Kind::Subscription
            | Kind::Invoice
            | Kind::InvoicePayment
            | Kind::Charge
            | Kind::Refund
            | Kind::Dispute => None,
        };
        Ok(Listed { record: read.view(), payment })
    });
    futures::stream::iter(listed).buffered(AT_ONCE).try_collect().await
}
