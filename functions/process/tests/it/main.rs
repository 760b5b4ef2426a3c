//! What `process` promises, against a real DynamoDB and the real SDK.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod applying;
mod asking;
mod costs;
mod keeping;
mod outages;
mod rules;
mod support;
mod sweeping;
mod telling;
