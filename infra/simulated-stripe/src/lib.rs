//! A small Stripe for tests and the local stack.
