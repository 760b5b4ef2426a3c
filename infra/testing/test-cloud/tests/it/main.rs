//! That the test cloud is as unkind as it says.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod cloud;
