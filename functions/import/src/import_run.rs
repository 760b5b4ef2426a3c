//! Continues an import: account by account, kind by kind, page by page, the newest objects first.
//!
//! ```text
//! still running? ── list a page ── read its records ── write the older that differ ── store progress ──┐
//!      ▲                                                                                               │
//!      └───────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Wherever a run stops, the next one lists the same page again and finds most of its records up to date.
//! Objects created meanwhile come by their events. A list that Stripe refuses, or never answers
//! (`unanswered`), does not stop the others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::registry::{
    AccountImport, Halt, Import, ImportState, KindProgress, RefusedKind, Sampled, Stage, Written,
};
use shared::stripe::Session;
use shared::unix_time::UnixMillis;

use crate::accounts;
use crate::deps::Deps;
use crate::error::{ImportError, Interruption};
use crate::kind_lists::KindLists;
use crate::unanswered::{MAX_RUNS, isolated_failure};

/// How a run of the import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RunEnd {
    /// Everything that Stripe lists was looked at.
    Finished,
    /// The run's time is up.
    TimeUp,
    /// Stripe cannot be used right now.
    Halted(Halt),
    /// An admin stopped the import.
    Stopped,
}

impl RunEnd {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::TimeUp => "left",
            Self::Halted(_) => "halted",
            Self::Stopped => "stopped",
        }
    }
}

/// What a run of the import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImportSummary {
    /// `finished`, `left` when its time was up, `halted` or `stopped`.
    ended: &'static str,
    pages: u64,
    written: u64,
}

/// Continues `import` until it is finished or the time is up, by at least one page.
pub(crate) async fn run(
    deps: &Deps,
    session: Option<&Session<'_>>,
    import: Import,
    deadline: Deadline,
    now: Timestamp,
) -> Result<ImportSummary, ImportError> {
    let accounts = deps.registry.account_imports(&import.id).await?;
    let mut run = ImportRun { deps, import, accounts, deadline, now, pages: 0, written: 0 };
    let end = match session {
        None => RunEnd::Halted(Halt::NoKey),
        Some(session) => match run.import_all(session).await {
            Ok(end) => end,
            Err(Interruption::Halted(halt)) => RunEnd::Halted(halt),
            Err(Interruption::Failed(error)) => return Err(error),
        },
    };
    run.store_end(&end, now).await?;
    Ok(ImportSummary { ended: end.as_str(), pages: run.pages, written: run.written })
}

struct ImportRun<'a> {
    deps: &'a Deps,
    import: Import,
    /// Progress by account.
    accounts: BTreeMap<AccountKey, AccountImport>,
    deadline: Deadline,
    now: Timestamp,
    pages: u64,
    written: u64,
}

