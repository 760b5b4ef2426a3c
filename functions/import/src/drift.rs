//! Compares records with Stripe's objects each night, for the rare change of which Stripe makes no event.
//!
//! ```text
//! events of the last day ── the record that shows one of them ── fetch its object ── same: done
//!                                                                                └── other: a mismatch
//! once an event of the change would be here (`recheck`) ── same now: done
//!                                                     └── other: report it, replace the record
//! ```
//!
//! An object is compared at the event that its record shows, so once however many events it had. An event
//! that waits to be applied when a comparison comes to it is looked at again by the next one (`waiting`).
//! What changed in the last ten minutes is left out, because its events may still be on their way. What is
//! unfinished when the time is up, the next run continues. Changes of fields that never have an event are
//! written at once.

mod fetch;
mod recheck;
mod schedule;
mod waiting;

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::kind::Kind;
use shared::ledger::{EventListing, EventPosition, LedgerRow};
use shared::object_key::ObjectKey;
use shared::page::MAX_LIMIT;
use shared::records::Record;
use shared::registry::{Difference, DriftPass, DriftProgress, FinishedPass, Halt, Mismatch};
use shared::stripe::{Session, StripeFailure};
use shared::unix_time::{UnixMillis, UnixSeconds};

use self::recheck::{ReconcileCoverage, is_old_enough};
use self::schedule::EVENT_GRACE;
pub(crate) use self::schedule::{is_due, is_due_since};
use crate::deps::Deps;
use crate::error::{ImportError, Interruption};
use crate::upsert::{FetchedObject, RecordCheck, Upserted, check, is_too_large, upsert};

/// Mismatches that are stored; while there are this many, no other objects are compared.
const MAX_MISMATCHES: usize = 100;

/// What a run of the comparison did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DriftSummary {
    #[serde(rename = "asked")]
    fetched: u64,
    finished: bool,
}

/// Continues the comparison, or begins it, until it is finished or the time is up. `account` is the stack's
/// own, if Stripe has ever named it.
pub(crate) async fn run(
    deps: &Deps,
    session: Option<&Session<'_>>,
    account: Option<&str>,
    mut progress: DriftProgress,
    deadline: Deadline,
    now: Timestamp,
) -> Result<DriftSummary, ImportError> {
    let pass = match progress.pass.take() {
        Some(pass) => pass,
        None => waiting::begin_pass(&mut progress, now),
    };
    let mut run = DriftRun {
        deps,
        account,
        account_failure: None,
        now,
        deadline,
        progress,
        pass,
        fetched: 0,
        has_progressed: false,
        compared: HashSet::new(),
        refused: BTreeSet::new(),
    };
    // Before anything is fetched, so that a pass begins once whatever happens.
    run.store_progress().await?;
    let result = match session {
        None => Err(Interruption::Halted(Halt::NoKey)),
        Some(session) => run.compare_all(session).await,
    };
    run.progress.halted = match result {
        Ok(()) => None,
        Err(Interruption::Halted(halt)) => Some(halt),
        Err(Interruption::Failed(error)) => return Err(error),
    };
    let finished = run.progress.halted.is_none() && run.is_all_seen() && run.pass.mismatches.is_empty();
    if finished {
        run.store_finished().await?;
    } else {
        run.store_progress().await?;
    }
    Ok(DriftSummary { fetched: run.fetched, finished })
}

struct DriftRun<'a> {
    deps: &'a Deps,
    account: Option<&'a str>,
    /// Why Stripe does not say of which account the key is, once this run no longer waits for it.
    account_failure: Option<StripeFailure>,
    now: Timestamp,
    deadline: Deadline,
    progress: DriftProgress,
    pass: DriftPass,
    /// Objects that Stripe was asked for.
    fetched: u64,
    /// Whether this run has got further than the one before.
    has_progressed: bool,
    /// Objects that this run has compared.
    compared: HashSet<ObjectKey>,
    /// Kinds of accounts that Stripe refuses.
    refused: BTreeSet<(Option<String>, Kind)>,
}

