//! Stripe's API: the calls that Billhook makes, in its own words.
//!
//! Layout: `base` is where Stripe is, `key` which key is used, `call` one call with its tries, `retry` when
//! to try again, `pace` how fast calls follow each other, `error` what a failure means to the caller, `page`
//! and `page_size` pages of lists however large, `accounts`, `endpoints`, `events`, `lists` and `objects` the
//! calls themselves.
//!
//! Rules: every call has a bound on connecting, on one try, on the number of tries, on the whole and on the
//! size of the answer; no redirect is followed, because the key would go with it; the key is in no error and
//! no log.

mod accounts;
mod base;
mod call;
mod endpoints;
mod error;
mod events;
mod key;
mod lists;
mod objects;
mod pace;
mod page;
mod page_size;
mod retry;

use std::time::Duration;

pub use self::accounts::AccountsPage;
pub use self::base::{ApiBase, InvalidApiBase, is_loopback};
pub(crate) use self::call::http_date;
pub use self::call::{Session, StripeResponse};
pub use self::endpoints::{CreatedEndpoint, NewEndpoint, OwnerTag, WebhookEndpoint};
pub use self::error::{StripeError, StripeFailure};
pub use self::events::{EventsPage, EventsQuery};
pub use self::key::StripeKeys;
pub use self::lists::{ObjectList, ObjectsPage, ObjectsQuery};
pub use self::page::OversizedItem;
use crate::deadline::Deadline;
use crate::secret::StripeKey;
use crate::secret_store::SecretStoreError;
use crate::unix_time::UnixMillis;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Stripe's API, and the stack's key to it.
#[derive(Debug)]
pub struct Stripe {
    http: reqwest::Client,
    base: ApiBase,
    keys: StripeKeys,
}

/// TLS cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("calls to Stripe cannot be set up")]
pub struct TlsError(#[from] reqwest::Error);

impl Stripe {
    /// Prepares calls; makes none.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(base: ApiBase, keys: StripeKeys) -> Result<Self, TlsError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("Billhook/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, base, keys })
    }

    /// Calls with the key of this stack, to be answered before `deadline`. `None`: no key has been set.
    /// `set_at` is when the settings say it was set: a process that holds an earlier one reads it again.
    ///
    /// # Errors
    /// If the key cannot be read.
    pub async fn session(
        &self,
        set_at: UnixMillis,
        deadline: Deadline,
    ) -> Result<Option<Session<'_>>, SecretStoreError> {
        let key = self.keys.current(set_at).await?;
        Ok(key.map(|key| Session::new(self, key, Some(&self.keys), deadline)))
    }

    /// Calls with a key that is not, or not yet, the stack's.
    pub fn session_with(&self, key: StripeKey, deadline: Deadline) -> Session<'_> {
        Session::new(self, key, None, deadline)
    }
}
