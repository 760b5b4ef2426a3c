//! `?at=`: records as they were at the end of a second, derived from the ledger's events up to then by the
//! same rules of order as the records themselves (`shared::order`). Nothing is written or kept for it.
//!
//! What is known of a state that has passed:
//! - a record that shows a second up to then is the answer itself: nothing has changed it since;
//! - of one that changed later, its events of up to then say it, as far as the ledger holds all of them
//!   ([`PointInTime::known_since`]);
//! - what was made later was not there.
//!
//! The rule: nothing is guessed. What no event tells, because it was imported, is erased or older than the
//! ledger, is said to be unknown, with the reason. An event counts once it is applied, as in the records;
//! what waits, is dead, set aside or ignored changed no record, and so counts for no time.

mod get;
mod list;
mod past_payment;
mod state;
mod view;

use jiff::Timestamp;
use shared::aws::StoreError;
use shared::http::{ApiError, Query};
use shared::unix_time::UnixSeconds;

pub(crate) use self::get::get;
pub(crate) use self::list::list;
use crate::deps::Deps;

/// The second that is asked for, and how far back the ledger can say what was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PointInTime {
    second: UnixSeconds,
    /// From here on the ledger holds every event that came.
    known_since: UnixSeconds,
    now: Timestamp,
}

impl PointInTime {
    /// Reads `at`; none if it is not there.
    ///
    /// # Errors
    /// 400 for what is no whole second up to now; 503 if the settings cannot be read.
    pub(crate) async fn read(deps: &Deps, query: &Query, now: Timestamp) -> Result<Option<Self>, ApiError> {
        let Some(second) = second(query, now)? else { return Ok(None) };
        let known_since = known_since(deps, now).await?;
        Ok(Some(Self { second, known_since, now }))
    }

    /// Whether the second is before all that the ledger surely holds.
    fn is_before_ledger(&self) -> bool {
        self.second < self.known_since
    }

    /// Whether the second is the present one.
    fn is_present(&self) -> bool {
        self.second >= UnixSeconds::from(self.now)
    }
}

fn second(query: &Query, now: Timestamp) -> Result<Option<UnixSeconds>, ApiError> {
    let Some(at) = query.time("at")? else { return Ok(None) };
    let second = UnixSeconds::from(at);
    if at.subsec_nanosecond() != 0 {
        let whole = second.to_timestamp().unwrap_or_default();
        return Err(ApiError::invalid(
            "at",
            "`at` has a fraction of a second, and Stripe's events have none",
        )
        .remedy(format!("give a whole second, such as {whole}")));
    }
    if second > UnixSeconds::from(now) {
        let present = UnixSeconds::from(now).to_timestamp().unwrap_or_default();
        return Err(ApiError::invalid("at", "`at` is in the future")
            .remedy(format!("give a time up to now, {present}, or leave `at` out for what is now")));
    }
    Ok(Some(second))
}

/// The ledger holds every event since the stack had its first Stripe key, as far as they have not expired.
async fn known_since(deps: &Deps, now: Timestamp) -> Result<UnixSeconds, StoreError> {
    let held_since = deps.retention.whole_since(now);
    let settings = deps.registry.settings().await?;
    Ok(held_since.max(settings.map_or(now, |settings| settings.since()).into()))
}
