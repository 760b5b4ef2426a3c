//! An endpoint as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::mode::Mode;
use shared::secret::SigningSecret;

/// An endpoint, without its secret.
#[derive(Debug, Serialize)]
pub(crate) struct EndpointView<'a> {
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
pub(crate) struct RotationView<'a> {
    stripe_id: Option<&'a str>,
    api_version: &'a str,
    begun_at: Option<Timestamp>,
    /// Since when it gets all events; the other is removed when all of before is here.
    live_since: Option<Timestamp>,
}

/// An endpoint with its secret: what registering answers.
#[derive(Serialize)]
pub(crate) struct RegisteredView<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    signing_secret: &'a str,
}

impl<'a> EndpointView<'a> {
    pub(crate) fn of(endpoint: &'a EndpointRow, mode: Mode) -> Self {
        Self {
            name: endpoint.name.as_str(),
            url: &endpoint.spec.url,
            stripe_id: endpoint.stripe_id.as_deref(),
            dashboard_url: endpoint.stripe_id.as_deref().map(|id| dashboard_url(id, mode)),
            events: &endpoint.spec.events,
            description: &endpoint.spec.description,
            mode,
            api_version: &endpoint.spec.api_version,
            connect: endpoint.spec.connect,
            state: endpoint.state,
            created_at: Timestamp::from_millisecond(endpoint.created_at).ok(),
            rotated_at: endpoint.rotated_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            rotation: endpoint.rotation.as_ref().map(|next| RotationView {
                stripe_id: next.stripe_id.as_deref(),
                api_version: &next.api_version,
                begun_at: Timestamp::from_millisecond(next.begun_at).ok(),
                live_since: next.live_since.and_then(|at| Timestamp::from_second(at).ok()),
            }),
            signing_secret_hint: endpoint.signing_secret_hint.as_deref(),
        }
    }

    pub(crate) fn with_secret(self, secret: &'a SigningSecret) -> RegisteredView<'a> {
        RegisteredView { endpoint: self, signing_secret: secret.reveal() }
    }
}

fn dashboard_url(id: &str, mode: Mode) -> String {
    let side = match mode {
        Mode::Test => "test/",
        Mode::Live => "",
    };
    format!("https://dashboard.stripe.com/{side}webhooks/{id}")
}
