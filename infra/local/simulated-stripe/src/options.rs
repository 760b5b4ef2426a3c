//! The configuration of a simulated Stripe: its port, keys, mode, account and clock.
//!
//! One value with defaults and short builders, so that a test says only what matters to it. Nothing here is
//! read from the environment; the binary does that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The account's mode. It decides `livemode` and the schedule of retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Three retries over a few hours; any http address may be an endpoint.
    Test,
    /// Retries for three days; endpoints need https, except on the loopback address.
    Live,
}

impl Mode {
    pub(crate) fn is_live(self) -> bool {
        self == Self::Live
    }
}

/// An API key and its rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key itself, such as `sk_test_…` or `rk_test_…`.
    pub secret: String,
    /// The rights of a restricted key, as `<resource>:read` or `<resource>:write` (write includes read), the
    /// resource being the word after `/v1/` in the path. `None` is a key that may do everything.
    #[serde(default)]
    pub rights: Option<Vec<String>>,
}

impl Key {
    /// Returns a key that may do everything.
    pub fn full(secret: &str) -> Self {
        Self { secret: secret.to_owned(), rights: None }
    }

    /// Returns a restricted key: `Key::restricted("rk_test_1", &["events:read", "webhook_endpoints:write"])`.
    pub fn restricted(secret: &str, rights: &[&str]) -> Self {
        let rights = rights.iter().map(|right| (*right).to_owned()).collect();
        Self { secret: secret.to_owned(), rights: Some(rights) }
    }
}

/// The configuration of a simulated Stripe.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The valid keys.
    pub keys: Vec<Key>,
    /// Test or live.
    pub mode: Mode,
    /// The id of our own account.
    pub account: String,
    /// The account's default API version: that of events, and of answers to calls that name none.
    pub api_version: String,
    /// How many webhook endpoints the account may have.
    pub endpoint_limit: usize,
    /// Whether deliveries are sent in the background. If not, only `deliver_due` sends them.
    pub background_delivery: bool,
    /// The time (unix seconds) at which the clock stands until it is moved; `None` follows real time.
    pub clock: Option<i64>,
    /// How many items a page of a list has at most, however many are asked for.
    pub longest_page: usize,
    /// How long a receiver may take to answer. Stripe does not publish its own limit.
    pub delivery_timeout: Duration,
}

impl Default for Options {
    /// What the local stack uses: a test account in real time that delivers in the background.
    fn default() -> Self {
        Self {
            port: 0,
            keys: vec![Key::full("sk_test_simulated")],
            mode: Mode::Test,
            account: "acct_1Simulated".to_owned(),
            api_version: "2026-10-28.endive".to_owned(),
            endpoint_limit: 16,
            background_delivery: true,
            clock: None,
            longest_page: 100,
            delivery_timeout: Duration::from_secs(20),
        }
    }
}

impl Options {
    /// What tests use: a free port, and nothing is delivered until `deliver_due` is called.
    pub fn for_tests() -> Self {
        Self { background_delivery: false, ..Self::default() }
    }

    /// Stops the clock at this time (unix seconds), until the handle moves it.
    #[must_use]
    pub fn at(mut self, now: i64) -> Self {
        self.clock = Some(now);
        self
    }

    /// Makes it a live account, with a live key in place of the test key.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.mode = Mode::Live;
        self.keys = vec![Key::full("sk_live_simulated")];
        self
    }

    /// Makes this the only valid key.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys = vec![key];
        self
    }

    /// Sets how many webhook endpoints the account may have.
    #[must_use]
    pub fn endpoint_limit(mut self, limit: usize) -> Self {
        self.endpoint_limit = limit;
        self
    }
}
