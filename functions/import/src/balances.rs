//! Lists the transactions of customers whose balance changed: no event carries one.
//!
//! ```text
//! a balance changed ── list a page, the newest first ── write it ── keep how far it is ──┐ at one that was
//!      ▲                                                                                 │ here before, or
//!      └─────────────────────────────────────────────────────────────────────────────────┘ the end: done
//! ```
//!
//! A record says in which second the balance is known to have changed, and up to which the transactions are
//! here; it stands in the index of open ones while the former is later (`shared::records`). So a change of
//! the second in which Stripe is asked is looked for once more, a minute later.
//!
//! What Stripe refuses or never answers is left until the night, which tries again, or until the balance
//! changes once more.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{BalanceListing, BalanceListingUnderWay, Obstacle, OpenOrder, OpenReason, Put, Record};
use shared::registry::Halt;
use shared::stripe::{ObjectList, ObjectsQuery, Session, StripeError, StripeFailure};
use shared::unix_time::UnixSeconds;

use crate::deps::Deps;
use crate::error::{ImportError, Interruption};
use crate::listing::{last_position, write_page};
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, unusable_response};

/// Customers that a run looks at.
const MAX_CUSTOMERS: usize = 1_000;
/// Few processes write one record.
const MAX_ATTEMPTS: u32 = 10;
/// Clocks of Stripe's differ by less. An event that is stamped later than this is of a test clock.
const STAMPED_AHEAD: i64 = 60;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct BalanceSummary {
    pages: u64,
    listed: u64,
    written: u64,
}

/// Whether a customer's transactions are to be listed.
pub(crate) async fn is_waiting(deps: &Deps) -> Result<bool, ImportError> {
    let keys = deps.records.open_keys(OpenReason::BalanceToList, 1, OpenOrder::EarliestFirst).await?;
    Ok(!keys.is_empty())
}

/// Has what Stripe refused or did not answer tried again.
pub(crate) async fn try_again(deps: &Deps) -> Result<(), ImportError> {
    let (records, reason) = (&deps.records, OpenReason::BalanceUnlisted);
    for record in records.open_records(reason, MAX_CUSTOMERS, OpenOrder::EarliestFirst).await? {
        if let Some(listing) = &record.balance_listing {
            let listing = BalanceListing { failed_runs: 0, obstacle: None, ..listing.clone() };
            // One that has changed meanwhile is tried again in the next night.
            records.replace(&record, &record.with_balance_listing(listing)).await?;
        }
    }
    Ok(())
}

/// Lists the transactions of customers that wait for it, until the time is up; one page at least.
pub(crate) async fn run(
    deps: &Deps,
    session: Option<&Session<'_>>,
    deadline: Deadline,
) -> Result<BalanceSummary, ImportError> {
    let mut run = BalanceRun { deps, deadline, summary: BalanceSummary::default(), refused: HashMap::new() };
    let result = match session {
        None => Err(Interruption::Halted(Halt::NoKey)),
        Some(session) => run.list_waiting(session).await,
    };
    match result {
        // The next run tries again; the status tells of what waits for long.
        Ok(()) | Err(Interruption::Halted(_)) => Ok(run.summary),
        Err(Interruption::Failed(error)) => Err(error),
    }
}

struct BalanceRun<'a> {
    deps: &'a Deps,
    deadline: Deadline,
    summary: BalanceSummary,
    /// Accounts of which the key may not list transactions.
    refused: HashMap<AccountKey, StripeFailure>,
}

