//! What `register` promises, against a real DynamoDB, the real SDKs and a simulated Stripe.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod access;
mod crashes;
mod deregistering;
mod event_rules;
mod kills;
mod maintenance;
mod outages;
mod refusals;
mod registering;
mod remedies;
mod repairing;
mod rotating;
mod samples;
mod secret_and_probe;
mod settings;
mod states;
mod stripe_key;
mod support;
mod updating;
