//! What `receive` promises, against a real DynamoDB and the real SDKs.

// Always true here: it allows the helpers beside the tests to unwrap as well.
#![cfg(test)]

mod costs;
mod deliveries;
mod front_door;
mod metrics;
mod outages;
mod refusals;
mod support;
