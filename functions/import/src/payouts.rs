//! Lists what each payout is made of, once Stripe has reconciled it, and each night what is new in the
//! balance.
//!
//! ```text
//! a payout waits ── list a page ── write its transactions ── keep how far it is, with the sums ──┐
//!      ▲                                                                                         │
//!      └─────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An event, an import or the night (`pass`) brings the payout; its record stands in the index of open ones
//! until all is here. Stripe lists the transactions of automatic payouts alone. What does not add up, or is
//! refused, is listed again the next night; the status says so until then.

mod pass;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::object_key::ObjectKey;
use shared::records::{OpenOrder, OpenReason, PayoutTransactions, Put, Record, is_reconciled};
use shared::registry::{Halt, PayoutProgress, RefusedKind};
use shared::stripe::{ObjectsQuery, Session, StripeError, StripeFailure};

use crate::deps::Deps;
use crate::drift::is_due_since;
use crate::error::{ImportError, Interruption};
use crate::transactions::{self, ListedTransaction};
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, unusable_response};

/// Payouts that a run looks at: their keys are some hundred bytes each.
const MAX_PAYOUTS: usize = 10_000;
/// Few processes write one record.
const MAX_ATTEMPTS: u32 = 10;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PayoutSummary {
    pages: u64,
    explained: u64,
    written: u64,
}

/// Whether the nightly pass is to be begun or continued.
pub(crate) fn is_due(progress: &PayoutProgress, now: Timestamp) -> bool {
    let begun_at = progress.last.as_ref().and_then(|last| last.begun_at.to_timestamp());
    progress.pass.is_some() || is_due_since(begun_at, now)
}

/// Whether a payout waits for its transactions.
pub(crate) async fn is_waiting(deps: &Deps) -> Result<bool, ImportError> {
    let keys = deps.records.open_keys(OpenReason::PayoutToList, 1, OpenOrder::EarliestFirst).await?;
    Ok(!keys.is_empty())
}

/// Lists the transactions of payouts that wait for it, and does the night's work if that is due, until the
/// time is up; one page at least.
pub(crate) async fn run(
    deps: &Deps,
    session: Option<&Session<'_>>,
    progress: PayoutProgress,
    deadline: Deadline,
    now: Timestamp,
) -> Result<PayoutSummary, ImportError> {
    let before = progress.clone();
    let mut run = PayoutRun {
        deps,
        progress,
        deadline,
        now,
        summary: PayoutSummary::default(),
        refused: BTreeSet::new(),
    };
    let result = match session {
        None => Err(Interruption::Halted(Halt::NoKey)),
        Some(session) => run.work(session).await,
    };
    run.progress.halted = match result {
        Ok(()) => None,
        Err(Interruption::Halted(halt)) => Some(halt),
        Err(Interruption::Failed(error)) => return Err(error),
    };
    if run.progress != before {
        run.store_progress().await?;
    }
    Ok(run.summary)
}

struct PayoutRun<'a> {
    deps: &'a Deps,
    progress: PayoutProgress,
    deadline: Deadline,
    now: Timestamp,
    summary: PayoutSummary,
    /// Accounts of which Stripe does not let the key list transactions.
    refused: BTreeSet<AccountKey>,
}

