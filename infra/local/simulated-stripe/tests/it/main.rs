//! What the simulated Stripe promises, one file a kind of promise. Nothing here sleeps: the clock is moved
//! instead.
//!
//! `cfg(test)` is always true here; it lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod control;
mod deliveries;
mod emitting;
mod endpoints;
mod events;
mod faults;
mod idempotency;
mod keys;
mod objects;
mod support;
