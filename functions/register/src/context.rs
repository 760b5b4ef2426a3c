//! What each step of one invocation is given: the clients, the time of day, and the calls to Stripe.

use std::time::Duration;

use jiff::Timestamp;
use shared::deadline::Deadline;
use shared::stripe::Session;

use crate::deps::Deps;
use crate::error::RegisterError;

/// One invocation: a request, or a run of the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestContext<'a> {
    pub(crate) deps: &'a Deps,
    /// The time of day.
    pub(crate) now: Timestamp,
    /// When all ends.
    deadline: Deadline,
    /// When calls to Stripe end.
    pub(crate) stripe_deadline: Deadline,
    /// Whether the schedule began it. Nobody reads its answer, so what it gives up is kept for the status.
    pub(crate) is_scheduled: bool,
}

/// An invocation that may call Stripe with the stack's key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StripeContext<'a> {
    pub(crate) request: RequestContext<'a>,
    pub(crate) session: &'a Session<'a>,
}

impl<'a> RequestContext<'a> {
    /// A request that begins now. A quarter of its time is left for what follows Stripe's last answer.
    pub(crate) fn new(deps: &'a Deps, now: Timestamp, deadline: Deadline) -> Self {
        Self { deps, now, deadline, stripe_deadline: deadline.fraction(3, 4), is_scheduled: false }
    }

    /// A run of the schedule that begins now.
    pub(crate) fn scheduled(deps: &'a Deps, now: Timestamp, deadline: Deadline) -> Self {
        Self { is_scheduled: true, ..Self::new(deps, now, deadline) }
    }

    /// Calls to Stripe with the stack's key.
    pub(crate) async fn stripe_session(self) -> Result<Session<'a>, RegisterError> {
        let settings = self.deps.registry.settings().await?.ok_or(RegisterError::StripeKeyMissing)?;
        let session = self.deps.stripe.session(settings.stripe_key_set_at, self.stripe_deadline).await?;
        session.ok_or(RegisterError::StripeKeyMissing)
    }

    /// This invocation, with these calls to Stripe.
    pub(crate) fn with_session<'b>(self, session: &'b Session<'b>) -> StripeContext<'b>
    where
        'a: 'b,
    {
        StripeContext { request: self, session }
    }

    /// Until when work may go on that the answer can do without.
    pub(crate) fn optional_work_deadline(self) -> Deadline {
        self.deadline.earlier_by(Duration::from_secs(1))
    }

    /// Gives work up when its time is over. That is the same as a crash at that point, which every step
    /// allows for.
    pub(crate) async fn in_time<T>(
        self,
        work: impl Future<Output = Result<T, RegisterError>>,
    ) -> Result<T, RegisterError> {
        self.deadline.bound(Box::pin(work)).await.unwrap_or(Err(RegisterError::TimedOut))
    }
}
