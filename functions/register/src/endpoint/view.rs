//! An endpoint as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::mode::Mode;
use shared::secret::SigningSecret;
use shared::unix_time::{UnixMillis, UnixSeconds};

/// An endpoint, without its signing secret.
#[derive(Debug, Serialize)]
pub(super) struct EndpointView<'a> {
    name: &'a str,
    url: &'a str,
    stripe_id: Option<&'a str>,
    dashboard_url: Option<String>,
    events: &'a [String],
    description: &'a str,
    mode: Mode,
    api_version: &'a str,
    connect: bool,
    state: EndpointState,
    created_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationView<'a>>,
    signing_secret_hint: Option<&'a str>,
}

/// The endpoint at Stripe that takes over, while a rotation runs.
#[derive(Debug, Serialize)]
struct RotationView<'a> {
    stripe_id: Option<&'a str>,
    api_version: &'a str,
    begun_at: Option<Timestamp>,
    /// Since when it gets all events. The first endpoint is removed when all events of before are here.
    live_since: Option<Timestamp>,
    /// Whether the first signing secret ends without waiting for that.
    at_once: bool,
}

/// An endpoint with its signing secret: the answer to registering and to rotating.
#[derive(Serialize)]
pub(super) struct EndpointWithSecretView<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    signing_secret: &'a str,
}

impl<'a> EndpointView<'a> {
    pub(super) fn new(row: &'a EndpointRow, mode: Mode) -> Self {
        Self {
            name: row.name.as_str(),
            url: &row.spec.url,
            stripe_id: row.stripe_id.as_deref(),
            dashboard_url: row.stripe_id.as_deref().map(|id| dashboard_url(id, mode)),
            events: &row.spec.events,
            description: &row.spec.description,
            mode,
            api_version: &row.spec.api_version,
            connect: row.spec.connect,
            state: row.state,
            created_at: row.created_at.to_timestamp(),
            rotated_at: row.rotated_at.and_then(UnixMillis::to_timestamp),
            rotation: row.rotation.as_ref().map(|rotation| RotationView {
                stripe_id: rotation.stripe_id.as_deref(),
                api_version: &rotation.api_version,
                begun_at: rotation.begun_at.to_timestamp(),
                live_since: rotation.live_since.and_then(UnixSeconds::to_timestamp),
                at_once: rotation.at_once,
            }),
            signing_secret_hint: row.signing_secret_hint.as_deref(),
        }
    }

    pub(super) fn with_secret(self, secret: &'a SigningSecret) -> EndpointWithSecretView<'a> {
        EndpointWithSecretView { endpoint: self, signing_secret: secret.reveal() }
    }
}

fn dashboard_url(id: &str, mode: Mode) -> String {
    let folder = match mode {
        Mode::Test => "test/",
        Mode::Live => "",
    };
    format!("https://dashboard.stripe.com/{folder}webhooks/{id}")
}

/// The answer that begins a rotation, ends it or gives it up: the endpoint, with its new signing secret if it
/// has one.
#[derive(Serialize)]
pub(super) struct ConsequenceView<T> {
    #[serde(flatten)]
    pub(super) endpoint: T,
    /// What follows from it, and what it costs.
    pub(super) consequence: &'static str,
}