impl BalanceRun<'_> {
    async fn list_waiting(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let (records, reason) = (&self.deps.records, OpenReason::BalanceToList);
        for key in records.open_keys(reason, MAX_CUSTOMERS, OpenOrder::EarliestFirst).await? {
            self.list_customer(session, &key).await?;
        }
        Ok(())
    }

    fn has_time(&self) -> bool {
        self.summary.pages == 0 || !self.deadline.has_passed()
    }

    /// Lists the transactions of a customer, page by page, as far as there is time.
    async fn list_customer(&mut self, session: &Session<'_>, key: &ObjectKey) -> Result<(), Interruption> {
        while self.has_time() {
            let Some(record) = self.deps.records.get(key).await? else { return Ok(()) };
            let listing = record.balance_listing.clone().unwrap_or_default();
            if !record.is_at_stripe() || !record.is_balance_to_list() || listing.obstacle.is_some() {
                return Ok(());
            }
            let listing = match self.list_page(session, &record, listing.clone()).await {
                Ok(listing) => listing,
                Err(Interruption::Failed(error)) => return Err(error.into()),
                // Where Stripe answers other calls, this customer alone is passed after a while.
                Err(Interruption::Halted(halt)) => failed(listing, *isolated_failure(session, halt).await?),
            };
            let is_over =
                listing.under_way.is_none() || listing.obstacle.is_some() || listing.failed_runs > 0;
            self.store(record, listing).await?;
            if is_over {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lists and writes the next page. Returns how far the list is then.
    async fn list_page(
        &mut self,
        session: &Session<'_>,
        record: &Record,
        listing: BalanceListing,
    ) -> Result<BalanceListing, Interruption> {
        let key = &record.key;
        let refused = |failure| Some(Obstacle::Refused(failure));
        if let Some(failure) = self.refused.get(key.account_key()) {
            return Ok(BalanceListing { obstacle: refused(failure.clone()), ..listing });
        }
        let kind = Kind::CUSTOMER_BALANCE_TRANSACTION;
        let query = ObjectsQuery {
            list: ObjectList::OfCustomer(key.id()),
            after: listing.under_way.as_ref().map(|under_way| under_way.after.as_str()),
            ..ObjectsQuery::new(kind, key.account())
        };
        self.summary.pages += 1;
        let page = match session.objects(query).await {
            Ok(page) => page,
            Err(StripeError::Forbidden(failure)) => {
                self.refused.insert(key.account_key().clone(), (*failure).clone());
                return Ok(BalanceListing { obstacle: refused(*failure), ..listing });
            }
            // Nothing says where to go on, so the next run begins anew.
            Err(error) if error.is_gone_cursor() => {
                let listing = BalanceListing { under_way: None, ..listing };
                return Ok(failed(listing, error.failure().clone()));
            }
            Err(error) => match Halt::try_from(error) {
                Ok(halt) => return Err(halt.into()),
                Err(failure) if failure.is_too_large() => {
                    return Ok(BalanceListing { obstacle: Some(Obstacle::TooLarge), ..listing });
                }
                Err(failure) => return Ok(BalanceListing { obstacle: refused(*failure), ..listing }),
            },
        };
        let as_of = fetched_as_of(&page)?;
        let ids: Option<Vec<String>> = page.value.objects.iter().map(|raw| transaction_id(raw)).collect();
        // Whoever answered, it is tried again before the customer is passed.
        let Some(ids) = ids.filter(|_| page.value.oversized.is_none()) else {
            return Err(unusable_response("a transaction of the list cannot be read", page.request_id).into());
        };
        let account = key.account_key();
        self.summary.written += write_page(self.deps, &page.value, account, kind, None, as_of).await?.written;
        let is_first = listing.under_way.is_none();
        let (begun, newest) = match listing.under_way {
            Some(under_way) => (under_way.as_of, under_way.newest),
            None => (as_of, ids.first().cloned()),
        };
        let is_known = listing.newest.as_ref().is_some_and(|newest| ids.contains(newest));
        let done = BalanceListing { under_way: None, failed_runs: 0, obstacle: None, ..listing };
        if page.value.more && !is_known {
            let problem = "Stripe's list ends with something without an id";
            let last = last_position(&page.value);
            let after = last.ok_or_else(|| unusable_response(problem, page.request_id.clone()))?.id;
            let under_way = Some(BalanceListingUnderWay { as_of: begun, newest, after });
            return Ok(BalanceListing { under_way, ..done });
        }
        self.summary.listed += 1;
        // What was known to have changed when Stripe was asked is here, whatever its test clock said.
        let ahead = record.balance_changed_at.filter(|at| is_first && at.get() - as_of.get() > STAMPED_AHEAD);
        let listed_until: Option<UnixSeconds> = done.listed_until.max(ahead).max(Some(begun));
        Ok(BalanceListing { listed_until, newest: newest.or(done.newest.clone()), ..done })
    }

    /// Keeps with the customer's record how far the list is.
    async fn store(&self, mut record: Record, listing: BalanceListing) -> Result<(), ImportError> {
        for _ in 0..MAX_ATTEMPTS {
            let new = record.with_balance_listing(listing.clone());
            match self.deps.records.replace(&record, &new).await? {
                Put::Done => return Ok(()),
                Put::Conflict(stored) => record = *stored,
            }
        }
        Err(ImportError::Contended(record.key.to_string()))
    }
}

/// Counts a run that got no page that can be used. After some of them the rest is left to the night.
fn failed(listing: BalanceListing, failure: StripeFailure) -> BalanceListing {
    let failed_runs = listing.failed_runs + 1;
    let obstacle = (failed_runs >= MAX_RUNS).then_some(Obstacle::Unanswered(failure));
    BalanceListing { failed_runs, obstacle, ..listing }
}

fn transaction_id(raw: &RawValue) -> Option<String> {
    let object: Value = lossy_json::from_str(raw.get()).ok()?;
    let is_transaction = object["object"] == Kind::CUSTOMER_BALANCE_TRANSACTION.object();
    object["id"].as_str().filter(|id| is_transaction && !id.is_empty()).map(str::to_owned)
}
