//! Closes gaps: stores what Stripe made, an endpoint here wants and the ledger lacks.
//!
//! Events are compared by `created`, never from an event id that may be gone, over time windows that overlap;
//! ids tell what is here. Events of the last minutes are left alone: they are on their way. Stripe lists the
//! newest first, so a window is done from its end backwards (`account`), and how far it is done is stored
//! after each page: a run that ends, or crashes, leaves the rest to the next.
//!
//! ```text
//!  compared until ──15 min──┤                    down_to ◄── done ── end          now ── 5 min
//!  ─────────────────────────┼──── not yet ─────────┼────────────────┼──── next ────┤
//! ```

mod account;
mod wanted;

use std::collections::BTreeMap;

use shared::account::AccountKey;
use shared::endpoint::EndpointRow;
use shared::health::{GapReport, StripeView};
use shared::registry::ReconcileProgress;
use shared::stripe::StripeError;
use shared::unix_time::UnixSeconds;

use self::account::{AccountError, AccountRun, add_undelivered, compared_until};
pub(crate) use self::account::{LISTED_FOR, RunContext};
use self::wanted::WantedEvents;
use crate::deps::Deps;
use crate::error::ReconcileError;

/// Connected accounts that are named in a report.
const NAMED: usize = 10;

/// Closes the gaps of our own account and of each connected one, as far as the time goes: the one that is
/// furthest behind first, so that none is left out for ever.
pub(crate) async fn close(
    context: RunContext<'_>,
    rows: &[EndpointRow],
) -> Result<StripeView<GapReport>, ReconcileError> {
    let registry = &context.deps.registry;
    let wanted = WantedEvents::new(rows);
    let progress = registry.reconcile_progress().await?;
    let accounts = accounts(context.deps, &wanted, &progress).await?;
    if accounts.is_empty() {
        // Nothing to compare, but whether it could be is worth knowing.
        let readable = context.session.try_reading_events().await;
        return Ok(readable.map_or_else(Into::into, |()| StripeView::NotAsked));
    }
    let connected = accounts.iter().filter(|account| account.connected().is_some()).count();
    let connected = u64::try_from(connected).unwrap_or(u64::MAX);
    let mut report = GapReport { until: context.end, connected, ..GapReport::default() };
    let mut request_id = None;
    for account in &accounts {
        let before = progress.get(account).copied();
        if context.deadline.has_passed() && request_id.is_some() {
            report.more = true;
            report.until = report.until.min(before.map_or(UnixSeconds::default(), |before| before.until));
            continue;
        }
        let mut run = AccountRun::new(context, &wanted, account, before);
        let result = run.close().await;
        request_id = run.request_id.or(request_id);
        report.looked_at += run.report.looked_at;
        report.filled += run.report.filled;
        for (name, missed) in run.report.undelivered {
            add_undelivered(&mut report, name, missed);
        }
        for (name, counted) in run.report.arrivals {
            report.arrivals.entry(name).or_default().add(counted);
        }
        report.more |= run.report.more;
        match result {
            Ok(()) => report.until = report.until.min(run.report.until),
            Err(AccountError::Failed(error)) => return Err(error),
            Err(AccountError::Stripe(error)) if is_about_the_stack(&error, account) => {
                return Ok(error.into());
            }
            // One that has left the platform, or that Stripe does not answer for, must not stop the others.
            Err(AccountError::Stripe(error)) => {
                let before = before
                    .unwrap_or_else(|| compared_until(wanted.registered_at(true).unwrap_or(context.end)));
                let failed = !is_refusal(&error);
                let list = if failed { &mut report.unanswered } else { &mut report.refused };
                if list.len() < NAMED {
                    list.push(account.to_string());
                }
                if failed {
                    report.until = report.until.min(before.until);
                }
                // A page of it may be done, and stored.
                let stored = registry.reconcile_progress().await?.get(account).copied().unwrap_or(before);
                let refused_at = (!failed).then_some(context.end);
                let progress = ReconcileProgress { failed, refused_at, ..stored };
                registry.store_reconcile_progress(account, &progress).await?;
            }
        }
    }
    Ok(StripeView::Answered { value: report, request_id })
}

/// Returns the accounts of which an endpoint wants events: our own first, then those that did not fail last
/// time, the one that is furthest behind first.
async fn accounts(
    deps: &Deps,
    wanted: &WantedEvents<'_>,
    progress: &BTreeMap<AccountKey, ReconcileProgress>,
) -> Result<Vec<AccountKey>, ReconcileError> {
    let mut accounts = Vec::new();
    if wanted.any(true) {
        accounts.extend(deps.registry.connected_accounts().await?);
    }
    accounts.sort_by_key(|account| progress.get(account).map(|compared| (compared.failed, compared.until)));
    if wanted.any(false) {
        accounts.insert(0, AccountKey::OWN);
    }
    Ok(accounts)
}

/// Whether the answer holds for every account: Stripe does not accept the key, or it is about our own
/// account.
fn is_about_the_stack(error: &StripeError, account: &AccountKey) -> bool {
    matches!(error, StripeError::Unauthorized(_)) || account.connected().is_none()
}

/// Whether Stripe answered that an account is not connected any more, or that the key may not act for it.
fn is_refusal(error: &StripeError) -> bool {
    match error {
        StripeError::Forbidden(_) => true,
        StripeError::Refused(failure) => !failure.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => {
            false
        }
    }
}
