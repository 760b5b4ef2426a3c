//! Goes through one of Stripe's lists: the page after a position, its objects written to their records, and
//! the position to go on after. What the import and the nightly pass have in common.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::kind::Kind;
use shared::lossy_json::{self, LossyJsonError};
use shared::object_key::ObjectKey;
use shared::records::Record;
use shared::registry::ListPosition;
use shared::stripe::{ObjectsPage, ObjectsQuery, Session, StripeError, StripeResponse};
use shared::unix_time::UnixSeconds;

use crate::deps::Deps;
use crate::error::ImportError;
use crate::transactions::{self, ListedTransaction};
use crate::upsert::{FetchedObject, Upserted, upsert};

/// Records written at a time. A write mostly waits for DynamoDB, and the connection carries this many easily.
const CONCURRENT_WRITES: usize = 16;

/// What became of a page.
#[derive(Debug, Default)]
pub(crate) struct WrittenPage {
    /// How many records were written.
    pub(crate) written: u64,
    /// Objects that cannot be kept: their ids, or why one has none.
    pub(crate) left_out: Vec<String>,
    /// Whether there are objects on it that were made before the time from which they are wanted.
    pub(crate) reached_since: bool,
}

/// An object of a list.
struct ListedObject<'a> {
    key: ObjectKey,
    raw: &'a str,
    object: Value,
}

impl ListedObject<'_> {
    fn is_older_than(&self, since: Option<UnixSeconds>) -> bool {
        let created = self.object["created"].as_i64().map(UnixSeconds::new);
        since.zip(created).is_some_and(|(since, created)| created < since)
    }
}

/// Lists the page after a position. If the object there is gone, such as a deleted draft, lists from the
/// second in which it was made.
pub(crate) async fn list_after(
    session: &Session<'_>,
    query: ObjectsQuery<'_>,
    after: Option<&ListPosition>,
) -> Result<StripeResponse<ObjectsPage>, StripeError> {
    let query = ObjectsQuery { after: after.map(|position| position.id.as_str()), ..query };
    match session.objects(query).await {
        Err(error) if error.is_gone_cursor() => {
            let until = after.and_then(|position| position.created);
            session.objects(ObjectsQuery { until, after: None, ..query }).await
        }
        result => result,
    }
}

/// The position after which the list goes on; none if the last object of the page has no id, or there is
/// none.
pub(crate) fn last_position(page: &ObjectsPage) -> Option<ListPosition> {
    match &page.oversized {
        // One that is too large is passed by its id.
        Some(object) => Some(ListPosition { id: object.id.clone(), created: object.created }),
        None => page.objects.last().and_then(|raw| position(raw).ok()),
    }
}

/// Writes the records of a page's objects that are older and differ; `since` leaves out those made before. A
/// list that cannot be bounded by time goes from the newest to the oldest, and is left at the first of these.
pub(crate) async fn write_page(
    deps: &Deps,
    page: &ObjectsPage,
    account: &AccountKey,
    kind: Kind,
    since: Option<UnixSeconds>,
    as_of: UnixSeconds,
) -> Result<WrittenPage, ImportError> {
    let (mut outcome, mut listed, mut transactions) = (WrittenPage::default(), Vec::new(), Vec::new());
    for raw in &page.objects {
        match parse_object(raw, account, kind) {
            Ok(object) if object.is_older_than(since) => outcome.reached_since = true,
            // With what each belongs to.
            Ok(_) if kind == Kind::BALANCE_TRANSACTION => {
                transactions.extend(ListedTransaction::read(raw, account));
            }
            Ok(object) => listed.push(object),
            Err(id) => outcome.left_out.push(id),
        }
    }
    outcome.left_out.extend(page.oversized.iter().map(|object| object.id.clone()));
    outcome.written = transactions::write(deps, &transactions, None, as_of).await?.written;
    upsert_all(deps, listed, as_of, &mut outcome).await?;
    Ok(outcome)
}

async fn upsert_all(
    deps: &Deps,
    listed: Vec<ListedObject<'_>>,
    as_of: UnixSeconds,
    outcome: &mut WrittenPage,
) -> Result<(), ImportError> {
    let keys: Vec<ObjectKey> = listed.iter().map(|object| object.key.clone()).collect();
    let records = deps.records.get_all(&keys).await?;
    let records: HashMap<ObjectKey, Record> =
        records.into_iter().map(|record| (record.key.clone(), record)).collect();
    let records = &records;
    let upserts = listed.into_iter().map(|ListedObject { key, raw, object }| async move {
        let record = records.get(&key).cloned();
        let id = key.id().to_owned();
        let fetched = FetchedObject { key, raw, object: &object, as_of };
        Ok::<_, ImportError>((id, upsert(&deps.records, &fetched, record).await?))
    });
    let results: Vec<(String, Upserted)> =
        futures::stream::iter(upserts).buffer_unordered(CONCURRENT_WRITES).try_collect().await?;
    for (id, upserted) in results {
        match upserted {
            Upserted::Written => outcome.written += 1,
            Upserted::TooLarge => outcome.left_out.push(id),
            Upserted::Unchanged => {}
        }
    }
    Ok(())
}

/// Parses an object of a list. The error identifies one that cannot be kept: its id, or why it has none.
fn parse_object<'a>(raw: &'a RawValue, account: &AccountKey, kind: Kind) -> Result<ListedObject<'a>, String> {
    let ListPosition { id, .. } = position(raw).map_err(|_| "without an id".to_owned())?;
    let key = ObjectKey::new(account.connected(), kind.object(), &id).map_err(|_| "without an id")?;
    match lossy_json::from_str::<Value>(raw.get()) {
        Ok(object) if object["object"] == kind.object() => Ok(ListedObject { key, raw: raw.get(), object }),
        Ok(_) | Err(_) => Err(id),
    }
}

/// The position of an object, also of one that cannot be read whole.
pub(crate) fn position(raw: &RawValue) -> Result<ListPosition, LossyJsonError> {
    lossy_json::from_str(raw.get())
}
