//! `/v1/<objects>`: lists of what is kept as records, as it stands now.

use reqwest::Method;
use serde_json::value::RawValue;

use super::call::{Call, Session, StripeResponse};
use super::error::StripeError;
use super::page::{ListPage, OversizedItem};
use crate::kind::Kind;
use crate::unix_time::UnixSeconds;

/// A page of objects.
#[derive(Debug)]
pub struct ObjectsPage {
    /// Each in the pinned version.
    pub objects: Vec<Box<RawValue>>,
    /// The next one, which is larger than what is read of an answer. Then the page has no other.
    pub oversized: Option<OversizedItem>,
    /// Whether there are more, older ones.
    pub more: bool,
}

/// Which objects to list.
#[derive(Debug, Clone, Copy)]
pub struct ObjectsQuery<'a> {
    /// Of this kind.
    pub kind: Kind,
    /// Of this connected account; none for our own.
    pub account: Option<&'a str>,
    /// Made in this second or later.
    pub since: Option<UnixSeconds>,
    /// Made in this second or earlier.
    pub until: Option<UnixSeconds>,
    /// Of this payout, where these are balance transactions; of any for none.
    pub payout: Option<&'a str>,
    /// Older than this one, which came last.
    pub after: Option<&'a str>,
}

impl Session<'_> {
    /// A page of objects, newest first: a hundred, or as many as fit into an answer. Not every list can be
    /// bounded by time ([`Kind::is_listed_by_created`]). Stripe leaves deleted ones out, and
    /// subscriptions that have ended unless they are asked for.
    ///
    /// # Errors
    /// See [`StripeError`]; [`StripeError::is_gone_cursor`] if the object that came last is no more.
    pub async fn objects(
        &self,
        wanted: ObjectsQuery<'_>,
    ) -> Result<StripeResponse<ObjectsPage>, StripeError> {
        let path: Vec<&str> = wanted.kind.path().split('/').collect();
        let mut call = Call::new(Method::GET, &path);
        for (name, value) in wanted.kind.list_params() {
            call = call.param(name, *value);
        }
        // A list that cannot be bounded by time is listed whole.
        let bounds = wanted.kind.is_listed_by_created();
        if let Some(since) = wanted.since.filter(|_| bounds) {
            call = call.param("created[gte]", since.to_string());
        }
        if let Some(until) = wanted.until.filter(|_| bounds) {
            call = call.param("created[lte]", until.to_string());
        }
        if let Some(payout) = wanted.payout {
            call = call.param("payout", payout);
        }
        if let Some(after) = wanted.after {
            call = call.param("starting_after", after);
        }
        call.account = wanted.account;
        let page = self.page(&call).await?;
        Ok(page.map(|ListPage { items, oversized, more }| ObjectsPage { objects: items, oversized, more }))
    }
}
