//! An import as the API shows it: what was asked for, how it goes, and how far each kind of each account is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use shared::http::ApiError;
use shared::object_key::Kind;
use shared::registry::{AccountImport, Halt, Import, ImportState, KindProgress, Sampled, Stage};
use shared::stripe::StripeFailure;

use crate::Deps;

/// Accounts that are shown one by one; the sums are of all.
const ACCOUNTS: usize = 100;

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
    accounts: Accounts,
    /// Lists that Stripe refuses: how many, and the first ten.
    refused: Sampled<Value>,
    /// Our own account first, then connected ones; the first hundred.
    progress: Vec<KindRow>,
}

#[derive(Debug, Default, Serialize)]
struct Accounts {
    known: usize,
    through: usize,
}

/// How far a kind of an account is.
#[derive(Debug, Serialize)]
struct KindRow {
    account: Option<String>,
    kind: Kind,
    /// `waiting`, `going_on`, `done` or `refused`.
    state: &'static str,
    looked_at: u64,
    written: u64,
    /// Objects that cannot be kept, too large or without an id: how many, and the first ten.
    left_out: Sampled<String>,
    #[serde(rename = "refusal")]
    failure: Option<Value>,
}

/// Reads how far an import is.
pub(crate) async fn of(deps: &Deps, import: Option<Import>) -> Result<ImportView, ApiError> {
    let Some(import) = import else { return Ok(never()) };
    let rows = deps.registry.account_imports(&import.id).await?;
    let accounts = deps.registry.accounts().await?;
    Ok(view(&import, rows, accounts))
}

fn never() -> ImportView {
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
        accounts: Accounts::default(),
        refused: Sampled::default(),
        progress: Vec::new(),
    }
}

fn view(import: &Import, mut rows: BTreeMap<String, AccountImport>, accounts: Vec<String>) -> ImportView {
    let mut view = ImportView {
        state: match import.state {
            ImportState::Running => "running",
            ImportState::Finished => "finished",
            ImportState::Stopped => "stopped",
        },
        since: import.since.and_then(|since| Timestamp::from_second(since).ok()),
        kinds: import.kinds.clone(),
        by: Some(import.by.clone()),
        begun_at: import.begun_at(),
        ended_at: import.ended_at.and_then(millis),
        moved_at: millis(import.moved_at),
        halted: import.halted.as_ref().map(halted),
        ..never()
    };
    for account in std::iter::once(None).chain(accounts.into_iter().map(Some)) {
        let kinds = rows.remove(account.as_deref().unwrap_or("-")).map(|row| row.kinds).unwrap_or_default();
        let is_over = |kind| kinds.get(kind).is_some_and(|of_kind| of_kind.stage != Stage::GoingOn);
        view.accounts.known += 1;
        view.accounts.through += usize::from(import.kinds.iter().all(is_over));
        for kind in &import.kinds {
            let progress = kinds.get(kind);
            view.looked_at += progress.map_or(0, |progress| progress.looked_at);
            view.written += progress.map_or(0, |progress| progress.written);
            if let Some(failure) = progress.and_then(|progress| progress.failure.as_ref()) {
                view.refused.note(json!({ "account": account, "kind": kind, "refusal": said(failure) }));
            }
            if view.accounts.known <= ACCOUNTS {
                view.progress.push(row(account.clone(), *kind, progress));
            }
        }
    }
    view
}

fn row(account: Option<String>, kind: Kind, progress: Option<&KindProgress>) -> KindRow {
    let state = match progress.map(|progress| progress.stage) {
        None => "waiting",
        Some(Stage::GoingOn) => "going_on",
        Some(Stage::Done) => "done",
        Some(Stage::Refused) => "refused",
    };
    let progress = progress.cloned().unwrap_or_default();
    let KindProgress { looked_at, written, left_out, failure, .. } = progress;
    KindRow { account, kind, state, looked_at, written, left_out, failure: failure.as_ref().map(said) }
}

fn halted(halt: &Halt) -> Value {
    let of = |why: &str, failure: Option<&StripeFailure>| json!({ "why": why, "refusal": failure.map(said) });
    match halt {
        Halt::NoKey => of("no_key", None),
        Halt::KeyRejected(failure) => of("key_refused", Some(failure)),
        Halt::NoAnswer(failure) => of("no_answer", Some(failure)),
    }
}

fn said(failure: &StripeFailure) -> Value {
    json!({
        "stripe_status": failure.status, "stripe_message": failure.message, "stripe_request": failure.request_id,
    })
}

fn millis(at: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(at).ok()
}
