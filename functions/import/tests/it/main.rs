//! What `import` promises.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod balances;
mod costs;
mod drift;
mod imports;
mod kind_lists;
mod order;
mod outages;
mod payouts;
mod recheck;
mod requests;
mod support;
mod unanswered;
mod whole;
