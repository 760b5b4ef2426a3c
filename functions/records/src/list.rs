//! `GET /records/{kind}`: the records of a kind, the newest first.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::http::{ApiError, Query, json};
use shared::kind::Kind;
use shared::object_key::ObjectKey;
use shared::page::Page;
use shared::records::{Record, RecordListing};

use crate::at::{self, PointInTime};
use crate::customer::{self, PartPosition, PartsPage};
use crate::deps::Deps;
use crate::listed_record::{ListedRecord, list_records, with_settlements};
use crate::payment_list::{list_payments, payment_position};
use crate::response_size::take_fitting;
use crate::view::{LoadedRecord, parse_kind};

/// Where the records of a list are found.
pub(crate) enum ListSource {
    /// In an index: all of the kind, or those that name the customer.
    Index(RecordListing),
    /// Among PaymentIntents and charges: all, or those that name the customer.
    Payments(Option<ObjectKey>),
    /// Among the parts of this customer's payments and charges; most records of the kind name no customer.
    PaymentParts(ObjectKey),
    /// The customer's own record is the only one.
    Customer(ObjectKey),
}

pub(crate) async fn list(
    deps: &Deps,
    request: &Request,
    kind: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let kind = parse_kind(kind)?;
    let query = Query::read(request, &["customer", "status", "search", "account", "at", "limit", "cursor"])?;
    if let Some(at) = PointInTime::read(deps, &query, now).await? {
        return at::list(deps, &at, kind, &query).await;
    }
    let (limit, list_name) = (query.limit()?, format!("{} records {}", deps.mode, kind.plural()));
    let (account, status) = (query.get("account"), query.get("status"));
    let search = search(&query)?;
    let is_wanted = |record: &LoadedRecord| {
        status.is_none_or(|status| record.status() == Some(status))
            && search.as_deref().is_none_or(|text| record.is_known_by(kind, text))
    };
    let matches = |record: &Record| {
        account.is_none_or(|account| record.key.account() == Some(account))
            && (status.is_none() && search.is_none()
                || LoadedRecord::new(record.clone()).is_ok_and(|record| is_wanted(&record)))
    };
    let (data, next_cursor) = match list_source(kind, &query)? {
        ListSource::Payments(customer) => {
            let listing = |kind| match &customer {
                Some(customer) => customer::listing(customer, kind),
                None => RecordListing::Kind(kind),
            };
            let from: Option<String> = query.cursor(&list_name)?;
            if from.as_ref().is_some_and(|from| !listing(kind).can_contain(from)) {
                return Err(query.invalid_cursor());
            }
            let page = list_payments(deps, listing, from, limit, matches).await?;
            let positions: Vec<String> = page.records.iter().map(payment_position).collect();
            let records = list_records(deps, kind, page.records, now).await?;
            let (data, next) = take_fitting(positions.into_iter().zip(records), page.next);
            (data, next.map(|position| query.next_cursor(&list_name, position)))
        }
        ListSource::Index(listing) => {
            let from: Option<String> = query.cursor(&list_name)?;
            if from.as_ref().is_some_and(|from| !listing.can_contain(from)) {
                return Err(query.invalid_cursor());
            }
            let page = deps.records.list(&listing, from, limit, matches).await?;
            let positions: Vec<String> =
                page.records.iter().map(|record| record.list_position().to_owned()).collect();
            let records = list_records(deps, kind, page.records, now).await?;
            let (data, next) = take_fitting(positions.into_iter().zip(records), page.next);
            (data, next.map(|position| query.next_cursor(&list_name, position)))
        }
        ListSource::PaymentParts(customer) => {
            let from: Option<PartPosition> = query.cursor(&list_name)?;
            if from.as_ref().is_some_and(|from| !from.can_be_of(kind)) {
                return Err(query.invalid_cursor());
            }
            let PartsPage { parts, next } =
                customer::list_parts(deps, &customer, kind, from, limit, is_wanted).await?;
            let (positions, parts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let records = with_settlements(deps, &parts, now).await?;
            let (data, next) = take_fitting(positions.into_iter().zip(records), next);
            (data, next.map(|position| query.next_cursor(&list_name, position)))
        }
        ListSource::Customer(customer) => {
            if query.get("cursor").is_some() {
                return Err(query.invalid_cursor());
            }
            let record = deps.records.get(&customer).await?.map(LoadedRecord::new).transpose()?;
            let record = record.filter(is_wanted).map(|record| ListedRecord::without_payment(&record));
            (take_fitting(record.map(|record| ((), record)), None).0, None)
        }
    };
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

/// Longest text to search for. A name or an address is shorter; a cursor holds it too.
const LONGEST_SEARCH: usize = 200;

/// The text to search for, in small letters.
pub(crate) fn search(query: &Query) -> Result<Option<String>, ApiError> {
    let Some(text) = query.get("search") else { return Ok(None) };
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_SEARCH {
        return Err(ApiError::invalid(
            "search",
            format!("`search` is a text of 1 to {LONGEST_SEARCH} characters"),
        )
        .remedy("give a part of an id, a name or an e-mail address, or leave it out"));
    }
    Ok(Some(text.to_lowercase()))
}

pub(crate) fn list_source(kind: Kind, query: &Query) -> Result<ListSource, ApiError> {
    let Some(customer) = query.get("customer") else {
        return Ok(match kind {
            Kind::PAYMENT => ListSource::Payments(None),
            _ => ListSource::Index(RecordListing::Kind(kind)),
        });
    };
    let customer = ObjectKey::new(query.get("account"), Kind::CUSTOMER.object(), customer).map_err(|_| {
        ApiError::invalid("customer", "`customer` or `account` is no id of Stripe's")
            .remedy("give the ids as Stripe shows them, such as cus_… and acct_…")
    })?;
    Ok(match kind {
        Kind::PAYMENT => ListSource::Payments(Some(customer)),
        Kind::CUSTOMER => ListSource::Customer(customer),
        kind if kind.is_listed_by_payments() => ListSource::PaymentParts(customer),
        kind if !kind.customer_members().is_empty() => ListSource::Index(customer::listing(&customer, kind)),
        kind => {
            return Err(ApiError::invalid("customer", format!("{} are no customer's", kind.plural()))
                .remedy("leave out `customer`"));
        }
    })
}
