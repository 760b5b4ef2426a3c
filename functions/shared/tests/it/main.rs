//! What the adapters promise, against the real thing or what stands in for it.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod metrics;
mod shapes;
mod stripe;
