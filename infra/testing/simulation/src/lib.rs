//! A simulation of the whole: every event is applied once and in the right order, whatever fails on the way.
//!
//! Under test are the real `receive` and `process`, on a real DynamoDB, with a simulated Stripe to fetch
//! from. Events arrive in any order and repeatedly, through doorbell and sweep, in batches of any size; calls
//! to AWS fail, also after they were done; indexes lag behind; processes are killed between any two calls. In
//! the end each event has one row in a final state, and each record equals the object at Stripe.
//!
//! # Layout
//!
//! | part | what it holds |
//! |---|---|
//! | `history` | the events that Stripe sends about an object over its life, a pure function of a plan |
//! | `strategies` | the plans and scenarios that are drawn |
//! | `environment` | the cloud, Stripe, the clock |
//! | `workers` | processes of `receive` and `process` that can be killed |
//! | `scenario` | one scenario, step by step: for property tests |
//! | `run` | very many events at once: for `make prove` |
//! | `oracle` | what must hold in the end |

mod environment;
pub mod history;
mod oracle;
mod run;
mod scenario;
mod strategies;
mod workers;

pub use environment::{Environment, START};
pub use oracle::{Findings, verify};
pub use run::{Statistics, Workload, histories, run};
pub use scenario::{FaultPlan, Scenario, drain, run_scenario};
pub use strategies::{busy_second_plans, history_plans, same_second_plans, sample, scenarios};
pub use workers::{Invocation, ProcessWorker, ReceiveWorker};
