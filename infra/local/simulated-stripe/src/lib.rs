//! A small Stripe for tests and for the local stack.
//!
//! It answers the part of Stripe's API that a webhook manager uses, delivers and retries signed events as
//! Stripe does, and can be made to fail as Stripe and networks fail. It exists because what matters about
//! Stripe cannot be had on demand from the real one: a retry after an hour, a 500 after the effect, an event
//! that was never sent.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use simulated_stripe::{NewEvent, Fault, Options, SimulatedStripe};
//!
//! let stripe = SimulatedStripe::start(Options::for_tests())?;
//! let endpoint = stripe.add_endpoint("http://127.0.0.1:8080/webhooks/main", &["*"]);
//! stripe.emit("customer.created")?;
//! stripe.emit(NewEvent::update("customer.updated", "cus_SynCustomer0001").set("email", "new@example.com"))?;
//! let attempts = stripe.deliver_due().await; // posted to the endpoint, signed with its secret
//! stripe.advance(600); // what failed is due again
//! stripe.add_fault(Fault::status(500).on("POST", "/v1/webhook_endpoints").after());
//! # drop((endpoint, attempts)); Ok(()) }
//! ```
//!
//! # Layout
//!
//! | part | what it does |
//! |---|---|
//! | `state`, `clock` | the whole state, under one lock, and the time |
//! | `api` | a call and its answer: keys, idempotency, pages, one file a resource |
//! | `deliveries` | which endpoint gets which event, the schedule of retries, and the sending |
//! | `emit`, `customer_lifecycle`, `samples` | how events are made |
//! | `rendering` | how an object is written, anew each time |
//! | `faults` | what goes wrong on command |
//! | `commands`, `handle`, `control` | the commands, from Rust and over HTTP |
//! | `server` | HTTP, and connections that can be cut |
//!
//! # Invariants
//!
//! - Where Stripe publishes no number (retry times, the receiver's time limit) one is chosen here; nothing
//!   should rely on it.
//! - Time is the simulated clock's, except for how long a receiver may take and how long a delay lasts.
//! - Secrets are shown to whoever asks: none of them opens anything.

mod api;
mod clock;
mod commands;
mod control;
mod customer_lifecycle;
mod deliveries;
mod emit;
mod events;
mod faults;
mod handle;
mod ids;
mod objects;
mod options;
mod rendering;
mod request_log;
mod samples;
mod server;
mod signature;
mod state;

pub use api::webhook_endpoints::Endpoint;
pub use commands::{EndpointChange, NotFound};
pub use customer_lifecycle::CustomerLifecycle;
pub use deliveries::{Attempt, DeliveryBehavior};
pub use emit::{BalanceChange, EventError, Fate, NewEvent};
pub use faults::{Answer, Effect, Fault, When};
pub use handle::SimulatedStripe;
pub use options::{Key, Mode, Options};
pub use request_log::LoggedRequest;
pub use signature::sign;
