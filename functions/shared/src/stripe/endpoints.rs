//! `/v1/webhook_endpoints`: make, look, list, delete.
//!
//! Stripe shows an endpoint's secret once, in the answer that creates it, and never whether it is for
//! connected accounts. So each of ours carries an owner tag in its `metadata`, by which it is found again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::call::{Call, Session, StripeResponse, not_stripes};
use super::error::StripeError;
use super::objects::path;
use crate::endpoint::{EndpointRow, EndpointSpec, REQUEST_ENDS_WITHIN};
use crate::kind::Kind;
use crate::secret::SigningSecret;
use crate::unix_time::UnixSeconds;

const RESOURCE: &str = "webhook_endpoints";
/// What Stripe calls one, in `object`.
const OBJECT: &str = "webhook_endpoint";

/// A webhook endpoint at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Where Stripe sends.
    pub url: String,
    /// The types it gets.
    pub enabled_events: Vec<String>,
    /// The version events are rendered in; none is the account's own.
    #[serde(default)]
    pub api_version: Option<String>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// `enabled` or `disabled`.
    pub status: String,
    /// Whether it is in live mode.
    pub livemode: bool,
    /// When it was made.
    #[serde(default)]
    pub created: UnixSeconds,
    /// For programs.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// The answer that creates an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedEndpoint {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: WebhookEndpoint,
    /// What it signs with.
    #[serde(default)]
    pub secret: Option<SigningSecret>,
}

/// The metadata that names the stack, endpoint and registration an endpoint belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerTag {
    /// The name of the stack it belongs to, for people: another account, region or developer may have one of
    /// the same name.
    pub stack: String,
    /// The id of the stack (`Registry::stack_id`), which no other stack has. Earlier versions wrote none.
    pub stack_id: Option<String>,
    /// Its name there.
    pub name: String,
    /// The attempt at registering that made it.
    pub registration: String,
}

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewEndpoint<'a> {
    /// What it is to be like.
    pub spec: &'a EndpointSpec,
    /// Its owner tag.
    pub tag: &'a OwnerTag,
}

impl WebhookEndpoint {
    /// Returns whether Stripe sends to it.
    pub fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// The owner tag of a Billhook, if it has one.
    pub fn owner_tag(&self) -> Option<OwnerTag> {
        let text = |key: &str| self.metadata.get(key).cloned();
        Some(OwnerTag {
            stack: text("billhook_stack")?,
            stack_id: text("billhook_stack_id"),
            name: text("billhook_name")?,
            registration: text("billhook_registration")?,
        })
    }

    /// Returns whether a row of this stack knows it: by Stripe's id, or by the attempt that created it.
    pub fn is_known(&self, rows: &[EndpointRow]) -> bool {
        let tag = self.owner_tag();
        let is_of = |registration: &str| tag.as_ref().is_some_and(|tag| tag.registration == registration);
        rows.iter().any(|row| {
            let next = row.rotation.as_ref();
            next.is_some_and(|next| next.stripe_id.as_ref() == Some(&self.id) || is_of(&next.registration))
                || match &row.stripe_id {
                    Some(id) => *id == self.id,
                    // Half made: the row does not know the id yet.
                    None => is_of(&row.registration),
                }
        })
    }

    /// Returns whether the stack of this id has certainly created it. A stack's name proves nothing, so one
    /// that an earlier version marked by its name alone is nobody's, unless a row knows it.
    pub fn is_created_by(&self, stack_id: Option<&str>) -> bool {
        stack_id.is_some() && self.owner_tag().is_some_and(|tag| tag.stack_id.as_deref() == stack_id)
    }

    /// Returns whether this stack has certainly created it and no row knows it any more. `rows` are the
    /// stack's, read before Stripe was asked.
    pub fn is_left_over(&self, stack_id: Option<&str>, rows: &[EndpointRow], now: Timestamp) -> bool {
        // A younger one may be of a registration that began after the rows were read.
        let settled = UnixSeconds::from(now) - self.created > REQUEST_ENDS_WITHIN;
        settled && self.is_created_by(stack_id) && !self.is_known(rows)
    }

    /// Returns whether it sends to where the endpoints of the stack at this address take deliveries.
    pub fn points_to(&self, public_url: &str) -> bool {
        self.url.strip_prefix(public_url).is_some_and(|path| path.starts_with("/webhooks/"))
    }
}

