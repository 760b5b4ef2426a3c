//! The night's work on the balance: accounts that were connected since, payouts that no event told of,
//! transactions of charges that have not been paid out, and payouts that did not add up, again.
//!
//! Each list is gone through account by account, page by page; how far it is, is kept after each page.

use jiff::SignedDuration;
use shared::account::AccountKey;
use shared::kind::Kind;
use shared::records::{OpenOrder, OpenReason, PayoutTransactions};
use shared::registry::{BalanceList, BalancePass, FinishedBalancePass, Halt, RefusedKind, Stage};
use shared::stripe::{ObjectsQuery, Session};
use shared::unix_time::UnixSeconds;

use super::{MAX_PAYOUTS, PayoutRun};
use crate::accounts;
use crate::error::{ImportError, Interruption};
use crate::listing::{last_position, list_after, write_page};
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, unusable_response};

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
        if !self.list_accounts(session, &mut pass).await? {
            return Ok(());
        }
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
        let BalancePass { begun_at, since, connected, looked_at, written, refused, .. } = pass;
        let finished_at = self.now.into();
        // Where a list was refused, the next pass begins where this one did.
        let listed_until = if pass.is_incomplete { since + OVERLAP } else { begun_at.into() };
        let connected_failure = connected.failure;
        self.progress.last = Some(FinishedBalancePass {
            begun_at,
            finished_at,
            listed_until,
            looked_at,
            written,
            refused,
            connected_failure,
        });
        self.progress.pass = None;
        Ok(())
    }

    /// Lists the connected accounts, if they are wanted. Returns whether that is done; else the time is up.
    async fn list_accounts(
        &mut self,
        session: &Session<'_>,
        pass: &mut BalancePass,
    ) -> Result<bool, Interruption> {
        if pass.connected.stage != Stage::GoingOn || !accounts::are_wanted(self.deps).await? {
            return Ok(true);
        }
        while pass.connected.stage == Stage::GoingOn {
            if !self.has_time() {
                return Ok(false);
            }
            self.summary.pages += 1;
            let list = pass.connected.clone();
            let (connected, halt) = accounts::list_page(self.deps, session, list, self.now).await?;
            pass.connected = connected;
            self.progress.pass = Some(pass.clone());
            self.store_progress().await?;
            if let Some(halt) = halt {
                return Err(halt.into());
            }
        }
        Ok(true)
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
        let (kind, since) = match pass.list {
            BalanceList::Payouts => (Kind::PAYOUT, self.now_of(pass) - PAYOUTS_OF),
            BalanceList::Transactions => (Kind::BALANCE_TRANSACTION, pass.since),
        };
        let query = ObjectsQuery { since: Some(since), ..ObjectsQuery::new(kind, account.connected()) };
        let page = match list_after(session, query, pass.after.as_ref()).await {
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
        pass.written += write_page(self.deps, &page.value, account, kind, None, as_of).await?.written;
        pass.looked_at += page.value.objects.len() as u64;
        pass.unanswered = 0;
        if !page.value.more {
            pass.leave_list();
            return Ok(());
        }
        pass.after = Some(last_position(&page.value).ok_or_else(|| {
            unusable_response("Stripe's list ends with something without an id", page.request_id.clone())
        })?);
        Ok(())
    }

    fn now_of(&self, pass: &BalancePass) -> UnixSeconds {
        pass.begun_at.to_timestamp().unwrap_or(self.now).into()
    }
}
