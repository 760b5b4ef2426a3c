//! The endpoints: one file for each request, and what several of them use.
//!
//! - Requests: `create`, `read`, `update`, `delete`, `rotate`, `repair`, `probe`, `secret`.
//! - Used by them: `row` (the endpoint in the registry), `attempt` (has Stripe create an endpoint, once,
//!   whatever becomes of its answer), `spec` (what an admin asks for), `view` (what the API shows), `tag`
//!   (what marks an endpoint at Stripe as ours), `limit` (Stripe takes no further endpoint).

mod attempt;
pub(crate) mod create;
pub(crate) mod delete;
mod limit;
pub(crate) mod probe;
pub(crate) mod read;
pub(crate) mod repair;
pub(crate) mod rotate;
pub(crate) mod row;
pub(crate) mod secret;
mod spec;
mod tag;
pub(crate) mod update;
mod view;
