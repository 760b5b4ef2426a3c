//! An endpoint as the registry holds it: what is wished, what Stripe made of it, where its secret is.

use serde::{Deserialize, Serialize};

use super::{EndpointName, EndpointState};

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Its name here.
    pub name: EndpointName,
    /// Where it is in its life.
    pub state: EndpointState,
    /// Names this attempt at registering: Stripe's `Idempotency-Key`, a mark in the endpoint's `metadata`, and part of the
    /// secret's name.
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
    /// When it was asked for, in unix milliseconds.
    pub created_at: i64,
    /// When it came into its present state, in unix milliseconds.
    #[serde(default)]
    pub state_since: i64,
    /// Since when Stripe is to send it what it wants now, in unix milliseconds: from registering, or from the last change of its
    /// address, its events, or whether it is disabled.
    #[serde(default)]
    pub listens_since: i64,
    /// When its secret was last changed, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<i64>,
    /// Does it take the place of one that was whole? Then it is not taken back if Stripe refuses it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaces: bool,
    /// While it is `rotating`: what takes over.
    #[serde(rename = "next", default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// While it is `changing`: what it is to become.
    #[serde(rename = "change", default, skip_serializing_if = "Option::is_none")]
    pub pending_change: Option<PendingChange>,
    /// Counts the changes of this row.
    pub rev: u64,
}

impl EndpointRow {
    /// The row with what stands at Stripe: from when a rotation has removed the first endpoint, that is the second.
    #[must_use]
    pub fn with_live_endpoint(&self) -> Self {
        let mut row = self.clone();
        if let Some(next) = self.rotation.as_ref().filter(|next| next.old_gone) {
            row.stripe_id.clone_from(&next.stripe_id);
            row.spec.api_version.clone_from(&next.api_version);
        }
        row
    }
}

/// The endpoint at Stripe that takes over in a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Names the attempt at making it, as `registration` does.
    pub registration: String,
    /// In which version its events are rendered.
    pub api_version: String,
    /// When the attempt began, in unix milliseconds.
    pub begun_at: i64,
    /// Stripe's id, once its secret is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_id: Option<String>,
    /// Since when it gets all events, in unix seconds of Stripe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_since: Option<i64>,
    /// Is the first endpoint deleted at Stripe? Then its secret is dropped a little later.
    #[serde(default, skip_serializing_if = "is_false")]
    pub old_gone: bool,
    /// Has the request that was at it ended? Then another may go on at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
}

/// A change that Stripe has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// What is wanted.
    #[serde(rename = "wish")]
    pub spec: EndpointSpec,
    /// Is it to be disabled?
    pub disabled: bool,
    /// Was it disabled before?
    pub was_disabled: bool,
    /// Is it a wish that Stripe refused, on its way back?
    #[serde(default, skip_serializing_if = "is_false")]
    pub back: bool,
    /// Has the request that told Stripe ended without knowing what became of it? Then another may go on at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What an admin asked for, and what is therefore wanted at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSpec {
    /// Where Stripe is to send.
    pub url: String,
    /// Which event types, sorted, each once.
    pub events: Vec<String>,
    /// Shown in Stripe's dashboard; may be empty.
    pub description: String,
    /// In which version events are rendered.
    pub api_version: String,
    /// Are the events those of connected accounts?
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
