//! Carries an import on: kind by kind of account by account, page by page from the newest object to the oldest.
//!
//! ```text
//! still wanted? ── list a page ── read its records ── write those that are older and differ ── keep how far it is ──┐
//!      ▲                                                                                                            │
//!      └────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Stopped anywhere, the next run lists the same page again, and finds most of its records right. What is made meanwhile comes by its
//! events. A list that Stripe refuses, or never answers (`stuck`), does not stop the others.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::object_key::{Kind, ObjectKey};
use shared::records::Record;
use shared::registry::{
    AccountImport, Halt, Import, ImportState, KindProgress, ListPosition, RefusedList, Sampled, Stage,
    Written,
};
use shared::stripe::{ObjectsPage, ObjectsQuery, Session, StripeError, StripeResponse};
use tokio::time::Instant;

use crate::Deps;
use crate::error::{ImportError, Stopped};
use crate::place::{Answer, Placed, good_until, no_answer, place};
use crate::stuck;

/// Records written at a time. The work is waiting for DynamoDB, and the SDK's connection carries this many easily.
const AT_ONCE: usize = 16;

/// How a run of the import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All that Stripe lists was looked at.
    Finished,
    /// The time is up.
    Left,
    /// Stripe was not to be asked.
    Halted(Halt),
    /// It is not wanted any more.
    Stopped,
}

/// What a run of the import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brought {
    pub(crate) ended: Ended,
    pub(crate) pages: u64,
    pub(crate) written: u64,
}

/// Carries `import` on until it is at its end or the time is up; at least by one page.
pub(crate) async fn go_on(
    deps: &Deps,
    session: Option<&Session<'_>>,
    import: Import,
    until: Instant,
    now: Timestamp,
) -> Result<Brought, ImportError> {
    let rows = deps.registry.account_imports(&import.id).await?;
    let mut bringing = Bringing { deps, import, rows, until, pages: 0, written: 0 };
    let ended = match session {
        None => Ended::Halted(Halt::NoKey),
        Some(session) => match bringing.all(session).await {
            Ok(ended) => ended,
            Err(Stopped::Halted(halt)) => Ended::Halted(halt),
            Err(Stopped::Broken(error)) => return Err(error),
        },
    };
    bringing.keep(&ended, now).await?;
    Ok(Brought { ended, pages: bringing.pages, written: bringing.written })
}

struct Bringing<'a> {
    deps: &'a Deps,
    import: Import,
    /// By account; `-` is our own.
    rows: BTreeMap<String, AccountImport>,
    until: Instant,
    pages: u64,
    written: u64,
}

/// An object of a list.
struct Listed<'a> {
    key: ObjectKey,
    raw: &'a str,
    object: Value,
}

