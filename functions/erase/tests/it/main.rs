//! What `erase` promises.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod at_stripe;
mod erasing;
mod later;
mod outages;
mod past_states;
mod requests;
mod support;
