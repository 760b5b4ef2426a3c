//! The health of the stack beyond its own rows: what Stripe says, whether secrets are there, which events
//! wait.
//!
//! Reconciliation gathers it every few minutes (`gather`) and keeps it in the registry as a snapshot
//! (`snapshot`), so that the status answers from a read or two, whatever the size; `GET /status?live=true`
//! gathers it anew. What could not be read is unknown, never left as it was.

mod arrivals;
mod erasures;
mod gather;
mod payouts;
mod snapshot;

pub use self::arrivals::{Arrivals, Arrived, RunArrivals, TypeArrivals};
pub use self::erasures::{ErasureHealth, ErasureTrouble, StuckErasure};
pub use self::gather::{endpoints, open_events, secrets};
pub use self::payouts::{PayoutHealth, PayoutInTrouble, payouts};
pub use self::snapshot::{
    CommonReason, GapReport, HealthSnapshot, OpenEvents, OwnStack, SecretPresence, StripeView, Undelivered,
    is_still_missed, newest_missed,
};
