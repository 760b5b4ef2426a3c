//! What `records` promises, against a real DynamoDB and the real SDK.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod audit;
mod customers;
mod events;
mod payments;
mod reading;
mod refusals;
mod shapes;
mod size;
mod support;
