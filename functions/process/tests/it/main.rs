//! What `process` promises, against a real DynamoDB and the real SDK.

// Always true here: it allows the helpers beside the tests to unwrap as well.
#![cfg(test)]

mod applying;
mod costs;
mod metrics;
mod outages;
mod retention;
mod rules;
mod same_second;
mod support;
mod sweeping;
