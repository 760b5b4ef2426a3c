//! The domain types and the adapters that two or more functions use.
//!
//! The map: a module uses only modules above it. Domain types are pure: they know nothing of AWS, HTTP or
//! Stripe's client. Each adapter owns one outside thing and is the only one to name its SDK.
//! `infra/testing/repo-checks` reads this map and holds the sources to it.
//!
//! # Domain types
//!
//! - `unix_time`: seconds and milliseconds of Unix time, each a type
//! - `lossy_json`: JSON that is not all Unicode, read
//! - `account`: our own Stripe account, or a connected one, in keys
//! - `mode`: test or live
//! - `kind`: the kinds of object that are kept as records, a row of a table each
//! - `event_type`: Stripe's event types, which are applied, and patterns of them
//! - `object_key`: names one object at Stripe
//! - `event`: Stripe's event, parsed
//! - `erasure`: what is left of an object once the person is erased from it
//! - `secret`: signing secrets and Stripe keys, never printed
//! - `signature`: the `Stripe-Signature` header, checked and made
//! - `endpoint`: a webhook endpoint's name, state and row
//! - `payload`: Stripe's bytes, packed
//! - `page`: limits and cursors of lists
//! - `order`: which of an object's snapshots is the present one
//! - `retry`: the schedule by which a failed event is tried again
//! - `public_host`: hosts that can be on the public internet
//!
//! # Adapters
//!
//! - `env`: environment variables, parsed
//! - `log`: the log, as JSON lines
//! - `deadline`: until when a piece of work may go on
//! - `metrics`: CloudWatch metrics, as log lines
//! - `aws`: clients of AWS with bounded calls, and their errors
//! - `batch_get`: `BatchGetItem`, whole
//! - `query`: the first items of a `Query`, page by page
//! - `secret_store`: Secrets Manager
//! - `stripe`: Stripe's API
//! - `http`: requests and answers of API Gateway
//! - `access`: who calls, and with which role
//! - `ledger`: the table of events
//! - `event_view`: events as the API shows and filters them
//! - `records`: the table of records
//! - `probe`: a signed request through an endpoint's public address
//! - `health`: what the status knows of Stripe, secrets and waiting events
//! - `registry`: the table of endpoints, settings and progress
//! - `audit`: the table of who did what

pub mod access;
pub mod account;
pub mod audit;
pub mod aws;
mod batch_get;
pub mod deadline;
pub mod endpoint;
pub mod env;
pub mod erasure;
pub mod event;
pub mod event_type;
pub mod event_view;
pub mod health;
pub mod http;
pub mod kind;
pub mod ledger;
pub mod log;
pub mod lossy_json;
pub mod metrics;
pub mod mode;
pub mod object_key;
pub mod order;
pub mod page;
pub mod payload;
pub mod probe;
pub mod public_host;
mod query;
pub mod records;
pub mod registry;
pub mod retry;
pub mod secret;
pub mod secret_store;
pub mod signature;
pub mod stripe;
pub mod unix_time;
