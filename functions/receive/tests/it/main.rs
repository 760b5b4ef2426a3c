//! What `receive` promises, against a real DynamoDB and the real SDKs.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod costs;
mod counting;
mod deliveries;
mod outages;
mod refusals;
mod support;