impl NewEndpoint<'_> {
    fn params(&self) -> Vec<(String, String)> {
        let Self { spec, tag } = self;
        let connect = spec.connect.to_string();
        let mut params = vec![
            ("url".to_owned(), spec.url.clone()),
            ("api_version".to_owned(), spec.api_version.clone()),
            ("connect".to_owned(), connect.clone()),
        ];
        if !spec.description.is_empty() {
            params.push(("description".to_owned(), spec.description.clone()));
        }
        for (key, value) in [
            ("stack", Some(&tag.stack)),
            ("stack_id", tag.stack_id.as_ref()),
            ("name", Some(&tag.name)),
            ("registration", Some(&tag.registration)),
            ("connect", Some(&connect)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        {
            params.push((format!("metadata[billhook_{key}]"), value.clone()));
        }
        params.extend(enabled_events(&spec.events));
        params
    }
}

fn enabled_events(events: &[String]) -> impl Iterator<Item = (String, String)> {
    events.iter().enumerate().map(|(i, event)| (format!("enabled_events[{i}]"), event.clone()))
}

impl Session<'_> {
    /// Makes an endpoint. The same idempotency key within a day gives the same answer again, secret included.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn create_endpoint(
        &self,
        new: &NewEndpoint<'_>,
        idempotency_key: &str,
    ) -> Result<StripeResponse<CreatedEndpoint>, StripeError> {
        let mut call = Call::new(Method::POST, &[RESOURCE]);
        call.params = new.params();
        call.idempotency_key = Some(idempotency_key);
        self.call_for(&call, OBJECT, None).await
    }

    /// One endpoint; none if there is none of this id in the key's account and mode.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn endpoint(&self, id: &str) -> Result<Option<StripeResponse<WebhookEndpoint>>, StripeError> {
        match self.call_for(&Call::new(Method::GET, &[RESOURCE, id]), OBJECT, Some(id)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All endpoints of the account, newest first.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn endpoints(&self) -> Result<StripeResponse<Vec<WebhookEndpoint>>, StripeError> {
        let mut all: Vec<WebhookEndpoint> = Vec::new();
        loop {
            let mut call = Call::new(Method::GET, &[RESOURCE]).param("limit", "100");
            if let Some(last) = all.last() {
                call = call.param("starting_after", last.id.clone());
            }
            let page: StripeResponse<List<WebhookEndpoint>> = self.call(&call).await?;
            let more = page.value.has_more && !page.value.data.is_empty();
            all.extend(page.value.data.iter().cloned());
            if !more {
                return Ok(page.map(|_| all));
            }
        }
    }

    /// Checks that the key may read endpoints, by reading one.
    ///
    /// # Errors
    /// [`StripeError::Forbidden`] if it may not.
    pub async fn try_reading_endpoints(&self) -> Result<(), StripeError> {
        self.try_reading(RESOURCE).await
    }

    /// Checks that the key may read events, by reading one.
    ///
    /// # Errors
    /// [`StripeError::Forbidden`] if it may not.
    pub async fn try_reading_events(&self) -> Result<(), StripeError> {
        self.try_reading("events").await
    }

    /// Checks that the key may read objects of a kind, by reading one.
    ///
    /// # Errors
    /// [`StripeError::Forbidden`] if it may not.
    pub async fn try_reading_objects(&self, kind: Kind) -> Result<(), StripeError> {
        self.try_reading(path(kind)?).await
    }

    async fn try_reading(&self, resource: &str) -> Result<(), StripeError> {
        let path: Vec<&str> = resource.split('/').collect();
        let call = Call::new(Method::GET, &path).param("limit", "1");
        match self.call::<List<serde::de::IgnoredAny>>(&call).await {
            Ok(_) => Ok(()),
            // However large it is: it was given.
            Err(error) if error.failure().is_too_large() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes an endpoint as specified, whatever it is now: doing it again is always right. What Stripe
    /// cannot change (`api_version`, `connect`) stays.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn update_endpoint(
        &self,
        id: &str,
        spec: &EndpointSpec,
        disabled: bool,
    ) -> Result<StripeResponse<WebhookEndpoint>, StripeError> {
        let path = [RESOURCE, id];
        let mut call = Call::new(Method::POST, &path)
            .param("url", spec.url.clone())
            .param("description", spec.description.clone())
            .param("disabled", disabled.to_string());
        call.params.extend(enabled_events(&spec.events));
        self.call_for(&call, OBJECT, Some(id)).await
    }

    /// Enables an endpoint that is disabled.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn enable_endpoint(&self, id: &str) -> Result<StripeResponse<WebhookEndpoint>, StripeError> {
        let path = [RESOURCE, id];
        self.call_for(&Call::new(Method::POST, &path).param("disabled", "false"), OBJECT, Some(id)).await
    }

    /// Deletes an endpoint. One that Stripe does not know any more is deleted too.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn delete_endpoint(&self, id: &str) -> Result<(), StripeError> {
        let path = [RESOURCE, id];
        let call = Call::new(Method::DELETE, &path);
        match self.call_for::<DeletedEndpoint>(&call, OBJECT, Some(id)).await {
            Ok(StripeResponse { value: DeletedEndpoint { deleted: true }, .. }) => Ok(()),
            Ok(StripeResponse { request_id, .. }) => Err(not_stripes(request_id)),
            Err(error) if error.is_missing() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The answer that deletes an endpoint.
#[derive(Debug, Deserialize)]
struct DeletedEndpoint {
    deleted: bool,
}

/// What Stripe calls a list, in `object`.
#[derive(Debug, Deserialize)]
enum ListObject {
    #[serde(rename = "list")]
    List,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    /// What else answers with `data` is not Stripe's.
    #[serde(rename = "object")]
    _object: ListObject,
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}
