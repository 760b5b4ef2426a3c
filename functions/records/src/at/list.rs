//! `GET /records/{kind}?at=`: which records of a kind there were, and how each stood, the newest first.
//!
//! The list goes over the present records that were made by then; each is decided on its own. Filters hold
//! for the state of then. One of which that is not known is in the list whatever they ask for: to leave it
//! out would be to say that it does not fit.

use futures::StreamExt;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::http::{ApiError, Query, json};
use shared::kind::Kind;
use shared::object_key::ObjectKey;
use shared::records::{Record, RecordListing, RecordPage};

use super::PointInTime;
use super::state::{PastObject, past_object};
use super::view::PastRecord;
use crate::deps::Deps;
use crate::list::{ListSource, list_source, search};
use crate::payment_list::{list_payments, payment_position};
use crate::response_size::{LARGEST_PAGE, take_fitting};
use crate::view::LoadedRecord;

/// Records whose events are read at once.
const CONCURRENT_READS: usize = 8;
/// Records that one request looks at, before it returns a short page.
const MAX_LOOKED_AT: usize = 100;
/// The same of payments, each of which has parts.
const MAX_PAYMENTS: usize = 25;

/// A page of records as they were.
#[derive(Serialize)]
struct PastPage {
    at: Option<Timestamp>,
    /// From when on the ledger holds every event that came.
    known_since: Option<Timestamp>,
    data: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

/// Where the records are found.
enum PastSource {
    Index(RecordListing),
    Payments(Option<ObjectKey>),
}

/// What is asked for.
struct PastList<'a> {
    deps: &'a Deps,
    at: &'a PointInTime,
    kind: Kind,
    account: Option<&'a str>,
    customer: Option<&'a str>,
    status: Option<&'a str>,
    search: Option<String>,
}

/// Some of the records, each with its position.
struct Found {
    records: Vec<(String, PastRecord)>,
    /// The position to continue after; none at the end.
    next: Option<String>,
}

pub(crate) async fn list(
    deps: &Deps,
    at: &PointInTime,
    kind: Kind,
    query: &Query,
) -> Result<Response<Body>, ApiError> {
    let (limit, list_name) = (query.limit()?, format!("{} past records {}", deps.mode, kind.plural()));
    let source = list_source(kind, query)?;
    let list = PastList {
        deps,
        at,
        kind,
        account: query.get("account"),
        customer: query.get("customer"),
        status: query.get("status"),
        search: search(query)?,
    };
    let source = match source {
        ListSource::Index(listing) => PastSource::Index(listing.ever()),
        ListSource::Payments(customer) => PastSource::Payments(customer),
        ListSource::PaymentParts(_) => return Err(not_by_customer(kind)),
        ListSource::Customer(customer) => {
            if query.get("cursor").is_some() {
                return Err(query.invalid_cursor());
            }
            is_within_ledger(at)?;
            let record = deps.records.get(&customer).await?;
            let past = match record {
                Some(record) => list.past_if_wanted(record).await?.map(|(past, _)| ((), past)),
                None => None,
            };
            return Ok(page(at, take_fitting(past, None).0, None));
        }
    };
    let from: Option<String> = query.cursor(&list_name)?;
    if from.as_ref().is_some_and(|from| !source.listing(kind).can_contain(from)) {
        return Err(query.invalid_cursor());
    }
    is_within_ledger(at)?;
    let Found { records, next } = list.find(&source, from, limit).await?;
    let (data, next) = take_fitting(records, next);
    Ok(page(at, data, next.map(|position| query.next_cursor(&list_name, position))))
}

fn page(at: &PointInTime, data: Vec<Box<RawValue>>, next_cursor: Option<String>) -> Response<Body> {
    let (second, known_since) = (at.second.to_timestamp(), at.known_since.to_timestamp());
    json(StatusCode::OK, &PastPage { at: second, known_since, data, next_cursor })
}

/// Before that, what there was besides the present records nobody can say.
fn is_within_ledger(at: &PointInTime) -> Result<(), ApiError> {
    if !at.is_before_ledger() {
        return Ok(());
    }
    let earliest = at.known_since.to_timestamp().unwrap_or_default();
    Err(ApiError::invalid(
        "at",
        "`at` is before all that the ledger surely holds, so nobody can say what was",
    )
    .remedy(format!("give a time from {earliest} on; RetentionDays is how long the ledger keeps events")))
}

