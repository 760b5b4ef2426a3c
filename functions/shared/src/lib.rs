//! The words and the edges that two or more functions use.
//!
//! Layout, and the rule it keeps: the words (`mode`, `event`, `event_type`, `object_key`, `endpoint`, `address`, `secret`,
//! `signature`, `payload`, `page`, `order`, `retry`) are pure and know nothing of AWS, HTTP or Stripe's client. The edges (`aws`, `batch`, `ledger`, `records`,
//! `registry`, `audit`, `vault`, `stripe`, `probe`, `http`, `access`, `facts`) each own one outside thing and are the only files that name its SDK.
//! `infra/testing/repo-checks` checks it.

pub mod access;
pub mod audit;
pub mod aws;
mod batch_get;
pub mod endpoint;
pub mod env;
pub mod event;
pub mod event_type;
pub mod health;
pub mod http;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod mode;
pub mod object_key;
pub mod order;
pub mod page;
pub mod payload;
pub mod probe;
pub mod public_host;
pub mod records;
pub mod registry;
pub mod retry;
pub mod secret;
pub mod secret_store;
pub mod signature;
pub mod stripe;
