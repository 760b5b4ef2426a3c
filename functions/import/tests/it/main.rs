//! What `import` promises.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod costs;
mod drift;
mod imports;
mod order;
mod outages;
mod payouts;
mod recheck;
mod requests;
mod support;
mod unanswered;
mod whole;
