//! An endpoint as the registry holds it: what is wanted, what Stripe made of it, where its secret is.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EndpointName, EndpointState};
use crate::unix_time::{UnixMillis, UnixSeconds};

/// A request that changes an endpoint ends within half a minute: what is still under way after this was left
/// half done.
pub const REQUEST_ENDS_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Its name here.
    pub name: EndpointName,
    /// Where it is in its life.
    pub state: EndpointState,
    /// Names this attempt at registering: Stripe's `Idempotency-Key`, a part of the owner tag in the
    /// endpoint's `metadata`, and a part of the secret's name.
    pub registration: String,
    /// What an admin asked for.
    #[serde(rename = "wish")]
    pub spec: EndpointSpec,
    /// Stripe's id, `we_…`, once Stripe has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_id: Option<String>,
    /// Where its signing secrets are, once they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretVersion>,
    /// The last four characters of the newest signing secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret_hint: Option<String>,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When it came into its present state.
    #[serde(default)]
    pub state_since: UnixMillis,
    /// Since when it is subscribed to what it wants now: since registering, or since
    /// the last change of its address, its events, or whether it is disabled.
    #[serde(rename = "listens_since", default)]
    pub subscribed_since: UnixMillis,
    /// When its secret was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<UnixMillis>,
    /// Whether it takes the place of one that was registered. Then its row stays if Stripe refuses it.
    #[serde(rename = "replaces", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_replacement: bool,
    /// While it is `rotating`: the endpoint that takes over.
    #[serde(rename = "next", default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// The last rotation, if the schedule gave it up, until another begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_given_up: Option<GivenUpRotation>,
    /// While it is `changing`: what it is to become.
    #[serde(rename = "change", default, skip_serializing_if = "Option::is_none")]
    pub pending_change: Option<PendingChange>,
    /// Counts the changes of this row.
    pub rev: u64,
}

impl EndpointRow {
    /// Whether the request that put the row into its present state has certainly ended. If that state is one
    /// in which something is under way, it was left half done.
    pub fn is_left_half_done(&self, now: Timestamp) -> bool {
        UnixMillis::from(now) - self.state_since >= REQUEST_ENDS_WITHIN
    }

    /// Whether nobody works any more on what is under way: the request that did has ended without finishing
    /// it, by its own word or certainly by now. Then another may go on.
    pub fn is_cut_off(&self, now: Timestamp) -> bool {
        self.pending_change.as_ref().is_some_and(|change| change.abandoned)
            || self.rotation.as_ref().is_some_and(|rotation| rotation.abandoned)
            || self.is_left_half_done(now)
    }

    /// The row with what stands at Stripe: from when a rotation has removed the first endpoint, that is the
    /// second.
    #[must_use]
    pub fn with_live_endpoint(&self) -> Self {
        let mut row = self.clone();
        if let Some(rotation) = self.rotation.as_ref().filter(|rotation| rotation.old_deleted) {
            row.stripe_id.clone_from(&rotation.stripe_id);
            row.spec.api_version.clone_from(&rotation.api_version);
        }
        row
    }
}

/// The endpoint at Stripe that takes over in a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Names the attempt at creating it, as the row's `registration` does for the first.
    pub registration: String,
    /// The API version that its events are rendered in.
    pub api_version: String,
    /// When the attempt began.
    pub begun_at: UnixMillis,
    /// Stripe's id, once its secret is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_id: Option<String>,
    /// Since when it gets all events by Stripe's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_since: Option<UnixSeconds>,
    /// Whether the first endpoint is deleted at Stripe. Its secret is dropped a little later.
    #[serde(rename = "old_gone", default, skip_serializing_if = "std::ops::Not::not")]
    pub old_deleted: bool,
    /// Whether the request that worked on it has ended without finishing it. Then another may go on at once.
    #[serde(rename = "left", default, skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
    /// Whether the first signing secret is to end as soon as the second endpoint gets all events, without
    /// waiting until all of before is compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// How it ends, once one of the two endpoints is about to be deleted. Written before that, so that never
    /// both are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<RotationEnd>,
}

/// How a rotation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationEnd {
    /// The second endpoint takes over, and the first is deleted.
    TakeOver,
    /// The second endpoint is deleted, and the first stays.
    GiveUp,
}

/// A rotation that could not be brought to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUpRotation {
    /// When it was given up.
    pub at: UnixMillis,
    /// Why, for people.
    pub reason: String,
}

/// A change that Stripe has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// What is wanted.
    #[serde(rename = "wish")]
    pub spec: EndpointSpec,
    /// Whether it is to be disabled.
    pub disabled: bool,
    /// Whether it was disabled before.
    pub was_disabled: bool,
    /// Whether it brings back what was before: it undoes a change that Stripe refused, or disables what was
    /// made in place of a disabled endpoint. So it is never taken back itself.
    #[serde(rename = "back", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rollback: bool,
    /// Whether the request that sent it to Stripe has ended without knowing what became of it. Then another
    /// may go on at once.
    #[serde(rename = "left", default, skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
}

/// What an admin asked for, and what is therefore wanted at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSpec {
    /// Where Stripe is to send.
    pub url: String,
    /// The event types, sorted, each once.
    pub events: Vec<String>,
    /// The text that Stripe's dashboard shows; may be empty.
    pub description: String,
    /// The API version that events are rendered in.
    pub api_version: String,
    /// Whether the events are those of connected accounts.
    pub connect: bool,
}

/// One version of a secret in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The secret's name.
    pub name: String,
    /// The version's id.
    pub version: String,
}