fn not_by_customer(kind: Kind) -> ApiError {
    let kind = kind.plural();
    ApiError::invalid(
        "customer",
        format!("`customer` cannot be combined with `at` for {kind}, which name none"),
    )
    .remedy(format!(
        "list the customer's payments with `at`, which show theirs, or all {kind} without `customer`"
    ))
}

impl PastSource {
    fn listing(&self, kind: Kind) -> RecordListing {
        match self {
            Self::Index(listing) => listing.clone(),
            Self::Payments(None) => RecordListing::Kind(kind),
            Self::Payments(Some(customer)) => RecordListing::CustomerEver {
                account: customer.account_key().clone(),
                customer: customer.id().to_owned(),
                kind,
            },
        }
    }
}

impl PastList<'_> {
    async fn find(
        &self,
        source: &PastSource,
        from: Option<String>,
        limit: usize,
    ) -> Result<Found, StoreError> {
        let is_filtered = self.customer.is_some() || self.status.is_some() || self.search.is_some();
        let max_looked_at = if self.kind == Kind::PAYMENT { MAX_PAYMENTS } else { MAX_LOOKED_AT };
        let (mut records, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
        let mut from = from.or_else(|| self.start());
        loop {
            let wanted: usize = limit - records.len();
            let at_once = if is_filtered { wanted.max(max_looked_at / 4) } else { wanted };
            let at_once = at_once.min(max_looked_at - looked_at);
            let RecordPage { records: found, next } = self.page(source, from, at_once).await?;
            let (count, is_short) = (found.len(), found.len() < at_once);
            let states = found.into_iter().map(async |record| {
                let position = self.position(&record);
                Ok::<_, StoreError>((position, self.past_if_wanted(record).await?))
            });
            let mut states = std::pin::pin!(futures::stream::iter(states).buffered(CONCURRENT_READS));
            let mut done = 0;
            while let Some(state) = states.next().await {
                let (position, past) = state?;
                done += 1;
                if let Some((past, size)) = past {
                    bytes += size;
                    records.push((position.clone(), past));
                }
                if records.len() == limit || bytes > LARGEST_PAGE {
                    let next = if done < count { Some(position) } else { next };
                    return Ok(Found { records, next });
                }
            }
            looked_at += count;
            if next.is_none() || is_short || looked_at >= max_looked_at {
                return Ok(Found { records, next });
            }
            from = next;
        }
    }

    /// Where the list begins: at what was made in that second. What does not say when it was made, or may be
    /// another object under the id of one of then, has a later place.
    fn start(&self) -> Option<String> {
        let is_placed = self.kind.says_when_made() && !self.kind.ids_are_used_again();
        is_placed.then(|| RecordListing::position_after(self.kind, self.at.second))
    }

    async fn page(
        &self,
        source: &PastSource,
        from: Option<String>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        let is_of_account =
            |record: &Record| self.account.is_none_or(|account| record.key.account() == Some(account));
        match source {
            PastSource::Index(listing) => self.deps.records.list(listing, from, limit, is_of_account).await,
            PastSource::Payments(_) => {
                list_payments(self.deps, |kind| source.listing(kind), from, limit, is_of_account).await
            }
        }
    }

    fn position(&self, record: &Record) -> String {
        match self.kind {
            Kind::PAYMENT => payment_position(record),
            _ => record.list_position().to_owned(),
        }
    }

    /// What a record was, and the bytes of its object; none if it is not one of the list.
    async fn past_if_wanted(&self, record: Record) -> Result<Option<(PastRecord, usize)>, StoreError> {
        let key = record.key.clone();
        let state = past_object(self.deps, self.at, record).await?;
        let size = match &state {
            PastObject::Known(record) if self.is_wanted(record) => record.object_size(),
            PastObject::Known(_) | PastObject::NotMade => return Ok(None),
            PastObject::Unknown { .. } => 0,
        };
        let past = PastRecord::load(self.deps, self.at, self.kind, &key, state).await?;
        Ok(Some((past, size)))
    }

    fn is_wanted(&self, record: &LoadedRecord) -> bool {
        self.customer.is_none_or(|customer| record.customer() == Some(customer))
            && self.status.is_none_or(|status| record.status() == Some(status))
            && self.search.as_deref().is_none_or(|text| record.is_known_by(self.kind, text))
    }
}
