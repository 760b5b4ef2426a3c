//! One pass over all that is a customer's: the customer, then kind by kind, page by page, what names them,
//! with what belongs to that.
//!
//! ```text
//! customer ── page of a kind ── erase each, with its parts ── store how far it is ──┐
//!                  ▲                                                                │
//!                  └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A pass that leaves nothing finishes the erasure, and another looks again a day later: at objects that came
//! in since (a refund, a dispute, an import), and at the payloads of events that came since. One that met
//! events which are not final is followed by another in five minutes.

use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use shared::deadline::Deadline;
use shared::object_key::{Kind, ObjectKey};
use shared::records::{Record, RecordListing};
use shared::registry::{ErasureJob, ErasurePosition, ErasureState, Sampled, Written};
use shared::unix_time::UnixMillis;

use crate::deps::Deps;
use crate::error::EraseError;
use crate::object::{Erased, erase};
use crate::owned;

/// Records of a customer that are listed at once.
const PAGE: usize = 25;
/// Records that are erased at once, each with its parts and events.
const CONCURRENT_RECORDS: usize = 4;
/// After this a pass follows one that met events which are not final.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// After this a finished erasure is looked at again.
const LOOKED_AT_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Continues an erasure until its pass is over or the time is up, by at least one page. Returns how far it
/// is.
pub(crate) async fn run(
    deps: &Deps,
    mut job: ErasureJob,
    now: Timestamp,
    deadline: Deadline,
) -> Result<ErasureJob, EraseError> {
    loop {
        let next = next_page(deps, &job, now).await?;
        let is_over = next.position.is_none();
        match store(deps, &job, next).await? {
            Some(stored) => job = stored,
            // An admin has asked for it again: the next run begins anew.
            None => return Ok(job),
        }
        if is_over || deadline.has_passed() {
            return Ok(job);
        }
    }
}

async fn store(deps: &Deps, old: &ErasureJob, mut new: ErasureJob) -> Result<Option<ErasureJob>, EraseError> {
    Ok(match deps.registry.store_erasure(Some(old), &mut new).await? {
        Written::Done => Some(new),
        Written::Conflict => None,
    })
}

/// Erases the next page. Returns the job after it.
async fn next_page(deps: &Deps, job: &ErasureJob, now: Timestamp) -> Result<ErasureJob, EraseError> {
    let mut next = job.clone();
    let (erased, position) = match &job.position {
        None => {
            next.waiting = Sampled::default();
            let record = deps.records.get(&job.customer).await?;
            (erase(deps, &job.customer, record, now).await?, kind_after(None))
        }
        Some(ErasurePosition { kind, after }) => {
            let listing = RecordListing::Customer {
                account: job.customer.account_key().clone(),
                customer: job.customer.id().to_owned(),
                kind: *kind,
            };
            let page = deps.records.list(&listing, after.clone(), PAGE, |_| true).await?;
            let position = match page.next {
                Some(after) => Some(ErasurePosition { kind: *kind, after: Some(after) }),
                None => kind_after(Some(*kind)),
            };
            (erase_page(deps, page.records, now).await?, position)
        }
    };
    next.records += erased.records;
    next.events += erased.events;
    erased.waiting.into_iter().for_each(|id| next.waiting.add(id));
    next.moved_at = UnixMillis::from(now);
    next.position = position;
    if next.position.is_none() {
        end_pass(&mut next, now);
    }
    Ok(next)
}

fn end_pass(job: &mut ErasureJob, now: Timestamp) {
    let again_after = if job.waiting.count == 0 {
        job.state = ErasureState::Finished;
        job.finished_at = job.finished_at.or(Some(UnixMillis::from(now)));
        LOOKED_AT_AGAIN_AFTER
    } else {
        job.state = ErasureState::Running;
        job.finished_at = None;
        AGAIN_AFTER
    };
    job.due_at = UnixMillis::from(now + again_after);
}

async fn erase_page(deps: &Deps, records: Vec<Record>, now: Timestamp) -> Result<Erased, EraseError> {
    let erasures = records.into_iter().map(async |record| erase_with_parts(deps, record, now).await);
    let mut erasures = futures::stream::iter(erasures).buffer_unordered(CONCURRENT_RECORDS);
    let mut all = Erased::default();
    while let Some(erased) = erasures.try_next().await? {
        all.add(erased);
    }
    Ok(all)
}

async fn erase_with_parts(deps: &Deps, owner: Record, now: Timestamp) -> Result<Erased, EraseError> {
    let mut erased = Erased::default();
    let parts = owned::parts(deps, &owner).await?;
    for record in parts.into_iter().chain([owner]) {
        let key: ObjectKey = record.key.clone();
        erased.add(erase(deps, &key, Some(record), now).await?);
    }
    Ok(erased)
}

/// The beginning of the kind that is gone through next; none after the last.
fn kind_after(kind: Option<Kind>) -> Option<ErasurePosition> {
    let mut kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Customer);
    let next = match kind {
        None => kinds.next(),
        Some(kind) => kinds.skip_while(|other| *other != kind).nth(1),
    };
    next.map(|kind| ErasurePosition { kind, after: None })
}
