//! `GET /records/{kind}`: the records of a kind, the newest first.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::http::{ApiError, Query, json};
use shared::object_key::{Kind, ObjectKey};
use shared::page::Page;
use shared::records::{Record, RecordListing};

use crate::customer::{self, PartPosition, PartsPage};
use crate::deps::Deps;
use crate::listed_record::{ListedRecord, list_records};
use crate::payment_list::{list_payments, payment_position};
use crate::response_size::take_fitting;
use crate::view::{LoadedRecord, parse_kind};

/// Where the records of a list are found.
enum ListSource {
    /// In an index: all of the kind, or those that name the customer.
    Index(RecordListing),
    /// Among PaymentIntents and charges: all, or those that name the customer.
    Payments(Option<ObjectKey>),
    /// Among the parts of this customer's payments and charges; most records of the kind name no customer.
    PaymentParts(ObjectKey),
    /// The customer's own record is the only one.
    Customer(ObjectKey),
}

pub(crate) async fn list(deps: &Deps, request: &Request, kind: &str) -> Result<Response<Body>, ApiError> {
    let kind = parse_kind(kind)?;
    let query = Query::read(request, &["customer", "status", "account", "limit", "cursor"])?;
    let (limit, list_name) = (query.limit()?, format!("{} records {}", deps.mode, kind.plural()));
    let (account, status) = (query.get("account"), query.get("status"));
    let has_status = |record: &LoadedRecord| status.is_none_or(|status| record.status() == Some(status));
    let matches = |record: &Record| {
        account.is_none_or(|account| record.key.account() == Some(account))
            && (status.is_none() || LoadedRecord::new(record.clone()).is_ok_and(|record| has_status(&record)))
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
            let records = list_records(deps, kind, page.records).await?;
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
            let records = list_records(deps, kind, page.records).await?;
            let (data, next) = take_fitting(positions.into_iter().zip(records), page.next);
            (data, next.map(|position| query.next_cursor(&list_name, position)))
        }
        ListSource::PaymentParts(customer) => {
            let from: Option<PartPosition> = query.cursor(&list_name)?;
            if from.as_ref().is_some_and(|from| !from.can_be_of(kind)) {
                return Err(query.invalid_cursor());
            }
            let PartsPage { parts, next } =
                customer::list_parts(deps, &customer, kind, from, limit, has_status).await?;
            let records =
                parts.into_iter().map(|(position, part)| (position, ListedRecord::without_payment(&part)));
            let (data, next) = take_fitting(records, next);
            (data, next.map(|position| query.next_cursor(&list_name, position)))
        }
        ListSource::Customer(customer) => {
            if query.get("cursor").is_some() {
                return Err(query.invalid_cursor());
            }
            let record = deps.records.get(&customer).await?.map(LoadedRecord::new).transpose()?;
            let record = record.filter(has_status).map(|record| ListedRecord::without_payment(&record));
            (take_fitting(record.map(|record| ((), record)), None).0, None)
        }
    };
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

fn list_source(kind: Kind, query: &Query) -> Result<ListSource, ApiError> {
    let Some(customer) = query.get("customer") else {
        return Ok(match kind {
            Kind::Payment => ListSource::Payments(None),
            Kind::Customer
            | Kind::Subscription
            | Kind::Invoice
            | Kind::InvoicePayment
            | Kind::Charge
            | Kind::Refund
            | Kind::Dispute => ListSource::Index(RecordListing::Kind(kind)),
        });
    };
    let customer = ObjectKey::new(query.get("account"), Kind::Customer.object(), customer).map_err(|_| {
        ApiError::invalid("customer", "`customer` or `account` is no id of Stripe's")
            .remedy("give the ids as Stripe shows them, such as cus_… and acct_…")
    })?;
    Ok(match kind {
        Kind::Payment => ListSource::Payments(Some(customer)),
        Kind::Subscription | Kind::Invoice | Kind::Charge => {
            ListSource::Index(customer::listing(&customer, kind))
        }
        Kind::InvoicePayment | Kind::Refund | Kind::Dispute => ListSource::PaymentParts(customer),
        Kind::Customer => ListSource::Customer(customer),
    })
}
