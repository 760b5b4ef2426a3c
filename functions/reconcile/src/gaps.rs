//! Closes gaps: what Stripe made, an endpoint of ours wants, and the ledger lacks.
//!
//! ReconcileProgress by `created`, never from an event id that may be gone, over stretches that overlap; ids tell what is here. Events of
//! the last minutes are left alone: they are on their way. Stripe lists the newest first, so a stretch is done from its end, and
//! how far it is done is kept after each page: a run that ends, or dies, leaves the rest to the next.
//!
//! ```text
//!  compared until ──15 min──┤                    down_to ◄── done ── end          now ── 5 min
//!  ─────────────────────────┼──── not yet ─────────┼────────────────┼──── next ────┤
//! ```

mod wanted;

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::endpoint::EndpointRow;
use shared::health::{GapReport, StripeView, Undelivered};
use shared::ledger::{LedgerRow, Recorded};
use shared::registry::{ReconcileProgress, TimeWindow};
use shared::stripe::{EventsQuery, Session, StripeError};
use tokio::time::Instant;

use self::wanted::{Wanted, of_account};
use crate::{Deps, ReconcileError};

const A_DAY: i64 = 86_400;
/// Connected accounts that are named.
const NAMED: usize = 10;
/// Stretches overlap by this, for events that Stripe lists late.
const OVERLAP: i64 = 15 * 60;
/// As far back as Stripe lists.
pub(crate) const LISTED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why comparing stopped before its end.
enum Stopped {
    /// Stripe did not answer: that is something seen, and no error of the run.
    Stripe(StripeError),
    Broken(ReconcileError),
}

impl From<StripeError> for Stopped {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

impl<E: Into<ReconcileError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// Closes the gaps of our own account and of each connected one, as far as the time goes: the one that is furthest behind first, so
/// that none is left out for ever. `end` is the last second to compare.
pub(crate) async fn close(
    deps: &Deps,
    session: &Session<'_>,
    rows: &[EndpointRow],
    since: Option<Timestamp>,
    until: Instant,
    now: Timestamp,
    end: i64,
) -> Result<StripeView<GapReport>, ReconcileError> {
    let wanted = Wanted::by(rows);
    let kept = deps.registry.reconcile_progress().await?;
    let mut accounts: Vec<Option<String>> = Vec::new();
    if wanted.any(true) {
        accounts.extend(deps.registry.accounts().await?.into_iter().map(Some));
    }
    let of = |account: &Option<String>| kept.get(account.as_deref().unwrap_or("-")).copied();
    accounts.sort_by_key(|account| of(account).map(|compared| (compared.failed, compared.until)));
    if wanted.any(false) {
        accounts.insert(0, None);
    }
    if accounts.is_empty() {
        // Nothing to compare, but whether it could be is worth knowing.
        return Ok(session.try_reading_events().await.map_or_else(Into::into, |()| StripeView::NotAsked));
    }
    let mut all = GapReport { until: end, ..GapReport::default() };
    let mut request_id = None;
    for account in &accounts {
        let compared = of(account);
        if Instant::now() >= until && request_id.is_some() {
            all.more = true;
            all.until = all.until.min(compared.map_or(0, |compared| compared.until));
            continue;
        }
        let mut work = Work {
            deps,
            session,
            wanted: &wanted,
            account: account.as_deref(),
            before: compared.map(|compared| compared.until),
            until,
            now,
            end,
            gaps: GapReport::default(),
            request_id: None,
        };
        let done = work.account(compared, since).await;
        request_id = work.request_id.or(request_id);
        all.looked_at += work.gaps.looked_at;
        all.filled += work.gaps.filled;
        for (name, more) in work.gaps.undelivered {
            let one = all.undelivered.entry(name).or_default();
            *one = Undelivered { newest: one.newest.max(more.newest), count: one.count + more.count };
        }
        all.more |= work.gaps.more;
        match (done, account) {
            (Ok(()), _) => all.until = all.until.min(work.gaps.until),
            (Err(Stopped::Broken(error)), _) => return Err(error),
            (Err(Stopped::Stripe(error @ StripeError::Unauthorized(_))), _)
            | (Err(Stopped::Stripe(error)), None) => {
                return Ok(error.into());
            }
            // One that has left the platform, or that Stripe does not answer for, must not stop the others.
            (Err(Stopped::Stripe(error)), Some(account)) => {
                let compared = compared.unwrap_or(ReconcileProgress {
                    until: wanted.since(true).unwrap_or(end),
                    unfinished: None,
                    failed: false,
                    refused_at: None,
                });
                let failed = !is_about_the_account(&error);
                let list = if failed { &mut all.unanswered } else { &mut all.refused };
                if list.len() < NAMED {
                    list.push(account.clone());
                }
                if failed {
                    all.until = all.until.min(compared.until);
                }
                // A page of it may be done, and kept.
                let known =
                    deps.registry.reconcile_progress().await?.get(account).copied().unwrap_or(compared);
                let noted = ReconcileProgress { failed, refused_at: (!failed).then_some(end), ..known };
                deps.registry.store_reconcile_progress(Some(account), &noted).await?;
            }
        }
    }
    Ok(StripeView::Answered { value: all, request_id })
}

/// Stripe's answer for a connected account that is none any more, or that the key may not act for.
fn is_about_the_account(error: &StripeError) -> bool {
    match error {
        StripeError::Forbidden(_) => true,
        StripeError::Refused(failure) => !failure.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => {
            false
        }
    }
}

/// Comparing one account.
struct Work<'a> {
    deps: &'a Deps,
    session: &'a Session<'a>,
    wanted: &'a Wanted<'a>,
    account: Option<&'a str>,
    /// Up to when it had been compared before this run.
    before: Option<i64>,
    until: Instant,
    now: Timestamp,
    end: i64,
    gaps: GapReport,
    request_id: Option<String>,
}

