//! The laws, tried: on drawn histories (which are tried themselves) and courses, on what once went wrong, on what fails for ever, and on a small large run.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod any_order;
mod histories;
mod named;
mod outage;
mod poison;
mod small_run;
