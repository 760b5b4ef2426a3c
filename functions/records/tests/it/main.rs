//! What `records` promises, against a real DynamoDB and the real SDK.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod audit;
mod batches;
mod charges_alone;
mod chosen_ids;
mod customers;
mod events;
mod invoices;
mod kinds;
mod long_lists;
mod past;
mod payments;
mod payouts;
mod reading;
mod references;
mod refusals;
mod searching;
mod shapes;
mod size;
mod support;