impl Work<'_> {
    async fn account(
        &mut self,
        kept: Option<ReconcileProgress>,
        since: Option<Timestamp>,
    ) -> Result<(), Stopped> {
        let registry = &self.deps.registry;
        let Some(registered) = self.wanted.since(self.account.is_some()) else { return Ok(()) };
        let mut compared = kept.unwrap_or(ReconcileProgress {
            until: registered,
            unfinished: None,
            failed: false,
            refused_at: None,
        });
        // Nothing beyond the end can have been compared: a clock was ahead then. And each run looks at something, so that what it
        // tells of the key is of now.
        compared.until = compared.until.min(self.end - 1);
        if let Some(since) = since.map(Timestamp::as_second).filter(|since| *since < compared.until) {
            compared = ReconcileProgress { until: since, unfinished: None, failed: false, refused_at: None };
        }
        // What the last run left, and then what has come since.
        while let Some(stretch) = self.next(&compared) {
            self.stretch(compared.until, stretch).await?;
            if self.gaps.more {
                break;
            }
            compared =
                ReconcileProgress { until: stretch.end, unfinished: None, failed: false, refused_at: None };
            registry.store_reconcile_progress(self.account, &compared).await?;
        }
        self.gaps.until = compared.until;
        Ok(())
    }

    /// The stretch to do now: the one that is unfinished, or what has come since.
    fn next(&self, compared: &ReconcileProgress) -> Option<TimeWindow> {
        let end = self.end;
        compared.unfinished.or_else(|| (compared.until < end).then_some(TimeWindow { end, down_to: end }))
    }

    /// Works through a stretch, page by page, from its end down to `compared`.
    async fn stretch(&mut self, compared: i64, stretch: TimeWindow) -> Result<(), Stopped> {
        let listed = (self.now - LISTED_FOR).as_second();
        let from = (compared - OVERLAP).max(listed);
        if stretch.down_to < from {
            return Ok(());
        }
        // Within a run the place is exact; the next run begins again at the second where this one ended.
        let mut after: Option<String> = None;
        loop {
            let until = stretch.down_to;
            let wanted = EventsQuery { from, until, after: after.as_deref(), account: self.account };
            let page = self.session.events(wanted).await?;
            self.request_id = page.request_id;
            let oldest = self.fill(&page.value.events).await?;
            if !page.value.more {
                return Ok(());
            }
            let oldest = oldest.ok_or(ReconcileError::Listed)?;
            let unfinished = Some(TimeWindow { down_to: oldest.created, ..stretch });
            after = Some(oldest.id);
            let kept = ReconcileProgress { until: compared, unfinished, failed: false, refused_at: None };
            self.deps.registry.store_reconcile_progress(self.account, &kept).await?;
            if Instant::now() >= self.until {
                self.gaps.more = true;
                return Ok(());
            }
        }
    }

    /// Stores what is wanted and missing. Gives the last event, which is the oldest.
    async fn fill(&mut self, listed: &[Box<RawValue>]) -> Result<Option<Place>, Stopped> {
        let bodies: Vec<_> = listed.iter().map(|raw| of_account(raw.get(), self.account)).collect();
        self.gaps.looked_at += u64::try_from(listed.len()).unwrap_or(0);
        let row = |body: &Cow<'_, str>| self.wanted.row(body, self.account, self.before, self.now);
        let wanted: Vec<Option<(LedgerRow, Vec<&EndpointRow>)>> =
            bodies.iter().map(row).collect::<Result<_, _>>()?;
        let rows: Vec<&LedgerRow> = wanted.iter().flatten().map(|(row, _)| row).collect();
        let known = self.deps.ledger.rows(rows.iter().map(|row| &row.id), self.now).await?;
        for (raw, wanted) in listed.iter().zip(&wanted) {
            if let Some((row, endpoints)) = wanted {
                self.note_undelivered(raw, row, endpoints, known.get(&row.id));
            }
        }
        for row in rows.into_iter().filter(|row| !known.contains_key(&row.id)) {
            // A delivery that comes at this moment may be first; then this is its duplicate.
            if self.deps.ledger.record(row).await? == Recorded::New {
                self.gaps.filled += 1;
            }
        }
        Ok(listed.last().and_then(|raw| serde_json::from_str(raw.get()).ok()))
    }
}

