//! What `status` promises, against a real DynamoDB, the real SDKs and a simulated Stripe.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod access;
mod failing_checks;
mod outages;
mod remedies;
mod snapshot;
mod stripe_calls;
mod support;
