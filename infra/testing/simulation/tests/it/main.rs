//! The simulation: on drawn histories (which are tested themselves) and scenarios, on regressions, on an
//! outage, on events that always fail, and on a small workload.

// Always true here; it lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod any_order;
mod histories;
mod order_laws;
mod outage;
mod past_states;
mod payouts;
mod poison;
mod regressions;
mod roles;
mod small_run;
