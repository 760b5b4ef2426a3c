//! Compares records with Stripe's objects each night, for the rare change that Stripe makes no event of.
//!
//! ```text
//! events of the last day ── the record that one of them shows ── ask Stripe for the object ── the same: well
//!                                                                                         └── another: a doubt
//! once an event that tells of it would be here (`settling`) ── the same now: well ── another: it is told, and the record mended
//! ```
//!
//! An object is looked at by the event that its record shows, so once, however many events it had. What has changed in the last ten
//! minutes is not: its events are on the way. What is not finished when the time is up, the next run carries on with. What differs only
//! in what never has an event is mended at once.
//!
//! The rule: that Stripe does not know an object is no deletion (the key can be of another account), but of a draft invoice.

mod due;
mod settling;

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::ledger::{EventListing, EventPosition, LedgerRow};
use shared::object_key::{Kind, ObjectKey};
use shared::page::MAX_LIMIT;
use shared::records::Record;
use shared::registry::{
    Difference, DriftPass, DriftProgress, FinishedPass, Halt, Mismatch, RefusedList, UnansweredObject,
    UncomparedObject,
};
use shared::stripe::{Session, StripeError, StripeFailure};
use tokio::time::Instant;

use self::due::begin;
pub(crate) use self::due::is_due;
use self::settling::{EventsCompared, is_old};
use crate::Deps;
use crate::error::{ImportError, Stopped};
use crate::place::{Answer, Placed, Verdict, good_until, is_too_large, judge, place};
use crate::stuck;

/// Events of younger changes are on their way.
const ON_THEIR_WAY: SignedDuration = SignedDuration::from_mins(10);
/// Doubts that are kept; with more, looking at others waits.
const MOST_DOUBTS: usize = 100;
/// Stripe changes these without an event (its API reference: the first is set when the deliveries of an invoice's events are
/// through, the second is counted up by each invoice). They are mended and not told.
const QUIET: [&str; 2] = ["webhooks_delivered_at", "next_invoice_sequence"];

/// What a run of the comparison did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) asked: u64,
    pub(crate) finished: bool,
}

/// Carries the comparison on, or begins it, until it is at its end or the time is up.
pub(crate) async fn go_on(
    deps: &Deps,
    session: Option<&Session<'_>>,
    mut kept: DriftProgress,
    until: Instant,
    now: Timestamp,
) -> Result<Compared, ImportError> {
    let walk = kept.walk.take().unwrap_or_else(|| begin(kept.last.as_ref(), now));
    let mut night = Night {
        deps,
        now,
        until,
        kept,
        walk,
        asked: 0,
        moved: false,
        met: HashSet::new(),
        shut: BTreeSet::new(),
    };
    // Before anything is asked, so that a night is begun once, whatever happens.
    night.keep().await?;
    let done = match session {
        None => Err(Stopped::Halted(Halt::NoKey)),
        Some(session) => night.all(session).await,
    };
    night.kept.halted = match done {
        Ok(()) => None,
        Err(Stopped::Halted(halt)) => Some(halt),
        Err(Stopped::Broken(error)) => return Err(error),
    };
    let finished = night.kept.halted.is_none() && night.walk.walked && night.walk.doubts.is_empty();
    if finished {
        night.finish().await?;
    } else {
        night.keep().await?;
    }
    Ok(Compared { asked: night.asked, finished })
}

struct Night<'a> {
    deps: &'a Deps,
    now: Timestamp,
    until: Instant,
    kept: DriftProgress,
    walk: DriftPass,
    asked: u64,
    /// Has this run got further?
    moved: bool,
    /// Objects that this run has looked at.
    met: HashSet<ObjectKey>,
    /// Kinds of accounts that Stripe refuses.
    shut: BTreeSet<(Option<String>, Kind)>,
}

/// What Stripe says of an object.
enum Said {
    /// This, good up to a second.
    Object(String, i64),
    /// Nothing that could be used; it is noted.
    Nothing,
}

