//! `/v1/<objects>`: lists of what is kept as records, as it stands now, of an account or of a customer; and
//! the lists that belong to one of them.

use reqwest::Method;
use serde_json::value::RawValue;

use super::call::{Call, Session, StripeResponse};
use super::error::StripeError;
use super::objects::{addressable_kind, check_address, path};
use super::page::{ListPage, OversizedItem};
use crate::kind::{Kind, ListParams, ListPlace, OwnList};
use crate::object_key::ObjectKey;
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

impl From<ListPage> for ObjectsPage {
    fn from(ListPage { items, oversized, more }: ListPage) -> Self {
        Self { objects: items, oversized, more }
    }
}

/// Which objects to list.
#[derive(Debug, Clone, Copy)]
pub struct ObjectsQuery<'a> {
    /// Of this kind.
    pub kind: Kind,
    /// Of this connected account; none for our own.
    pub account: Option<&'a str>,
    /// Of those that have objects of the kind.
    pub list: ObjectList<'a>,
    /// Made in this second or later.
    pub since: Option<UnixSeconds>,
    /// Made in this second or earlier.
    pub until: Option<UnixSeconds>,
    /// Of this payout, where these are balance transactions; of any for none.
    pub payout: Option<&'a str>,
    /// Older than this one, which came last.
    pub after: Option<&'a str>,
}

/// One of the lists in which Stripe has the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectList<'a> {
    /// The account's, asked for with these parameters ([`Kind::account_lists`]).
    OfAccount(ListParams),
    /// That of the customer of this id ([`Kind::below_customer`]).
    OfCustomer(&'a str),
}

impl<'a> ObjectsQuery<'a> {
    /// All of a kind that the account's first list has.
    pub fn new(kind: Kind, account: Option<&'a str>) -> Self {
        let list = ObjectList::OfAccount(kind.account_lists().first().copied().unwrap_or_default());
        Self { kind, account, list, since: None, until: None, payout: None, after: None }
    }
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
        let (path, params): (Vec<&str>, ListParams) = match wanted.list {
            ObjectList::OfAccount(params) => (path(wanted.kind)?.split('/').collect(), params),
            ObjectList::OfCustomer(customer) => {
                check_address(customer)?;
                let below = wanted.kind.below_customer();
                (path(Kind::CUSTOMER)?.split('/').chain([customer]).chain(below).collect(), &[])
            }
        };
        let mut call = Call::new(Method::GET, &path);
        for (name, value) in params {
            call = call.param(name, *value);
        }
        // A list that cannot be bounded by time is listed whole.
        let is_of_account = matches!(wanted.list, ObjectList::OfAccount(_));
        let bounds = is_of_account && wanted.kind.is_listed_by_created();
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
        Ok(self.page(&call).await?.map(ObjectsPage::from))
    }

    /// A page of a list that belongs to an object, in Stripe's order: a hundred items, or as many as fit into
    /// an answer. `after` is the id of the item that came last.
    ///
    /// # Errors
    /// See [`StripeError`]; [`StripeError::is_gone_cursor`] if the item that came last is no more.
    pub async fn own_list(
        &self,
        key: &ObjectKey,
        list: &OwnList,
        after: Option<&str>,
    ) -> Result<StripeResponse<ObjectsPage>, StripeError> {
        let kind = addressable_kind(key)?;
        let (path, param): (Vec<&str>, _) = match list.place {
            ListPlace::BelowObject => (path(kind)?.split('/').chain([key.id(), list.member]).collect(), None),
            ListPlace::Filtered { path, param } => (path.split('/').collect(), Some(param)),
        };
        let mut call = Call::new(Method::GET, &path);
        if let Some(param) = param {
            call = call.param(param, key.id());
        }
        if let Some(after) = after {
            call = call.param("starting_after", after);
        }
        call.account = key.account();
        Ok(self.page(&call).await?.map(ObjectsPage::from))
    }
}
