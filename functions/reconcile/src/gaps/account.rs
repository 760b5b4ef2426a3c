//! Closes the gaps of one account, time window by time window and page by page.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::event::EventId;
use shared::health::{GapReport, Undelivered};
use shared::ledger::{LedgerRow, Recorded};
use shared::registry::{ReconcileProgress, TimeWindow};
use shared::stripe::{EventsQuery, OversizedItem, Session, StripeError};
use shared::unix_time::{UnixMillis, UnixSeconds};

use super::wanted::{WantedEvents, with_account};
use crate::deps::Deps;
use crate::error::ReconcileError;
use crate::undelivered::COUNTS_FOR;

/// As far back as Stripe lists events (its API reference, "List all events").
pub(crate) const LISTED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Windows overlap by this, for events that Stripe lists late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// After a change of an endpoint, Stripe may still treat its first events as before for this long.
const CHANGE_TAKES_EFFECT_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// What is the same for every account of one run.
#[derive(Clone, Copy)]
pub(crate) struct RunContext<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) session: &'a Session<'a>,
    /// From when on an admin wants events to be compared again.
    pub(crate) since: Option<Timestamp>,
    /// After this, no further page is begun.
    pub(crate) deadline: Deadline,
    pub(crate) now: Timestamp,
    /// The last second to compare.
    pub(crate) end: UnixSeconds,
}

/// Why an account was not compared to the end.
pub(super) enum AccountError {
    /// Stripe refused or did not answer. That goes into the report; it is no failure of the run.
    Stripe(StripeError),
    /// The run failed.
    Failed(ReconcileError),
}

impl From<StripeError> for AccountError {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

impl<E: Into<ReconcileError>> From<E> for AccountError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Comparing one account.
pub(super) struct AccountRun<'a> {
    context: RunContext<'a>,
    wanted: &'a WantedEvents<'a>,
    account: &'a AccountKey,
    /// How far it was compared before this run.
    before: Option<ReconcileProgress>,
    /// What was found so far.
    pub(super) report: GapReport,
    /// The id of the last request that Stripe answered.
    pub(super) request_id: Option<String>,
}

impl<'a> AccountRun<'a> {
    pub(super) fn new(
        context: RunContext<'a>,
        wanted: &'a WantedEvents<'a>,
        account: &'a AccountKey,
        before: Option<ReconcileProgress>,
    ) -> Self {
        Self { context, wanted, account, before, report: GapReport::default(), request_id: None }
    }

    /// Closes the account's gaps, as far as the time goes.
    pub(super) async fn close(&mut self) -> Result<(), AccountError> {
        let RunContext { deps, since, end, .. } = self.context;
        let is_connected = self.account.connected().is_some();
        let Some(registered_at) = self.wanted.registered_at(is_connected) else { return Ok(()) };
        let mut progress = self.before.unwrap_or(compared_until(registered_at));
        // Nothing beyond the end can have been compared: a clock was ahead then. And each run looks at
        // something, so that what it reports of the key holds now.
        progress.until = progress.until.min(end - SignedDuration::from_secs(1));
        if let Some(since) = since.map(UnixSeconds::from).filter(|since| *since < progress.until) {
            progress = compared_until(since);
        }
        // What the last run left, and then what has come since.
        while let Some(window) = self.next_window(&progress) {
            self.close_window(progress.until, window).await?;
            if self.report.more {
                break;
            }
            progress = compared_until(window.end);
            deps.registry.store_reconcile_progress(self.account, &progress).await?;
        }
        self.report.until = progress.until;
        Ok(())
    }

    /// Returns the window to do now: the one that is unfinished, or what has come since.
    fn next_window(&self, progress: &ReconcileProgress) -> Option<TimeWindow> {
        let end = self.context.end;
        let new = TimeWindow { end, down_to: end };
        progress.unfinished.or_else(|| (progress.until < end).then_some(new))
    }

    /// Works through a window, page by page, from its end down to `compared`.
    async fn close_window(&mut self, compared: UnixSeconds, window: TimeWindow) -> Result<(), AccountError> {
        let RunContext { deps, session, deadline, now, .. } = self.context;
        let from = (compared - OVERLAP).max((now - LISTED_FOR).into());
        if window.down_to < from {
            return Ok(());
        }
        // Within a run the position is exact; the next run begins again at the second where this one ended.
        let mut after: Option<String> = None;
        loop {
            let query = EventsQuery {
                from,
                until: window.down_to,
                after: after.as_deref(),
                account: self.account.connected(),
            };
            let page = session.events(query).await?;
            self.request_id = page.request_id;
            let oldest = match &page.value.oversized {
                Some(event) => Some(self.set_aside(event, query.until).await?),
                None => self.store_missing(&page.value.events).await?,
            };
            if !page.value.more {
                return Ok(());
            }
            let oldest = oldest.ok_or(ReconcileError::NotAnEvent)?;
            let unfinished = Some(TimeWindow { down_to: oldest.created, ..window });
            after = Some(oldest.id);
            let progress = ReconcileProgress { unfinished, ..compared_until(compared) };
            deps.registry.store_reconcile_progress(self.account, &progress).await?;
            if deadline.has_passed() {
                self.report.more = true;
                return Ok(());
            }
        }
    }