impl Bringing<'_> {
    async fn all(&mut self, session: &Session<'_>) -> Result<Ended, Stopped> {
        let mut accounts = vec![None];
        accounts.extend(self.deps.registry.accounts().await?.into_iter().map(Some));
        for account in accounts {
            let account = account.as_deref();
            for kind in self.import.kinds.clone() {
                loop {
                    let progress = self.progress(account, kind);
                    if progress.stage != Stage::GoingOn {
                        break;
                    }
                    if self.pages > 0 && Instant::now() >= self.until {
                        return Ok(Ended::Left);
                    }
                    if !self.is_wanted().await? {
                        return Ok(Ended::Stopped);
                    }
                    let (progress, halted) = match self.page(session, account, kind, progress.clone()).await {
                        Ok(progress) => (progress, None),
                        Err(Stopped::Halted(halt)) => unanswered(session, halt, progress).await?,
                        Err(Stopped::Broken(error)) => return Err(error.into()),
                    };
                    if self.keep_progress(account, kind, progress).await? == Written::Conflict {
                        return Ok(Ended::Stopped);
                    }
                    if let Some(halt) = halted {
                        return Ok(Ended::Halted(halt));
                    }
                    self.pages += 1;
                }
            }
        }
        Ok(Ended::Finished)
    }

    fn progress(&self, account: Option<&str>, kind: Kind) -> KindProgress {
        let row = self.rows.get(account.unwrap_or("-"));
        row.and_then(|row| row.kinds.get(&kind)).cloned().unwrap_or_default()
    }

    /// An admin may have ended it.
    async fn is_wanted(&mut self) -> Result<bool, ImportError> {
        let there = self.deps.registry.import().await?;
        let there = there.filter(|import| import.goes_on(&self.import.id));
        Ok(there.map(|import| self.import = import).is_some())
    }

    /// Looks at the next page of a kind. Gives how far it is then.
    async fn page(
        &mut self,
        session: &Session<'_>,
        account: Option<&str>,
        kind: Kind,
        progress: KindProgress,
    ) -> Result<KindProgress, Stopped> {
        let page = match self.list(session, account, kind, progress.after.as_ref()).await {
            Ok(page) => page,
            Err(error) => {
                let failure = match Halt::by(error) {
                    Ok(halt) => return Err(halt.into()),
                    Err(failure) => failure,
                };
                return Ok(KindProgress { stage: Stage::Refused, failure: Some(*failure), ..progress });
            }
        };
        let as_of = good_until(&page)?;
        let (mut left_out, mut listed) = (progress.left_out, Vec::new());
        for raw in &page.value.objects {
            match read(raw, account, kind) {
                Ok(one) => listed.push(one),
                Err(id) => left_out.note(id),
            }
        }
        let (written, too_large) = self.write(listed, as_of).await?;
        too_large.into_iter().for_each(|id| left_out.note(id));
        self.written += written;
        let last = page.value.objects.last().map(|raw| place_of(raw));
        let (stage, after) = match (page.value.more, last) {
            (true, Some(Some(last))) => (Stage::GoingOn, Some(last)),
            (true, _) => {
                return Err(
                    no_answer("Stripe's list ends with something without an id", page.request_id).into()
                );
            }
            (false, last) => (Stage::Done, last.flatten().or(progress.after)),
        };
        let looked_at = progress.looked_at + page.value.objects.len() as u64;
        let written = progress.written + written;
        Ok(KindProgress { stage, after, looked_at, written, left_out, failure: None, unanswered: 0 })
    }

    /// The page after a place. If the object that came last is gone, such as a draft that was deleted, from its second on.
    async fn list(
        &self,
        session: &Session<'_>,
        account: Option<&str>,
        kind: Kind,
        after: Option<&ListPosition>,
    ) -> Result<StripeResponse<ObjectsPage>, StripeError> {
        let wanted = ObjectsQuery {
            kind,
            account,
            since: self.import.since,
            until: None,
            after: after.map(|place| place.id.as_str()),
        };
        match session.objects(wanted).await {
            Err(error) if error.is_gone_cursor() => {
                let until = after.and_then(|place| place.created);
                session.objects(ObjectsQuery { until, after: None, ..wanted }).await
            }
            answered => answered,
        }
    }

    /// Writes the records that are older and differ. Gives how many, and which objects are too large.
    async fn write(&self, listed: Vec<Listed<'_>>, as_of: i64) -> Result<(u64, Vec<String>), ImportError> {
        let keys: Vec<ObjectKey> = listed.iter().map(|one| one.key.clone()).collect();
        let found = self.deps.records.get_all(&keys).await?;
        let found: HashMap<ObjectKey, Record> =
            found.into_iter().map(|record| (record.key.clone(), record)).collect();
        let found = &found;
        let places = listed.into_iter().map(|Listed { key, raw, object }| async move {
            let there = found.get(&key).cloned();
            let id = key.id().to_owned();
            let answer = Answer { key, raw, object: &object, as_of };
            Ok::<_, ImportError>((id, place(&self.deps.records, &answer, there).await?))
        });
        let placed: Vec<(String, Placed)> =
            futures::stream::iter(places).buffer_unordered(AT_ONCE).try_collect().await?;
        let written = placed.iter().filter(|(_, placed)| matches!(placed, Placed::Written(_))).count();
        let too_large = placed.into_iter().filter(|(_, placed)| *placed == Placed::TooLarge);
        Ok((written as u64, too_large.map(|(id, _)| id).collect()))
    }

    async fn keep_progress(
        &mut self,
        account: Option<&str>,
        kind: Kind,
        progress: KindProgress,
    ) -> Result<Written, ImportError> {
        let row = self
            .rows
            .entry(account.unwrap_or("-").to_owned())
            .or_insert_with(|| AccountImport { import: self.import.id.clone(), kinds: BTreeMap::new() });
        row.kinds.insert(kind, progress);
        Ok(self.deps.registry.store_account_import(account, row).await?)
    }

    /// Notes how the run ended, unless an admin has ended the import.
    async fn keep(&mut self, ended: &Ended, now: Timestamp) -> Result<(), ImportError> {
        if *ended == Ended::Stopped {
            return Ok(());
        }
        loop {
            let mut new = Import { refused: refused(&self.rows), halted: None, ..self.import.clone() };
            match ended {
                Ended::Finished => {
                    new.state = ImportState::Finished;
                    new.ended_at = Some(now.as_millisecond());
                }
                Ended::Halted(halt) => new.halted = Some(halt.clone()),
                Ended::Left | Ended::Stopped => {}
            }
            if self.pages > 0 {
                new.moved_at = now.as_millisecond();
            }
            if new == self.import
                || self.deps.registry.store_import(Some(&self.import), &mut new).await? == Written::Done
                || !self.is_wanted().await?
            {
                return Ok(());
            }
        }
    }
}

