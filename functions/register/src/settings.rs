//! The settings of the stack: how events are treated, and the Stripe key.

pub(crate) mod read;
mod same_account;
pub(crate) mod stripe_key;
pub(crate) mod update;