impl PayoutRun<'_> {
    async fn work(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        self.list_waiting(session).await?;
        if is_due(&self.progress, self.now) {
            self.continue_pass(session).await?;
        }
        Ok(())
    }

    fn has_time(&self) -> bool {
        self.summary.pages == 0 || !self.deadline.has_passed()
    }

    async fn store_progress(&self) -> Result<(), ImportError> {
        Ok(self.deps.registry.store_payout_progress(&self.progress).await?)
    }

    async fn list_waiting(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let records = &self.deps.records;
        let keys = records.open_keys(OpenReason::PayoutToList, MAX_PAYOUTS, OpenOrder::EarliestFirst).await?;
        let mut refused = Vec::new();
        for key in keys {
            if !self.has_time() {
                break;
            }
            if self.refused.contains(key.account_key()) {
                continue;
            }
            if let Some(failure) = self.list_payout(session, &key).await? {
                self.refused.insert(key.account_key().clone());
                let account = key.account().map(str::to_owned);
                refused.push(RefusedKind { account, kind: Kind::BALANCE_TRANSACTION, failure });
            }
        }
        self.progress.set_refused_lists(refused);
        Ok(())
    }

    /// Lists the transactions of a payout, page by page. Returns Stripe's words if the key may not.
    async fn list_payout(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
    ) -> Result<Option<StripeFailure>, Interruption> {
        while self.has_time() {
            let Some(record) = self.deps.records.get(key).await? else { return Ok(None) };
            let Some(payout) = waiting_payout(&record) else { return Ok(None) };
            let known = record.transactions.clone().unwrap_or_default();
            self.summary.pages += 1;
            let next = match self.list_page(session, key, &payout, known.clone()).await {
                Ok(next) => next,
                Err(Interruption::Failed(error)) => return Err(error.into()),
                Err(Interruption::Halted(halt)) => {
                    // Where Stripe answers other calls, this payout alone is passed after a while.
                    let failure = isolated_failure(session, halt).await?;
                    let unanswered = known.unanswered + 1;
                    let failure = (unanswered >= MAX_RUNS).then_some(*failure);
                    let is_passed = failure.is_some();
                    self.store(record, PayoutTransactions { unanswered, failure, ..known }).await?;
                    if is_passed {
                        continue;
                    }
                    return Ok(None);
                }
            };
            match next {
                Ok(transactions) => {
                    self.summary.explained += u64::from(transactions.complete);
                    self.store(record, transactions).await?;
                }
                Err(refused) => return Ok(Some(refused)),
            }
        }
        Ok(None)
    }

    /// Lists and writes the next page. Returns what is known of the payout's transactions then; or Stripe's
    /// words if the key may not list them.
    async fn list_page(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
        payout: &Value,
        mut known: PayoutTransactions,
    ) -> Result<Result<PayoutTransactions, StripeFailure>, Interruption> {
        let query = ObjectsQuery {
            payout: Some(key.id()),
            after: known.after.as_deref(),
            ..ObjectsQuery::new(Kind::BALANCE_TRANSACTION, key.account())
        };
        let page = match session.objects(query).await {
            Ok(page) => page,
            // An account that has left has nothing to list any more, and nothing else is to wait for it.
            Err(StripeError::Forbidden(failure)) if failure.says_account_left(key.account_key()) => {
                return Ok(Ok(PayoutTransactions { failure: Some(*failure), ..known }));
            }
            Err(StripeError::Forbidden(failure)) => return Ok(Err(*failure)),
            // Nothing says where to go on, so all is summed anew.
            Err(error) if error.is_gone_cursor() => return Ok(Ok(PayoutTransactions::default())),
            Err(error) => match Halt::try_from(error) {
                Ok(halt) => return Err(halt.into()),
                Err(failure) => {
                    return Ok(Ok(PayoutTransactions { failure: Some(*failure), ..known }));
                }
            },
        };
        let as_of = fetched_as_of(&page)?;
        let objects = &page.value.objects;
        let listed: Option<Vec<_>> =
            objects.iter().map(|raw| ListedTransaction::read(raw, key.account_key())).collect();
        // Whoever answered, it is tried again before the payout is passed.
        let Some(listed) = listed.filter(|_| page.value.oversized.is_none()) else {
            return Err(unusable_response("a transaction of the list cannot be read", page.request_id).into());
        };
        let outcome = transactions::write(self.deps, &listed, Some(key.id()), as_of).await?;
        self.summary.written += outcome.written;
        listed.iter().for_each(|transaction| known.add(payout, &transaction.object));
        known.note_of_other_payouts(outcome.of_other_payouts);
        known.complete = !page.value.more;
        let last = listed.last().map(|transaction| transaction.key.id().to_owned());
        known.after = last.filter(|_| page.value.more);
        Ok(Ok(PayoutTransactions { as_of, unanswered: 0, failure: None, ..known }))
    }

    /// Keeps what is known of a payout's transactions with its record.
    async fn store(&self, mut record: Record, transactions: PayoutTransactions) -> Result<(), ImportError> {
        for _ in 0..MAX_ATTEMPTS {
            let new = record.with_transactions(transactions.clone());
            match self.deps.records.replace(&record, &new).await? {
                Put::Done => return Ok(()),
                Put::Conflict(stored) => record = *stored,
            }
        }
        Err(ImportError::Contended(record.key.to_string()))
    }
}

/// The payout of a record, if its transactions are to be listed.
fn waiting_payout(record: &Record) -> Option<Value> {
    let is_listed = |known: &PayoutTransactions| known.complete || known.failure.is_some();
    if !record.is_at_stripe() || record.transactions.as_ref().is_some_and(is_listed) {
        return None;
    }
    record.parsed().filter(is_reconciled)
}
