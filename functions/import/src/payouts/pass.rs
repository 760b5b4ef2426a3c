//! The night's work on the balance: payouts that no event told of, transactions of charges that have not been
//! paid out, and payouts that did not add up, again.
//!
//! Each list is gone through account by account, page by page; how far it is, is kept after each page.

use jiff::SignedDuration;
use serde_json::Value;
use shared::account::AccountKey;
use shared::kind::Kind;
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{OpenOrder, OpenReason, PayoutTransactions};
use shared::registry::{BalanceList, BalancePass, FinishedBalancePass, Halt, ListPosition, RefusedKind};
use shared::stripe::{ObjectsPage, ObjectsQuery, Session, StripeError, StripeResponse};
use shared::unix_time::UnixSeconds;

use super::{MAX_PAYOUTS, PayoutRun};
use crate::error::{ImportError, Interruption};
use crate::transactions::{self, ListedTransaction};
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, unusable_response};
use crate::upsert::{FetchedObject, Upserted, upsert};

/// A payout of this age has arrived or failed.
const PAYOUTS_OF: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How far the first night looks back for transactions.
const FIRST_LOOKBACK: SignedDuration = SignedDuration::from_hours(24);
/// Transactions are listed again from so long before the last night began, as Stripe may add one late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

impl PayoutRun<'_> {
    pub(super) async fn continue_pass(&mut self, session: &Session<'_>) -> Result<(), Interruption> {
        let mut pass = match self.progress.pass.take() {
            Some(pass) => pass,
            None => self.begin_pass().await?,
        };
        self.progress.pass = Some(pass.clone());
        let mut accounts = vec![AccountKey::OWN];
        accounts.extend(self.deps.registry.connected_accounts().await?);
        while let Some(account) = accounts.iter().find(|account| pass.is_left(account)) {
            pass.enter(account);
            if !self.has_time() {
                return Ok(());
            }
            self.summary.pages += 1;
            let next = self.continue_list(session, &mut pass, account).await;
            // What was reached is kept before a halt ends the run.
            self.progress.pass = Some(pass.clone());
            self.store_progress().await?;
            next?;
        }
        let BalancePass { begun_at, since, looked_at, written, refused, .. } = pass;
        let finished_at = self.now.into();
        // Where a list was refused, the next pass begins where this one did.
        let listed_until = if pass.is_incomplete { since + OVERLAP } else { begun_at.into() };
        self.progress.last =
            Some(FinishedBalancePass { begun_at, finished_at, listed_until, looked_at, written, refused });
        self.progress.pass = None;
        Ok(())
    }

    async fn begin_pass(&self) -> Result<BalancePass, ImportError> {
        let records = &self.deps.records;
        let unexplained = records
            .open_records(OpenReason::PayoutUnexplained, MAX_PAYOUTS, OpenOrder::EarliestFirst)
            .await?;
        let again_since = Some(UnixSeconds::from(self.now));
        for record in unexplained {
            self.store(record, PayoutTransactions { again_since, ..PayoutTransactions::default() }).await?;
        }
        let first = UnixSeconds::from(self.now - FIRST_LOOKBACK);
        let since = self.progress.last.as_ref().map_or(first, |last| last.listed_until - OVERLAP);
        Ok(BalancePass::begun(self.now.into(), since))
    }

    /// Lists the next page of the list that the night is at.
    async fn continue_list(
        &mut self,
        session: &Session<'_>,
        pass: &mut BalancePass,
        account: &AccountKey,
    ) -> Result<(), Interruption> {
        let kind = match pass.list {
            BalanceList::Payouts => Kind::PAYOUT,
            BalanceList::Transactions => Kind::BALANCE_TRANSACTION,
        };
        let page = match self.pass_page(session, pass, account, kind).await {
            Ok(page) => page,
            Err(error) => {
                let failure = match Halt::try_from(error) {
                    Err(failure) => failure,
                    Ok(halt) => {
                        let failure = isolated_failure(session, halt).await?;
                        pass.unanswered += 1;
                        if pass.unanswered < MAX_RUNS {
                            return Err(Halt::NoAnswer(failure).into());
                        }
                        failure
                    }
                };
                if !failure.says_account_left(account) {
                    pass.is_incomplete |= pass.list == BalanceList::Transactions;
                    let account = account.connected().map(str::to_owned);
                    pass.refused.add(RefusedKind { account, kind, failure: *failure });
                }
                pass.leave_list();
                return Ok(());
            }
        };
        let as_of = fetched_as_of(&page)?;
        let objects = &page.value.objects;
        pass.written += match pass.list {
            BalanceList::Payouts => self.write_payouts(&page.value, account, as_of).await?,
            BalanceList::Transactions => {
                let listed: Vec<_> =
                    objects.iter().filter_map(|raw| ListedTransaction::read(raw, account)).collect();
                transactions::write(self.deps, &listed, None, as_of).await?.written
            }
        };
        pass.looked_at += objects.len() as u64;
        pass.unanswered = 0;
        if !page.value.more {
            pass.leave_list();
            return Ok(());
        }
        let last = objects.last().and_then(|raw| lossy_json::from_str::<ListPosition>(raw.get()).ok());
        let oversized = page.value.oversized.as_ref();
        let oversized = oversized.map(|item| ListPosition { id: item.id.clone(), created: item.created });
        pass.after = Some(oversized.or(last).ok_or_else(|| {
            unusable_response("Stripe's list ends with something without an id", page.request_id.clone())
        })?);
        Ok(())
    }

    async fn pass_page(
        &self,
        session: &Session<'_>,
        pass: &BalancePass,
        account: &AccountKey,
        kind: Kind,
    ) -> Result<StripeResponse<ObjectsPage>, StripeError> {
        let since = match pass.list {
            BalanceList::Payouts => self.now_of(pass) - PAYOUTS_OF,
            BalanceList::Transactions => pass.since,
        };
        let query = ObjectsQuery {
            kind,
            account: account.connected(),
            since: Some(since),
            until: None,
            payout: None,
            after: pass.after.as_ref().map(|position| position.id.as_str()),
        };
        match session.objects(query).await {
            Err(error) if error.is_gone_cursor() => {
                let until = pass.after.as_ref().and_then(|position| position.created);
                session.objects(ObjectsQuery { until, after: None, ..query }).await
            }
            result => result,
        }
    }

    fn now_of(&self, pass: &BalancePass) -> UnixSeconds {
        pass.begun_at.to_timestamp().unwrap_or(self.now).into()
    }

    /// Writes the payouts of a page that are older here or differ. Returns how many.
    async fn write_payouts(
        &self,
        page: &ObjectsPage,
        account: &AccountKey,
        as_of: UnixSeconds,
    ) -> Result<u64, ImportError> {
        let mut written = 0;
        for raw in &page.objects {
            let Ok(object) = lossy_json::from_str::<Value>(raw.get()) else { continue };
            let id = object["id"].as_str().unwrap_or_default();
            let Ok(key) = ObjectKey::new(account.connected(), Kind::PAYOUT.object(), id) else { continue };
            let record = self.deps.records.get(&key).await?;
            let fetched = FetchedObject { key, raw: raw.get(), object: &object, as_of };
            written += u64::from(upsert(&self.deps.records, &fetched, record).await? == Upserted::Written);
        }
        Ok(written)
    }
}