impl DriftRun<'_> {
    async fn compare_all(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        self.recheck_mismatches(session).await?;
        while !self.is_all_seen() && self.pass.mismatches.len() < MAX_MISMATCHES && self.has_time() {
            if self.progress.again.is_empty() {
                self.compare_page(session).await?;
            } else {
                self.compare_waiting(session).await?;
            }
            self.has_progressed = true;
            self.store_progress().await?;
        }
        Ok(())
    }

    fn is_all_seen(&self) -> bool {
        self.progress.again.is_empty() && self.pass.all_listed
    }

    /// Whether there is time for another object. A run fetches one at least, or looks at a page of events.
    fn has_time(&self) -> bool {
        !self.has_progressed || !self.deadline.has_passed()
    }

    /// Compares mismatches again, once an event of the change would be here.
    async fn recheck_mismatches(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        if !self.pass.mismatches.iter().any(|mismatch| is_old_enough(mismatch, self.now)) {
            return Ok(());
        }
        let registry = &self.deps.registry;
        let last = registry.health_snapshot().await?.map(|snapshot| snapshot.events);
        let coverage = ReconcileCoverage { accounts: registry.reconcile_progress().await?, last };
        let due = self.pass.mismatches.iter().filter(|mismatch| coverage.allows_recheck(mismatch, self.now));
        for mismatch in due.cloned().collect::<Vec<_>>() {
            if !self.has_time() {
                break;
            }
            if let Some(record) = self.deps.records.get(&mismatch.key).await?
                && can_differ(&record)
                && !self.has_changed_lately(&record)
            {
                self.recheck(session, &mismatch, record).await?;
            }
            self.pass.mismatches.retain(|other| other.key != mismatch.key);
            self.store_progress().await?;
        }
        Ok(())
    }

    /// Whether the record changed so lately that more events may be on their way. The next night it is
    /// compared at its latest event.
    fn has_changed_lately(&self, record: &Record) -> bool {
        record.as_of > UnixSeconds::from(self.now - EVENT_GRACE)
    }

    async fn recheck(
        &mut self,
        session: &Session<'_>,
        mismatch: &Mismatch,
        record: Record,
    ) -> Result<(), Interruption> {
        let Some(state) = self.fetch(session, &record).await? else { return Ok(()) };
        let fetched = state.to_fetched_object(&mismatch.key);
        if let RecordCheck::Outdated(fields) = check(&record, &fetched)
            && let fields = with_events(&mismatch.key, fields)
            && !fields.is_empty()
            && !mismatch.reported
            && !is_too_large(&fetched)?
            && !self.has_explaining_event(mismatch).await?
        {
            // Stored before the record is written, so that after a crash in between it is not left replaced
            // and never reported.
            self.pass.report.differed.add(Difference { key: mismatch.key.clone(), fields });
            let same_key = self.pass.mismatches.iter_mut().filter(|other| other.key == mismatch.key);
            same_key.for_each(|mismatch| mismatch.reported = true);
            self.store_progress().await?;
        }
        Ok(self.write(&fetched, record).await?)
    }

    /// Whether an event of the object is still to be applied, or was created after the mismatch was found.
    /// Then the change is not one without an event.
    async fn has_explaining_event(&self, mismatch: &Mismatch) -> Result<bool, ImportError> {
        let found_at = UnixSeconds::from(mismatch.at);
        let explains =
            |row: &LedgerRow| row.state.is_open() || row.created.is_some_and(|created| created > found_at);
        let listing = EventListing::Object(mismatch.key.clone());
        Ok(!self.deps.ledger.list(&listing, None, 1, self.now, explains).await?.rows.is_empty())
    }

    async fn write(&mut self, fetched: &FetchedObject<'_>, record: Record) -> Result<(), ImportError> {
        if upsert(&self.deps.records, fetched, Some(record)).await? == Upserted::TooLarge {
            self.pass.report.too_large.add(fetched.key.clone());
        }
        Ok(())
    }

    /// Compares the objects of the next hundred events.
    async fn compare_page(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let timestamp = |at: UnixMillis| at.to_timestamp().unwrap_or(self.now);
        let (since, until) = (timestamp(self.pass.since), timestamp(self.pass.until));
        let listing = EventListing::Received { since, until };
        let progress = &self.progress;
        let is_wanted = |row: &LedgerRow| {
            row.object.as_ref().is_some_and(|key| key.kind().is_some())
                && !waiting::was_seen_applied(progress, row)
        };
        let after = self.pass.after.clone();
        let page = self.deps.ledger.list(&listing, after, MAX_LIMIT, self.now, is_wanted).await?;
        let reached = |run: &mut Self, row: &LedgerRow| {
            run.pass.after = Some(EventPosition { sort: row.received_at.get(), id: row.id.clone() });
        };
        if self.compare_rows(session, &page.rows, reached).await? {
            self.pass.all_listed = page.next.is_none();
            self.pass.after = page.next;
        }
        Ok(())
    }

    /// Compares the objects of events, and tells `reached` of each event that is done. Returns whether all
    /// are.
    async fn compare_rows(
        &mut self,
        session: &Session<'_>,
        rows: &[LedgerRow],
        reached: impl Fn(&mut Self, &LedgerRow),
    ) -> Result<bool, Interruption> {
        let keys: BTreeSet<&ObjectKey> = rows.iter().filter_map(|row| row.object.as_ref()).collect();
        let keys: Vec<ObjectKey> = keys.into_iter().cloned().collect();
        let records = self.deps.records.get_all(&keys).await?;
        let records: HashMap<&ObjectKey, &Record> =
            records.iter().map(|record| (&record.key, record)).collect();
        for row in rows {
            if !self.has_time() {
                return Ok(false);
            }
            if row.state.is_open() {
                waiting::note(&mut self.progress, row);
            } else if let Some(record) = row.object.as_ref().and_then(|key| records.get(key))
                && self.is_to_be_compared(row, record)
            {
                self.compare(session, (*record).clone()).await?;
            }
            reached(self, row);
        }
        Ok(true)
    }

    /// Compares the objects of the next hundred events that waited when the last comparison came to them.
    async fn compare_waiting(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let ids: Vec<EventId> = self.progress.again.iter().take(MAX_LIMIT).cloned().collect();
        let mut rows = self.deps.ledger.rows(&ids, self.now).await?;
        let (mut found, mut gone) = (Vec::new(), HashSet::new());
        for id in ids {
            match rows.remove(&id) {
                Some(row) => found.push(row),
                None => drop(gone.insert(id)),
            }
        }
        self.progress.again.retain(|id| !gone.contains(id));
        let reached = |run: &mut Self, row: &LedgerRow| run.progress.again.retain(|id| *id != row.id);
        self.compare_rows(session, &found, reached).await.map(drop)
    }

    /// Whether the object is to be compared at this event: it is the one that the record shows, or the record
    /// shows what Stripe returned without an event being the reason; then at any event.
    fn is_to_be_compared(&mut self, row: &LedgerRow, record: &Record) -> bool {
        let is_shown = record.event.as_ref().is_none_or(|event| *event == row.id);
        let is_refused = record
            .key
            .kind()
            .is_none_or(|kind| self.refused.contains(&(record.key.account().map(str::to_owned), kind)));
        is_shown
            && can_differ(record)
            && !is_refused
            && !self.has_changed_lately(record)
            && self.compared.insert(record.key.clone())
    }

    async fn compare(&mut self, session: &Session<'_>, record: Record) -> Result<(), Interruption> {
        let key = record.key.clone();
        let Some(state) = self.fetch(session, &record).await? else { return Ok(()) };
        self.pass.report.looked_at += 1;
        let fetched = state.to_fetched_object(&key);
        match check(&record, &fetched) {
            RecordCheck::UpToDate => {}
            // It settles an uncertain order, or holds a change that never has an event.
            RecordCheck::Outdated(fields) if with_events(&key, fields.clone()).is_empty() => {
                self.write(&fetched, record).await?;
            }
            RecordCheck::Outdated(_) => {
                self.pass.mismatches.push(Mismatch { key, at: self.now.into(), reported: false });
            }
        }
        Ok(())
    }

    async fn store_progress(&mut self) -> Result<(), ImportError> {
        let progress = DriftProgress { pass: Some(self.pass.clone()), ..self.progress.clone() };
        Ok(self.deps.registry.store_drift_progress(&progress).await?)
    }

    async fn store_finished(&mut self) -> Result<(), ImportError> {
        let DriftPass { begun_at, until, report, .. } = self.pass.clone();
        let finished_at = self.now.into();
        let last = Some(FinishedPass { begun_at, finished_at, until, report });
        let progress = DriftProgress { pass: None, last, halted: None, ..self.progress.clone() };
        Ok(self.deps.registry.store_drift_progress(&progress).await?)
    }
}

/// Whether Stripe may have another state of a record's object: it is not deleted for ever.
fn can_differ(record: &Record) -> bool {
    !record.deleted || record.key.kind().is_some_and(Kind::ids_are_used_again)
}

/// Those of these fields whose changes have an event. The others are mended and not reported.
fn with_events(key: &ObjectKey, fields: Vec<String>) -> Vec<String> {
    let kind = key.kind();
    let has_event = |field: &String| kind.is_none_or(|kind| kind.has_event_of_change(field));
    fields.into_iter().filter(has_event).collect()
}
