//! What `register` promises, against a real DynamoDB, the real SDKs and a simulated Stripe.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod access;
mod changing;
mod crashes;
mod deregistering;
mod kills;
mod looking;
mod outages;
mod refusals;
mod registering;
mod repairing;
mod rotating;
mod rules;
mod samples;
mod settings;
mod stripe_key;
mod support;
mod tending;
