//! A small Stripe for tests and for the local stack.
//!
//! It answers the part of Stripe's API that a webhook manager uses, delivers signed events with Stripe's habits, and
//! can be told to fail as Stripe and networks fail. It exists because what matters about Stripe cannot be had on
//! demand from the real one: a retry after an hour, a 500 after the effect, an event that was never sent.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use simulated_stripe::{Emit, Fault, Options, SimulatedStripe};
//!
//! let stripe = SimulatedStripe::start(Options::for_tests())?;
//! let endpoint = stripe.add_endpoint("http://127.0.0.1:8080/webhooks/main", &["*"]);
//! stripe.emit("customer.created")?;
//! stripe.emit(Emit::change("customer.updated", "cus_SynCustomer0001").set("email", "new@example.com"))?;
//! let attempts = stripe.deliver_due().await; // posted to the endpoint, signed with its secret
//! stripe.advance(600); // what failed is due again
//! stripe.fault(Fault::status(500).on("POST", "/v1/webhook_endpoints").after());
//! # drop((endpoint, attempts)); Ok(()) }
//! ```
//!
//! # Layout
//!
//! | part | what it knows |
//! |---|---|
//! | `world` | everything, under one lock, and the clock |
//! | `api` | a call and its answer: keys, idempotency, pages, one file a resource |
//! | `deliveries` | who gets which event, when again, and the posting |
//! | `emit`, `story`, `samples` | how events come to be |
//! | `history` | what Stripe tells of an object's life, drawn and pure; of the server it knows nothing |
//! | `faults` | what goes wrong on command |
//! | `commands`, `handle`, `control` | what can be commanded, from Rust and over HTTP |
//! | `server` | HTTP, and connections that can be cut |
//!
//! # Invariants
//!
//! - Where Stripe publishes no number (retry times, the receiver's time limit) one is chosen here; nothing should rely
//!   on it.
//! - Time is the simulated clock's, except for how long a receiver may take and how long a delay lasts.
//! - Secrets are shown to whoever asks: none of them opens anything.

mod api;
mod clock;
mod commands;
mod control;
mod deliveries;
mod emit;
mod events;
mod faults;
mod handle;
pub mod history;
mod ids;
mod objects;
mod options;
mod requests;
mod samples;
mod server;
mod signature;
mod story;
mod world;

pub use api::webhook_endpoints::Endpoint;
pub use commands::{EndpointChange, NotFound};
pub use deliveries::{Attempt, Habits};
pub use emit::{Emit, EmitError, Fate};
pub use faults::{Answer, Effect, Fault, When};
pub use handle::SimulatedStripe;
pub use options::{Key, Mode, Options};
pub use requests::RequestSeen;
pub use signature::sign;
pub use story::Story;
