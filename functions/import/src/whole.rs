//! Makes objects whole of which Stripe shows the beginning of a list, such as an invoice of over ten lines.
//!
//! ```text
//! a list that is cut ── list a few pages ── write the object with these items ──┐ no more: it is whole
//!      ▲                                                                       │
//!      └───────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The list is gone through from its beginning, so that its items are all of one rendering. How far it is, is
//! kept with the record: a run that ends leaves the rest to the next.
//!
//! Why the items belong to the object as it is kept: it stays the state of its event, or of Stripe's answer,
//! and of its second. A change between that and the list has an event of its own, which is as late as that or
//! later; it takes the record's place with the first ten items, and the list is fetched again. An item that
//! Stripe does not know any more shows such a change too: then the object itself is fetched anew.
//!
//! What Stripe refuses or never answers, and what would be too large, is left until an event changes it; all
//! but the latter are tried again each night.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::{Kind, OwnList};
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{ListProgress, ObjectWithList, Obstacle, OpenOrder, OpenReason, Record};
use shared::registry::Halt;
use shared::stripe::{ObjectsPage, Session, StripeError, StripeFailure, StripeResponse};

use crate::deps::Deps;
use crate::error::{ImportError, Interruption};
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, not_an_error_of_stripes, unreadable};
use crate::upsert::{FetchedObject, is_newer, new_record};

/// Objects that a run looks at.
const MAX_OBJECTS: usize = 1_000;
/// Pages listed before the record is written, which is written whole each time.
const PAGES_A_WRITE: usize = 5;
/// Bytes of an object's JSON that a response can show: Lambda's has 6 MB at most (its quotas), and shows the
/// object in a JSON string, where each quote takes two.
const LARGEST_OBJECT: usize = 4_000_000;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct WholeSummary {
    pages: u64,
    completed: u64,
}

/// Whether the rest of an object's list is to be fetched.
pub(crate) async fn is_waiting(deps: &Deps) -> Result<bool, ImportError> {
    let keys = deps.records.open_keys(OpenReason::ToComplete, 1, OpenOrder::EarliestFirst).await?;
    Ok(!keys.is_empty())
}

/// Has what Stripe refused or did not answer tried again.
pub(crate) async fn try_again(deps: &Deps) -> Result<(), ImportError> {
    let records = &deps.records;
    for record in records.open_records(OpenReason::Incomplete, MAX_OBJECTS, OpenOrder::EarliestFirst).await? {
        if let Some(list) = &record.list
            && matches!(list.obstacle, Some(Obstacle::Refused(_) | Obstacle::Unanswered(_)))
        {
            let list = ListProgress { failed_runs: 0, obstacle: None, ..list.clone() };
            // One that has changed meanwhile begins anew.
            records.replace(&record, &record.with_list(list)).await?;
        }
    }
    Ok(())
}

/// Fetches the rest of the lists that wait for it, until the time is up; one page at least.
pub(crate) async fn run(
    deps: &Deps,
    session: Option<&Session<'_>>,
    deadline: Deadline,
) -> Result<WholeSummary, ImportError> {
    let mut run = WholeRun { deps, deadline, summary: WholeSummary::default(), refused: HashMap::new() };
    let result = match session {
        None => Err(Interruption::Halted(Halt::NoKey)),
        Some(session) => run.complete_waiting(session).await,
    };
    match result {
        // The next run tries again; the status tells of what waits for long.
        Ok(()) | Err(Interruption::Halted(_)) => Ok(run.summary),
        Err(Interruption::Failed(error)) => Err(error),
    }
}

struct WholeRun<'a> {
    deps: &'a Deps,
    deadline: Deadline,
    summary: WholeSummary,
    /// The lists of kinds and accounts that the key may not read.
    refused: HashMap<(AccountKey, Kind), StripeFailure>,
}

/// An object with a list that is cut.
struct CutObject {
    record: Record,
    list: &'static OwnList,
    progress: ListProgress,
    object: ObjectWithList,
}

/// How the listing of some pages ended.
enum Listed {
    /// They are added; `more` says whether there are others.
    Added { more: bool },
    /// The list has changed since its object was as it is kept.
    Changed(StripeFailure),
    /// The next page got no response that can be used, though Stripe answers other calls.
    Unanswered(StripeFailure),
    /// The rest cannot be had.
    Stopped(Obstacle),
}