/// How long after a change of an endpoint, in milliseconds, its first events may still go the old way.
const SETTLING: i64 = 30_000;

impl Work<'_> {
    /// Stripe tells of an event how many endpoints have not taken it yet. Made while one was disabled or wanted other types, it counts
    /// for none: Stripe never tried.
    fn note_undelivered(
        &mut self,
        raw: &RawValue,
        row: &LedgerRow,
        endpoints: &[&EndpointRow],
        known: Option<&LedgerRow>,
    ) {
        #[derive(Deserialize)]
        struct Pending {
            #[serde(default)]
            pending_webhooks: Option<u64>,
        }
        let pending =
            serde_json::from_str(raw.get()).ok().and_then(|Pending { pending_webhooks }| pending_webhooks);
        let Some(created) = row.created.filter(|_| pending.is_some_and(|pending| pending > 0)) else {
            return;
        };
        let lately = created >= self.now.as_second() - A_DAY;
        for endpoint in
            endpoints.iter().filter(|row| lately && created * 1_000 >= row.subscribed_since + SETTLING)
        {
            // Then it is another endpoint of the account that has not taken it.
            if known.is_some_and(|known| known.source.is_none() && known.endpoint == endpoint.name.as_str()) {
                continue;
            }
            let one = self.gaps.undelivered.entry(endpoint.name.to_string()).or_default();
            *one = Undelivered { newest: one.newest.max(created), count: one.count + 1 };
        }
    }
}

/// Where a page ends.
#[derive(Deserialize)]
struct Place {
    id: String,
    created: i64,
}
