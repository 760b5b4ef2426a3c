//! What `replay` promises, against a real DynamoDB and the real SDK.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod access;
mod bulk;
mod samples;
mod single;
mod support;