impl CutObject {
    /// Reads a record; none if there is nothing to fetch.
    fn read(record: Record) -> Option<Self> {
        let is_halted = record.list.as_ref().is_some_and(|list| list.obstacle.is_some());
        if !record.is_at_stripe() || record.order_uncertain || is_halted {
            return None;
        }
        let raw = record.object().ok()?;
        let object: Value = lossy_json::from_slice(&raw).ok()?;
        let list = record.key.kind()?.cut_list(&object)?;
        let progress = record.list.clone().filter(|progress| progress.member == list.member);
        let progress = progress.unwrap_or_else(|| ListProgress::begun(list.member));
        let object = ObjectWithList::read(&raw, list)?;
        Some(Self { record, list, progress, object })
    }

    /// The id of the item that was listed last.
    fn after(&self) -> Option<String> {
        self.object.items.last().filter(|_| self.progress.listed > 0).and_then(|item| item_id(item))
    }

    /// Adds a page of the list.
    fn add(&mut self, page: StripeResponse<ObjectsPage>) -> Listed {
        let failure = |message: &str| not_an_error_of_stripes(message.to_owned(), page.request_id.clone());
        let ObjectsPage { objects, oversized, more } = page.value;
        if oversized.is_some() {
            return Listed::Stopped(Obstacle::TooLarge);
        }
        let Some(ids) = objects.iter().map(|item| item_id(item)).collect::<Option<Vec<_>>>() else {
            return Listed::Unanswered(failure("Stripe's list has something without an id"));
        };
        let shown = self.object.items.len();
        let is_first = self.progress.listed == 0;
        let known: BTreeSet<String> = if is_first {
            BTreeSet::new()
        } else {
            self.object.items.iter().filter_map(|item| item_id(item)).collect()
        };
        if ids.iter().any(|id| known.contains(id)) || is_first && !more && objects.len() < shown {
            return Listed::Changed(failure("the list has changed since the object was as it is kept"));
        }
        if is_first {
            self.object.items.clear();
        }
        self.progress.listed += objects.len() as u64;
        self.object.items.extend(objects);
        Listed::Added { more }
    }

    /// Counts a run that got no further. Returns the obstacle, once there were too many.
    fn fail(&mut self, failure: StripeFailure) -> Option<Obstacle> {
        self.progress.failed_runs += 1;
        (self.progress.failed_runs >= MAX_RUNS).then_some(Obstacle::Unanswered(failure))
    }
}

