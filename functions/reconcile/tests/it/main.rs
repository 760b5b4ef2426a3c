//! What `reconcile` promises, against a real DynamoDB, the real SDK and the simulated Stripe.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod gaps;
mod metrics;
mod probes;
mod requests;
mod snapshot;
mod support;
