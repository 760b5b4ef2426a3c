//! `/v1/events`: what Stripe says happened, as far back as it lists (30 days).

use reqwest::Method;
use serde_json::value::RawValue;

use super::call::{Call, Session, StripeResponse};
use super::error::StripeError;
use super::page::{ListPage, OversizedItem};
use crate::unix_time::UnixSeconds;

/// A page of events.
#[derive(Debug)]
pub struct EventsPage {
    /// Each as Stripe lists it: in the version it was made with, which need not be an endpoint's.
    pub events: Vec<Box<RawValue>>,
    /// The next one, which is larger than what is read of an answer. Then the page has no other.
    pub oversized: Option<OversizedItem>,
    /// Whether there are more, older ones.
    pub more: bool,
}

/// Which events to list.
#[derive(Debug, Clone, Copy)]
pub struct EventsQuery<'a> {
    /// Stamped in this second or later.
    pub from: UnixSeconds,
    /// Stamped in this second or earlier.
    pub until: UnixSeconds,
    /// Older than this one, which came last.
    pub after: Option<&'a str>,
    /// Of this connected account; none for our own.
    pub account: Option<&'a str>,
}

impl Session<'_> {
    /// A page of events, newest first: a hundred, or as many as fit into an answer.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn events(&self, wanted: EventsQuery<'_>) -> Result<StripeResponse<EventsPage>, StripeError> {
        let mut call = Call::new(Method::GET, &["events"])
            .param("created[gte]", wanted.from.to_string())
            .param("created[lte]", wanted.until.to_string());
        if let Some(after) = wanted.after {
            call = call.param("starting_after", after);
        }
        call.account = wanted.account;
        let page = self.page(&call).await?;
        Ok(page.map(|ListPage { items, oversized, more }| EventsPage { events: items, oversized, more }))
    }
}