impl ImportRun<'_> {
    async fn import_all(&mut self, session: &Session<'_>) -> Result<RunEnd, Interruption> {
        if let Some(end) = self.find_accounts(session).await? {
            return Ok(end);
        }
        let mut accounts = vec![AccountKey::OWN];
        accounts.extend(self.deps.registry.connected_accounts().await?);
        for account in &accounts {
            for kind in self.import.kinds.clone() {
                let mut lists = KindLists::new(self.deps, account, kind, self.import.since);
                loop {
                    let progress = self.progress(account, kind);
                    if progress.stage != Stage::GoingOn {
                        break;
                    }
                    if self.pages > 0 && self.deadline.has_passed() {
                        return Ok(RunEnd::TimeUp);
                    }
                    if !self.is_still_running().await? {
                        return Ok(RunEnd::Stopped);
                    }
                    let calls = session.calls();
                    let written = progress.written;
                    let (mut progress, halt) = match lists.next_page(session, progress.clone()).await {
                        Ok(progress) => (progress, None),
                        Err(Interruption::Halted(halt)) => {
                            count_unanswered(session, &mut lists, halt, progress).await?
                        }
                        Err(Interruption::Failed(error)) => return Err(error.into()),
                    };
                    progress.calls += session.calls() - calls;
                    self.written += progress.written - written;
                    if self.store_progress(account, kind, progress).await? == Written::Conflict {
                        return Ok(RunEnd::Stopped);
                    }
                    if let Some(halt) = halt {
                        return Ok(RunEnd::Halted(halt));
                    }
                    self.pages += 1;
                }
            }
        }
        Ok(RunEnd::Finished)
    }

    /// Lists the connected accounts, if they are wanted. Returns how the run ends, if it does.
    async fn find_accounts(&mut self, session: &Session<'_>) -> Result<Option<RunEnd>, Interruption> {
        if self.import.accounts.stage != Stage::GoingOn || !accounts::are_wanted(self.deps).await? {
            return Ok(None);
        }
        while self.import.accounts.stage == Stage::GoingOn {
            if self.pages > 0 && self.deadline.has_passed() {
                return Ok(Some(RunEnd::TimeUp));
            }
            let list = self.import.accounts.clone();
            let (accounts, halt) = accounts::list_page(self.deps, session, list, self.now).await?;
            if !self.is_still_running().await? {
                return Ok(Some(RunEnd::Stopped));
            }
            let mut new = Import { accounts, ..self.import.clone() };
            match self.deps.registry.store_import(Some(&self.import), &mut new).await? {
                Written::Done => self.import = new,
                Written::Conflict => return Ok(Some(RunEnd::Stopped)),
            }
            if let Some(halt) = halt {
                return Ok(Some(RunEnd::Halted(halt)));
            }
            self.pages += 1;
        }
        Ok(None)
    }

    fn progress(&self, account: &AccountKey, kind: Kind) -> KindProgress {
        let row = self.accounts.get(account);
        row.and_then(|row| row.kinds.get(&kind)).cloned().unwrap_or_default()
    }

    /// Reads the import's row again; an admin may have stopped it.
    async fn is_still_running(&mut self) -> Result<bool, ImportError> {
        let stored = self.deps.registry.import().await?;
        let running = stored.filter(|import| import.goes_on(&self.import.id));
        Ok(running.map(|import| self.import = import).is_some())
    }

    async fn store_progress(
        &mut self,
        account: &AccountKey,
        kind: Kind,
        progress: KindProgress,
    ) -> Result<Written, ImportError> {
        let row = self
            .accounts
            .entry(account.clone())
            .or_insert_with(|| AccountImport { import: self.import.id.clone(), kinds: BTreeMap::new() });
        row.kinds.insert(kind, progress);
        Ok(self.deps.registry.store_account_import(account, row).await?)
    }

    /// Stores how the run ended, unless an admin stopped the import.
    async fn store_end(&mut self, end: &RunEnd, now: Timestamp) -> Result<(), ImportError> {
        if *end == RunEnd::Stopped {
            return Ok(());
        }
        loop {
            let refused = refused_lists(&self.accounts);
            let mut new = Import { refused, halted: None, ..self.import.clone() };
            match end {
                RunEnd::Finished => {
                    new.state = ImportState::Finished;
                    new.ended_at = Some(UnixMillis::from(now));
                }
                RunEnd::Halted(halt) => new.halted = Some(halt.clone()),
                RunEnd::TimeUp | RunEnd::Stopped => {}
            }
            if self.pages > 0 {
                new.moved_at = UnixMillis::from(now);
            }
            if new == self.import
                || self.deps.registry.store_import(Some(&self.import), &mut new).await? == Written::Done
                || !self.is_still_running().await?
            {
                return Ok(());
            }
        }
    }
}

/// Counts a run that halted because a list's next page got no response. After [`MAX_RUNS`] of them the list
/// is passed like one that is refused, and the run does not halt.
///
/// # Errors
/// The halt, if it is not this list's alone.
async fn count_unanswered(
    session: &Session<'_>,
    lists: &mut KindLists<'_>,
    halt: Halt,
    progress: KindProgress,
) -> Result<(KindProgress, Option<Halt>), Halt> {
    let failure = isolated_failure(session, halt).await?;
    let unanswered = progress.unanswered + 1;
    Ok(if unanswered < MAX_RUNS {
        (KindProgress { unanswered, ..progress }, Some(Halt::NoAnswer(failure)))
    } else {
        (lists.pass(progress, *failure), None)
    })
}

/// The lists that Stripe refuses or never answers.
fn refused_lists(accounts: &BTreeMap<AccountKey, AccountImport>) -> Sampled<RefusedKind> {
    let mut refused = Sampled::default();
    for (account, row) in accounts {
        for (kind, progress) in &row.kinds {
            if let Some(failure) = &progress.failure {
                let account = account.connected().map(str::to_owned);
                refused.add(RefusedKind { account, kind: *kind, failure: failure.clone() });
            }
        }
    }
    refused
}
