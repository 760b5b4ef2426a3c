//! What `console` promises to a browser.

// Always true here; so clippy lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod configuration;
mod files;
mod security;
mod support;