/// What becomes of a list whose next page gets no answer: the run halts there, and after some runs it ends as one that is refused.
///
/// # Errors
/// The halt, if it says nothing of this list.
async fn unanswered(
    session: &Session<'_>,
    halt: Halt,
    progress: KindProgress,
) -> Result<(KindProgress, Option<Halt>), Halt> {
    let failure = stuck::alone(session, halt).await?;
    let unanswered = progress.unanswered + 1;
    Ok(if unanswered < stuck::RUNS {
        (KindProgress { unanswered, ..progress }, Some(Halt::NoAnswer(failure)))
    } else {
        (KindProgress { stage: Stage::Refused, failure: Some(*failure), unanswered, ..progress }, None)
    })
}

/// The lists that Stripe refuses, or never answers.
fn refused(rows: &BTreeMap<String, AccountImport>) -> Sampled<RefusedList> {
    let mut refused = Sampled::default();
    for (account, row) in rows {
        for (kind, progress) in &row.kinds {
            if let Some(failure) = &progress.failure {
                let account = (account != "-").then(|| account.clone());
                refused.note(RefusedList { account, kind: *kind, failure: failure.clone() });
            }
        }
    }
    refused
}

/// Reads an object of a list; else gives its id, or what else there is to tell it by.
fn read<'a>(raw: &'a RawValue, account: Option<&str>, kind: Kind) -> Result<Listed<'a>, String> {
    let object: Value = serde_json::from_str(raw.get()).map_err(|_| "unreadable".to_owned())?;
    let id = object["id"].as_str().unwrap_or_default();
    match ObjectKey::new(account, kind.object(), id) {
        Ok(key) if object["object"] == kind.object() => Ok(Listed { key, raw: raw.get(), object }),
        Ok(_) => Err(id.to_owned()),
        Err(_) => Err("without an id".to_owned()),
    }
}

fn place_of(raw: &RawValue) -> Option<ListPosition> {
    let object: Value = serde_json::from_str(raw.get()).ok()?;
    Some(ListPosition { id: object["id"].as_str()?.to_owned(), created: object["created"].as_i64() })
}
