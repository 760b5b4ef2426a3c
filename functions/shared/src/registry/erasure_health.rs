//! What is wrong with erasures of personal data: somebody waits for them, and often the law does.

use jiff::{SignedDuration, Timestamp};

use super::{ErasureJob, ErasureState, Registry};
use crate::aws::StoreError;
use crate::health::{ErasureHealth, ErasureTrouble, StuckErasure};
use crate::unix_time::UnixMillis;

/// Each minute a run goes on with what is due, for three minutes; many can be due at once.
const GOES_ON_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// What the program tries again is applied by then, or an admin has to look at it.
const WAITS_AT_MOST: SignedDuration = SignedDuration::from_hours(24);
/// So many are named.
const NAMED: usize = 10;
/// The gravest first.
const TROUBLES: [ErasureTrouble; 4] = [
    ErasureTrouble::Overdue,
    ErasureTrouble::Stopped,
    ErasureTrouble::WaitsForAdmin,
    ErasureTrouble::WaitsForLong,
];

impl Registry {
    /// How the erasures are. It reads them all.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn erasure_health(&self, now: Timestamp) -> Result<ErasureHealth, StoreError> {
        Ok(ErasureJob::health(&self.erasures().await?, now))
    }
}

impl ErasureJob {
    /// How these erasures are.
    pub fn health(jobs: &[Self], now: Timestamp) -> ErasureHealth {
        let count =
            |state| u64::try_from(jobs.iter().filter(|job| job.state == state).count()).unwrap_or(u64::MAX);
        let has = |trouble| move |job: &&Self| job.has(trouble, now.into());
        let trouble = TROUBLES.into_iter().find(|trouble| jobs.iter().any(|job| has(*trouble)(&job)));
        let first = trouble.map(|trouble| jobs.iter().filter(has(trouble)).take(NAMED).map(Self::as_stuck));
        ErasureHealth {
            running: count(ErasureState::Running),
            finished: count(ErasureState::Finished),
            stopped: count(ErasureState::Stopped),
            trouble,
            first: first.into_iter().flatten().collect(),
        }
    }

    fn has(&self, trouble: ErasureTrouble, now: UnixMillis) -> bool {
        match trouble {
            ErasureTrouble::Overdue => now - self.due_at.max(self.moved_at) > GOES_ON_WITHIN,
            ErasureTrouble::Stopped => self.state == ErasureState::Stopped,
            ErasureTrouble::WaitsForAdmin => self.waits_for_admin(),
            ErasureTrouble::WaitsForLong => {
                let waits_for = self.waiting_since.map(|since| now - since);
                self.state == ErasureState::Running
                    && waits_for.is_some_and(|waits_for| waits_for > WAITS_AT_MOST)
            }
        }
    }

    fn as_stuck(&self) -> StuckErasure {
        StuckErasure {
            customer: self.customer.clone(),
            asked_at: self.asked_at,
            moved_at: self.moved_at,
            due_at: self.due_at,
            waiting: self.waiting.first.clone(),
            waiting_since: self.waiting_since,
        }
    }
}
