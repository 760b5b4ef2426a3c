//! The test cloud's own promises: its indexes lag, and its processes are killed where a test says.

// Always true here; it lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod cloud;
