//! What `import` promises.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod bringing;
mod comparing;
mod costs;
mod order;
mod outages;
mod requests;
mod settling;
mod support;
mod unanswered;