impl WholeRun<'_> {
    async fn complete_waiting(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let records = &self.deps.records;
        let keys = records.open_keys(OpenReason::ToComplete, MAX_OBJECTS, OpenOrder::EarliestFirst).await?;
        for key in keys {
            self.complete(session, &key).await?;
        }
        Ok(())
    }

    fn has_time(&self) -> bool {
        self.summary.pages == 0 || !self.deadline.has_passed()
    }

    /// Fetches the rest of an object's lists, as far as there is time.
    async fn complete(&mut self, session: &Session<'_>, key: &ObjectKey) -> Result<(), Interruption> {
        while self.has_time() {
            let Some(record) = self.deps.records.get(key).await? else { return Ok(()) };
            let Some(mut cut) = CutObject::read(record) else { return Ok(()) };
            match self.list_pages(session, &mut cut).await? {
                Listed::Added { more } => {
                    self.store(cut, more, None).await?;
                }
                Listed::Stopped(obstacle) => return self.store(cut, true, Some(obstacle)).await,
                Listed::Unanswered(failure) => {
                    let obstacle = cut.fail(failure);
                    return self.store(cut, true, obstacle).await;
                }
                Listed::Changed(failure) => return self.fetch_anew(session, cut, failure).await,
            }
        }
        Ok(())
    }

    /// Lists the next few pages of the list.
    async fn list_pages(
        &mut self,
        session: &Session<'_>,
        cut: &mut CutObject,
    ) -> Result<Listed, Interruption> {
        let key = cut.record.key.clone();
        for _ in 0..PAGES_A_WRITE {
            if let Some(failure) = kind_of_account(&key).and_then(|of| self.refused.get(&of)) {
                return Ok(Listed::Stopped(Obstacle::Refused(failure.clone())));
            }
            if !self.has_time() {
                break;
            }
            self.summary.pages += 1;
            let page = match session.own_list(&key, cut.list, cut.after().as_deref()).await {
                Ok(page) => page,
                Err(error) if error.is_gone_cursor() => {
                    return Ok(Listed::Changed(error.failure().clone()));
                }
                Err(error) => return self.failed_call(session, &key, error).await,
            };
            let listed = cut.add(page);
            if !matches!(listed, Listed::Added { more: true }) {
                return Ok(listed);
            }
        }
        Ok(Listed::Added { more: true })
    }

    /// What a call that failed means to the object that it was made for.
    async fn failed_call(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
        error: StripeError,
    ) -> Result<Listed, Interruption> {
        if let StripeError::Forbidden(failure) = &error
            && let Some(of) = kind_of_account(key)
        {
            self.refused.insert(of, (**failure).clone());
        }
        Ok(match Halt::try_from(error) {
            Ok(halt) => Listed::Unanswered(*isolated_failure(session, halt).await?),
            Err(failure) if failure.is_too_large() => Listed::Stopped(Obstacle::TooLarge),
            Err(failure) => Listed::Stopped(Obstacle::Refused(*failure)),
        })
    }

    /// Fetches an object of which the list has changed. The next run lists it.
    async fn fetch_anew(
        &mut self,
        session: &Session<'_>,
        mut cut: CutObject,
        failure: StripeFailure,
    ) -> Result<(), Interruption> {
        let obstacle = cut.fail(failure.clone());
        if obstacle.is_some() {
            return self.store(cut, true, obstacle).await;
        }
        let key = cut.record.key.clone();
        let response = match session.object(&key).await {
            Ok(Some(response)) => response,
            Ok(None) => return self.store(cut, true, Some(Obstacle::Refused(failure))).await,
            Err(error) => {
                let obstacle = match self.failed_call(session, &key, error).await? {
                    Listed::Stopped(obstacle) => Some(obstacle),
                    Listed::Added { .. } | Listed::Changed(_) | Listed::Unanswered(_) => None,
                };
                return self.store(cut, true, obstacle).await;
            }
        };
        let as_of = fetched_as_of(&response)?;
        let object: Value = match lossy_json::from_str(response.value.get()) {
            Ok(object) => object,
            Err(error) => {
                let failure = unreadable(&error, response.request_id);
                return self.store(cut, true, Some(Obstacle::Unanswered(failure))).await;
            }
        };
        let fetched = FetchedObject { key, raw: response.value.get(), object: &object, as_of };
        let CutObject { record, progress, .. } = &cut;
        let new = new_record(&fetched, Some(record))?;
        if new.is_too_large() || !is_newer(&fetched, record) {
            // What changed it has an event of the second that is not over yet.
            return self.store(cut, true, None).await;
        }
        let is_cut = fetched.key.kind().is_some_and(|kind| kind.cut_list(&object).is_some());
        let progress =
            ListProgress { failed_runs: progress.failed_runs, ..ListProgress::begun(cut.list.member) };
        let new = if is_cut { new.with_list(progress) } else { new };
        self.deps.records.replace(record, &new).await?;
        Ok(())
    }

    /// Writes the object with the items that are listed, and what stands in the way of the others. One that
    /// has changed meanwhile stays, and begins anew.
    async fn store(
        &mut self,
        cut: CutObject,
        more: bool,
        obstacle: Option<Obstacle>,
    ) -> Result<(), Interruption> {
        let CutObject { record, progress, object, .. } = cut;
        let stored = record.list.clone().filter(|list| list.member == progress.member);
        let stored = stored.map_or(0, |list| list.listed);
        let without_items =
            |obstacle| record.with_list(ListProgress { obstacle, listed: stored, ..progress.clone() });
        let raw = object.write(more).map_err(ImportError::Compression)?;
        let new = if more && progress.listed == stored {
            without_items(obstacle)
        } else if raw.len() > LARGEST_OBJECT {
            without_items(Some(Obstacle::TooLarge))
        } else {
            match lossy_json::from_str::<Value>(&raw) {
                Ok(parsed) => {
                    let progress = ListProgress { obstacle, ..progress.clone() };
                    let progress = more.then_some(progress);
                    let new = record.with_more_of_list(raw.as_bytes(), &parsed, progress);
                    let new = new.map_err(ImportError::Compression)?;
                    if new.is_too_large() { without_items(Some(Obstacle::TooLarge)) } else { new }
                }
                Err(error) => without_items(Some(Obstacle::Unanswered(unreadable(&error, None)))),
            }
        };
        self.summary.completed += u64::from(new.list.is_none());
        self.deps.records.replace(&record, &new).await?;
        Ok(())
    }
}

fn kind_of_account(key: &ObjectKey) -> Option<(AccountKey, Kind)> {
    Some((key.account_key().clone(), key.kind()?))
}

fn item_id(item: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct ListedItem {
        id: String,
    }
    lossy_json::from_str::<ListedItem>(item.get()).ok().map(|item| item.id)
}