    /// Stores what is wanted and missing. Returns the last event, which is the oldest.
    async fn store_missing(&mut self, listed: &[Box<RawValue>]) -> Result<Option<PageEnd>, AccountError> {
        let RunContext { deps, now, .. } = self.context;
        let bodies: Vec<_> = listed.iter().map(|raw| with_account(raw.get(), self.account)).collect();
        self.report.looked_at += u64::try_from(listed.len()).unwrap_or(0);
        let compared = self.before.map(|before| before.until);
        let row = |body: &Cow<'_, str>| self.wanted.row(body, self.account, compared, now);
        let wanted: Vec<Option<(LedgerRow, Vec<&EndpointRow>)>> =
            bodies.iter().map(row).collect::<Result<_, _>>()?;
        let rows: Vec<&LedgerRow> = wanted.iter().flatten().map(|(row, _)| row).collect();
        let known = deps.ledger.rows(rows.iter().map(|row| &row.id), now).await?;
        for (raw, wanted) in listed.iter().zip(&wanted) {
            if let Some((row, endpoints)) = wanted {
                self.report_arrival(row, endpoints, known.get(&row.id));
                self.report_undelivered(raw, row, endpoints, known.get(&row.id));
            }
        }
        for row in rows.into_iter().filter(|row| !known.contains_key(&row.id)) {
            // A delivery may store it first; then this is a duplicate.
            if deps.ledger.record(row).await? == Recorded::New {
                self.report.filled += 1;
            }
        }
        Ok(listed.last().and_then(|raw| serde_json::from_str(raw.get()).ok()))
    }

    /// Counts how an event came to the endpoints that want it, once: windows overlap. Of two endpoints that
    /// want one event it is known only which brought it first. What was made while Stripe did not send to an
    /// endpoint is not counted for it.
    fn report_arrival(&mut self, row: &LedgerRow, endpoints: &[&EndpointRow], known: Option<&LedgerRow>) {
        let (Some(created), Some(event_type)) = (row.created, &row.event_type) else { return };
        if self.before.is_some_and(|before| created <= before.until) {
            return;
        }
        let delivered_to = known.filter(|known| known.source.is_none()).map(|known| known.endpoint.as_str());
        for endpoint in endpoints {
            let tried_from = endpoint.subscribed_since + CHANGE_TAKES_EFFECT_WITHIN;
            let counts = delivered_to.is_none_or(|name| name == endpoint.name.as_str());
            if counts && UnixMillis::from(created) >= tried_from {
                let all = self.report.arrivals.entry(endpoint.name.to_string()).or_default();
                all.count(event_type, delivered_to.is_some(), created);
            }
        }
    }

    /// Sets aside an event that is too large to be read, made at `listed_until` at the latest. Returns its
    /// place.
    async fn set_aside(
        &mut self,
        event: &OversizedItem,
        listed_until: UnixSeconds,
    ) -> Result<PageEnd, AccountError> {
        let RunContext { deps, now, .. } = self.context;
        self.report.looked_at += 1;
        let id: EventId = event.id.parse().map_err(|_| ReconcileError::NotAnEvent)?;
        let row = self.wanted.oversized_row(id, self.account, now)?;
        if deps.ledger.record(&row).await? == Recorded::New {
            self.report.filled += 1;
        }
        Ok(PageEnd { id: event.id.clone(), created: event.created.unwrap_or(listed_until) })
    }

    /// Reports an event of the last day that Stripe could not deliver to endpoints that want it: its
    /// `pending_webhooks` says how many have not taken it yet. An event that was made while an endpoint was
    /// disabled or wanted other types does not count for that endpoint: Stripe never tried.
    fn report_undelivered(
        &mut self,
        raw: &RawValue,
        row: &LedgerRow,
        endpoints: &[&EndpointRow],
        known: Option<&LedgerRow>,
    ) {
        #[derive(Deserialize)]
        struct PendingWebhooks {
            #[serde(default)]
            pending_webhooks: Option<u64>,
        }
        let pending = serde_json::from_str(raw.get()).ok();
        let pending = pending.and_then(|PendingWebhooks { pending_webhooks }| pending_webhooks);
        let Some(created) = row.created.filter(|_| pending.is_some_and(|pending| pending > 0)) else {
            return;
        };
        if created < UnixSeconds::from(self.context.now) - COUNTS_FOR {
            return;
        }
        for endpoint in endpoints {
            let tried_from = endpoint.subscribed_since + CHANGE_TAKES_EFFECT_WITHIN;
            // If it was delivered to this one, it is another endpoint of the account that has not taken it.
            let was_delivered =
                known.is_some_and(|known| known.source.is_none() && known.endpoint == endpoint.name.as_str());
            if UnixMillis::from(created) >= tried_from && !was_delivered {
                let missed = Undelivered { newest: created, count: 1 };
                add_undelivered(&mut self.report, endpoint.name.to_string(), missed);
            }
        }
    }
}

/// Adds events that Stripe could not deliver to the endpoint of this name.
pub(super) fn add_undelivered(report: &mut GapReport, name: String, missed: Undelivered) {
    let all = report.undelivered.entry(name).or_default();
    *all = Undelivered { newest: all.newest.max(missed.newest), count: all.count + missed.count };
}

/// The progress of an account of which everything up to then was compared.
pub(super) fn compared_until(until: UnixSeconds) -> ReconcileProgress {
    ReconcileProgress { until, unfinished: None, failed: false, refused_at: None }
}

/// The last event of a page.
#[derive(Deserialize)]
struct PageEnd {
    id: String,
    created: UnixSeconds,
}
