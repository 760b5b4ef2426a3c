//! What `receive` promises, against a real DynamoDB and the real SDKs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has to fail")]

mod costs;
mod deliveries;
mod outages;
mod refusals;
mod support;
