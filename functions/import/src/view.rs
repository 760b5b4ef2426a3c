//! An import as the API shows it: what was asked for, its state, and how far each kind of each account is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::http::ApiError;
use shared::kind::Kind;
use shared::registry::{AccountImport, Halt, Import, ImportState, KindProgress, Sampled, Stage};
use shared::stripe::StripeFailure;
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::deps::Deps;

/// Accounts that are shown one by one; the sums are of all.
const MAX_ACCOUNTS: usize = 100;

/// The latest import, or that there never was one.
#[derive(Debug, Serialize)]
pub(crate) struct ImportView {
    /// `running`, `finished`, `stopped`, or `none`.
    state: &'static str,
    since: Option<Timestamp>,
    kinds: Vec<Kind>,
    by: Option<String>,
    begun_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    /// When a run last got further.
    moved_at: Option<Timestamp>,
    /// Why the last run got no further; the next one tries again.
    halted: Option<Value>,
    looked_at: u64,
    written: u64,
    /// Accounts, our own among them: how many there are, and how many of them are through.
    accounts: AccountCounts,
    /// Lists that Stripe refuses: how many, and the first ten.
    refused: Sampled<Value>,
    /// Our own account first, then connected ones; the first hundred.
    progress: Vec<KindView>,
}

#[derive(Debug, Default, Serialize)]
struct AccountCounts {
    known: usize,
    through: usize,
    /// Why Stripe does not list the connected ones; then those are known from which events have come.
    refusal: Option<Value>,
}

/// How far a kind of an account is.
#[derive(Debug, Serialize)]
struct KindView {
    account: Option<String>,
    kind: Kind,
    /// `waiting`, `going_on`, `done` or `refused`.
    state: &'static str,
    looked_at: u64,
    written: u64,
    /// Calls to Stripe, each try counted.
    calls: u64,
    /// Objects that cannot be kept, too large or without an id: how many, and the first ten.
    left_out: Sampled<String>,
    #[serde(rename = "refusal")]
    failure: Option<Value>,
}

/// Reads how far an import is.
pub(crate) async fn load(deps: &Deps, import: Option<Import>) -> Result<ImportView, ApiError> {
    let Some(import) = import else { return Ok(no_import()) };
    let progress = deps.registry.account_imports(&import.id).await?;
    let connected = deps.registry.connected_accounts().await?;
    Ok(import_view(&import, progress, connected))
}

fn no_import() -> ImportView {
    ImportView {
        state: "none",
        since: None,
        kinds: Vec::new(),
        by: None,
        begun_at: None,
        ended_at: None,
        moved_at: None,
        halted: None,
        looked_at: 0,
        written: 0,
        accounts: AccountCounts::default(),
        refused: Sampled::default(),
        progress: Vec::new(),
    }
}

fn import_view(
    import: &Import,
    mut progress: BTreeMap<AccountKey, AccountImport>,
    connected: Vec<AccountKey>,
) -> ImportView {
    let mut view = ImportView {
        state: match import.state {
            ImportState::Running => "running",
            ImportState::Finished => "finished",
            ImportState::Stopped => "stopped",
        },
        since: import.since.and_then(UnixSeconds::to_timestamp),
        kinds: import.kinds.clone(),
        by: Some(import.by.clone()),
        begun_at: import.begun_at(),
        ended_at: import.ended_at.and_then(UnixMillis::to_timestamp),
        moved_at: import.moved_at.to_timestamp(),
        halted: import.halted.as_ref().map(halt_json),
        ..no_import()
    };
    view.accounts.refusal = import.accounts.failure.as_ref().map(StripeFailure::to_evidence);
    for account in std::iter::once(AccountKey::OWN).chain(connected) {
        let row = progress.remove(&account);
        let account = account.connected();
        let kinds = row.map(|row| row.kinds).unwrap_or_default();
        let is_over = |kind| kinds.get(kind).is_some_and(|progress| progress.stage != Stage::GoingOn);
        view.accounts.known += 1;
        view.accounts.through += usize::from(import.kinds.iter().all(is_over));
        for kind in &import.kinds {
            let progress = kinds.get(kind);
            view.looked_at += progress.map_or(0, |progress| progress.looked_at);
            view.written += progress.map_or(0, |progress| progress.written);
            if let Some(failure) = progress.and_then(|progress| progress.failure.as_ref()) {
                let refusal = failure.to_evidence();
                view.refused.add(json!({ "account": account, "kind": kind, "refusal": refusal }));
            }
            if view.accounts.known <= MAX_ACCOUNTS {
                view.progress.push(kind_view(account, *kind, progress));
            }
        }
    }
    view
}

fn kind_view(account: Option<&str>, kind: Kind, progress: Option<&KindProgress>) -> KindView {
    let state = match progress.map(|progress| progress.stage) {
        None => "waiting",
        Some(Stage::GoingOn) => "going_on",
        Some(Stage::Done) => "done",
        Some(Stage::Refused) => "refused",
    };
    let progress = progress.cloned().unwrap_or_default();
    let KindProgress { looked_at, written, calls, left_out, failure, .. } = progress;
    let failure = failure.as_ref().map(StripeFailure::to_evidence);
    let account = account.map(str::to_owned);
    KindView { account, kind, state, looked_at, written, calls, left_out, failure }
}

fn halt_json(halt: &Halt) -> Value {
    let json = |why: &str, failure: Option<&StripeFailure>| json!({ "why": why, "refusal": failure.map(StripeFailure::to_evidence) });
    match halt {
        Halt::NoKey => json("no_key", None),
        Halt::KeyRejected(failure) => json("key_refused", Some(failure)),
        Halt::NoAnswer(failure) => json("no_answer", Some(failure)),
    }
}