impl Night<'_> {
    async fn all(&mut self, session: &Session<'_>) -> Result<(), Stopped> {
        self.settle_doubts(session).await?;
        while !self.walk.walked && self.walk.doubts.len() < MOST_DOUBTS && self.has_time() {
            self.page(session).await?;
            self.moved = true;
            self.keep().await?;
        }
        Ok(())
    }

    /// A run asks once at least, or looks at a page of events.
    fn has_time(&self) -> bool {
        !self.moved || Instant::now() < self.until
    }

    /// Looks again at what was another than its record says, once an event that tells of it would be here.
    async fn settle_doubts(&mut self, session: &Session<'_>) -> Result<(), Stopped> {
        if !self.walk.doubts.iter().any(|doubt| is_old(doubt, self.now)) {
            return Ok(());
        }
        let registry = &self.deps.registry;
        let last = registry.health_snapshot().await?.map(|facts| facts.events);
        let compared = EventsCompared { accounts: registry.reconcile_progress().await?, last };
        let due = self.walk.doubts.iter().filter(|doubt| compared.settles(doubt, self.now));
        for doubt in due.cloned().collect::<Vec<_>>() {
            if !self.has_time() {
                break;
            }
            if let Some(record) = self.deps.records.get(&doubt.key).await?
                && !record.deleted
                && !self.is_fresh(&record)
            {
                self.settle(session, &doubt, record).await?;
            }
            self.walk.doubts.retain(|other| other.key != doubt.key);
            self.keep().await?;
        }
        Ok(())
    }

    /// Has it changed lately? Then it is looked at with its latest event, the next night.
    fn is_fresh(&self, record: &Record) -> bool {
        record.as_of > (self.now - ON_THEIR_WAY).as_second()
    }

    async fn settle(
        &mut self,
        session: &Session<'_>,
        doubt: &Mismatch,
        record: Record,
    ) -> Result<(), Stopped> {
        let Said::Object(raw, as_of) = self.ask(session, &record).await? else { return Ok(()) };
        let object = serde_json::from_str(&raw).unwrap_or_default();
        let answer = Answer { key: doubt.key.clone(), raw: &raw, object: &object, as_of };
        if let Verdict::GivesWay(fields) = judge(&record, &answer)
            && !is_quiet(&fields)
            && !doubt.told
            && !is_too_large(&answer)?
            && !self.is_explained(doubt).await?
        {
            // Before the record is written: a run that dies in between must not leave it mended and never told.
            self.walk.seen.differed.note(Difference { key: doubt.key.clone(), fields });
            let same = self.walk.doubts.iter_mut().filter(|other| other.key == doubt.key);
            same.for_each(|doubt| doubt.told = true);
            self.keep().await?;
        }
        Ok(self.write(&answer, record).await?)
    }

    /// Is there an event of it that is yet to be applied, or that was made after the look? Then it is no change without an event.
    async fn is_explained(&self, doubt: &Mismatch) -> Result<bool, ImportError> {
        let looked_at = doubt.at.div_euclid(1_000);
        let tells = |row: &LedgerRow| row.state.is_open() || row.created.is_some_and(|made| made > looked_at);
        let listing = EventListing::Object(doubt.key.clone());
        Ok(!self.deps.ledger.list(&listing, None, 1, self.now, tells).await?.rows.is_empty())
    }

    async fn write(&mut self, answer: &Answer<'_>, record: Record) -> Result<(), ImportError> {
        if place(&self.deps.records, answer, Some(record)).await? == Placed::TooLarge {
            self.walk.seen.too_large.note(answer.key.clone());
        }
        Ok(())
    }

    /// Looks at the objects of the next hundred events.
    async fn page(&mut self, session: &Session<'_>) -> Result<(), Stopped> {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap_or(self.now);
        let listing = EventListing::Received { since: at(self.walk.since), until: at(self.walk.until) };
        let of_record = |row: &LedgerRow| row.object.as_ref().is_some_and(|key| key.kind().is_some());
        let after = self.walk.after.clone();
        let page = self.deps.ledger.list(&listing, after, MAX_LIMIT, self.now, of_record).await?;
        let keys: BTreeSet<&ObjectKey> = page.rows.iter().filter_map(|row| row.object.as_ref()).collect();
        let keys: Vec<ObjectKey> = keys.into_iter().cloned().collect();
        let found = self.deps.records.get_all(&keys).await?;
        let found: HashMap<&ObjectKey, &Record> = found.iter().map(|record| (&record.key, record)).collect();
        for row in &page.rows {
            if !self.has_time() {
                return Ok(());
            }
            if let Some(record) = row.object.as_ref().and_then(|key| found.get(key))
                && self.is_to_be_looked_at(row, record)
            {
                self.look(session, (*record).clone()).await?;
            }
            self.walk.after = Some(EventPosition { sort: row.received_at, id: row.id.clone() });
        }
        self.walk.walked = page.next.is_none();
        self.walk.after = page.next;
        Ok(())
    }

    /// Is it the event that the record shows? An answer that no event made us ask for is looked at with any.
    fn is_to_be_looked_at(&mut self, row: &LedgerRow, record: &Record) -> bool {
        let is_shown = record.event.as_ref().is_none_or(|shown| *shown == row.id);
        let is_shut = |kind| self.shut.contains(&(record.key.account().map(str::to_owned), kind));
        let shut = record.key.kind().is_none_or(is_shut);
        is_shown && !record.deleted && !shut && !self.is_fresh(record) && self.met.insert(record.key.clone())
    }

    async fn look(&mut self, session: &Session<'_>, record: Record) -> Result<(), Stopped> {
        let key = record.key.clone();
        let Said::Object(raw, as_of) = self.ask(session, &record).await? else { return Ok(()) };
        self.walk.seen.looked_at += 1;
        let object = serde_json::from_str(&raw).unwrap_or_default();
        let answer = Answer { key: key.clone(), raw: &raw, object: &object, as_of };
        match judge(&record, &answer) {
            Verdict::Stays => {}
            // It settles what was uncertain, or brings what no event ever tells of.
            Verdict::GivesWay(fields) if is_quiet(&fields) => self.write(&answer, record).await?,
            Verdict::GivesWay(_) => {
                self.walk.doubts.push(Mismatch { key, at: self.now.as_millisecond(), told: false });
            }
        }
        Ok(())
    }

    async fn ask(&mut self, session: &Session<'_>, record: &Record) -> Result<Said, Stopped> {
        self.asked += 1;
        self.moved = true;
        let key = &record.key;
        match session.object(key).await {
            Ok(Some(answered)) => Ok(Said::Object(answered.value.get().to_owned(), good_until(&answered)?)),
            // Only a draft can be deleted for good (Stripe's API reference, "Delete a draft invoice").
            Ok(None) if is_draft(record) => {
                let gone = json!({ "id": key.id(), "object": key.object(), "deleted": true });
                Ok(Said::Object(gone.to_string(), record.as_of))
            }
            Ok(None) => {
                self.walk.seen.missing.note(key.clone());
                Ok(Said::Nothing)
            }
            Err(error) => self.unread(session, key, error).await,
        }
    }

    /// An object that cannot be read must not hold up the others.
    async fn unread(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
        error: StripeError,
    ) -> Result<Said, Stopped> {
        if let StripeError::Forbidden(failure) = error {
            self.refused(key, *failure);
            return Ok(Said::Nothing);
        }
        let failure = match Halt::by(error) {
            Err(failure) => failure,
            Ok(halt) => {
                let failure = stuck::alone(session, halt).await?;
                let before = self.walk.stuck.take().filter(|stuck| stuck.key == *key);
                let runs = before.map_or(0, |stuck| stuck.runs) + 1;
                if runs < stuck::RUNS {
                    self.walk.stuck = Some(UnansweredObject { key: key.clone(), runs });
                    return Err(Halt::NoAnswer(failure).into());
                }
                failure
            }
        };
        self.walk.seen.unread.note(UncomparedObject { key: key.clone(), failure: *failure });
        Ok(Said::Nothing)
    }

    /// What the key may not read it may not read of any object of this kind; and an account that is gone is gone.
    fn refused(&mut self, key: &ObjectKey, failure: StripeFailure) {
        let account = key.account().map(str::to_owned);
        if let Some(kind) = key.kind()
            && self.shut.insert((account.clone(), kind))
        {
            let noted = &mut self.walk.seen.refused;
            if !noted.first.iter().any(|known| known.account == account && known.kind == kind) {
                noted.note(RefusedList { account, kind, failure });
            }
        }
    }

    async fn keep(&mut self) -> Result<(), ImportError> {
        let kept = DriftProgress { walk: Some(self.walk.clone()), ..self.kept.clone() };
        Ok(self.deps.registry.store_drift_progress(&kept).await?)
    }

    async fn finish(&mut self) -> Result<(), ImportError> {
        let DriftPass { begun_at, until, seen, .. } = self.walk.clone();
        let finished_at = self.now.as_millisecond();
        let last = Some(FinishedPass { begun_at, finished_at, until, seen });
        let kept = DriftProgress { walk: None, last, halted: None };
        Ok(self.deps.registry.store_drift_progress(&kept).await?)
    }
}

/// Does nothing differ but what no event tells of?
fn is_quiet(fields: &[String]) -> bool {
    fields.iter().all(|field| QUIET.contains(&field.as_str()))
}

fn is_draft(record: &Record) -> bool {
    let object = || serde_json::from_slice::<Value>(&record.object().ok()?).ok();
    record.key.kind() == Some(Kind::Invoice) && object().is_some_and(|object| object["status"] == "draft")
}
