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
//! events which the program tries again is followed by another in five minutes; where all of them wait for an
//! admin, in a day.
//!
//! The rule: before each page, the customer must not be known to be at Stripe. Who asked may have been wrong.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::object_key::ObjectKey;
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
/// After this a pass follows one that met events which the program tries again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// After this an erasure is looked at again that does not go on by itself.
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
    next.moved_at = UnixMillis::from(now);
    let record = deps.records.get(&job.customer).await?;
    if record.as_ref().is_some_and(Record::is_at_stripe) {
        (next.state, next.finished_at, next.position) = (ErasureState::Stopped, None, None);
        next.waiting_since = None;
        next.due_at = UnixMillis::from(now + LOOKED_AT_AGAIN_AFTER);
        return Ok(next);
    }
    let (erased, position) = match &job.position {
        None => {
            (next.waiting, next.tried_again) = (Sampled::default(), 0);
            (erase(deps, &job.customer, record, now).await?, kind_after(None))
        }
        Some(ErasurePosition { kind, after }) => {
            let listing = RecordListing::CustomerEver {
                account: job.customer.account_key().clone(),
                customer: job.customer.id().to_owned(),
                kind: *kind,
            };
            let page = deps.records.list(&listing, after.clone(), PAGE, |_| true).await?;
            let position = match page.next {
                Some(after) => Some(ErasurePosition { kind: *kind, after: Some(after) }),
                None => kind_after(Some(*kind)),
            };
            (erase_page(deps, page.records, &job.customer, now).await?, position)
        }
    };
    next.records += erased.records;
    next.events += erased.events;
    erased.waiting.into_iter().for_each(|id| next.waiting.add(id));
    next.tried_again += erased.tried_again;
    next.position = position;
    if next.position.is_none() {
        end_pass(&mut next, now);
    }
    Ok(next)
}

fn end_pass(job: &mut ErasureJob, now: Timestamp) {
    if job.waiting.count == 0 {
        job.state = ErasureState::Finished;
        job.finished_at = job.finished_at.or(Some(UnixMillis::from(now)));
        job.waiting_since = None;
    } else {
        job.waiting_since = job.waiting_since.or(Some(UnixMillis::from(now)));
        job.state = ErasureState::Running;
        job.finished_at = None;
    }
    let again_after = if job.tried_again > 0 { AGAIN_AFTER } else { LOOKED_AT_AGAIN_AFTER };
    job.due_at = UnixMillis::from(now + again_after);
}

/// Erases these records, which name the customer, and what belongs to them; each once. Payments last: a
/// charge of an old API version may be found by nothing but its payment's object.
async fn erase_page(
    deps: &Deps,
    owners: Vec<Record>,
    customer: &ObjectKey,
    now: Timestamp,
) -> Result<Erased, EraseError> {
    let parts = owners.iter().map(|owner| owned::parts(deps, owner, customer));
    let parts: Vec<Vec<Record>> =
        futures::stream::iter(parts).buffer_unordered(CONCURRENT_RECORDS).try_collect().await?;
    let all = parts.into_iter().flatten().chain(owners);
    let all: BTreeMap<ObjectKey, Record> = all.map(|record| (record.key.clone(), record)).collect();
    // Before what names them, which may not do so once it is erased.
    let transactions = owned::transactions(deps, all.values()).await?;
    let transactions = transactions.into_iter().map(|record| (record.key.clone(), record)).collect();
    let (payments, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(key, _)| key.kind() == Some(Kind::PAYMENT));
    let mut erased = Erased::default();
    for records in [transactions, others, payments] {
        let erasures =
            records.into_iter().map(async |(key, record)| erase(deps, &key, Some(record), now).await);
        let mut erasures = futures::stream::iter(erasures).buffer_unordered(CONCURRENT_RECORDS);
        while let Some(one) = erasures.try_next().await? {
            erased.add(one);
        }
    }
    Ok(erased)
}

/// The beginning of the kind that is gone through next; none after the last.
fn kind_after(kind: Option<Kind>) -> Option<ErasurePosition> {
    let mut kinds = Kind::all().filter(|kind| !kind.customer_members().is_empty());
    let next = match kind {
        None => kinds.next(),
        Some(kind) => kinds.skip_while(|other| *other != kind).nth(1),
    };
    next.map(|kind| ErasurePosition { kind, after: None })
}
