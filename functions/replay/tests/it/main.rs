//! What `replay` promises, against a real DynamoDB and the real SDK.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod access;
mod bulk;
mod samples;
mod single;
mod support;
