//! Writes each change, and each attempt at one that was refused, to the audit.
//!
//! It is written after the change, with its result: by then Stripe has done it, and an error in place of the
//! answer would lose the signing secret that this one answer shows.

use lambda_http::{Body, Response};
use serde_json::Value;
use shared::access::Caller;
use shared::audit::{AuditDetails, AuditEntry};
use shared::endpoint::EndpointName;
use shared::http::ApiError;

use crate::context::RequestContext;
use crate::route::ChangeRequest;

/// In place of a target that is no name. What was sent in the name's place may be a secret, put there by
/// mistake.
const NO_TARGET: &str = "-";

/// The actions, as the audit names them.
pub(crate) mod action {
    pub(crate) const REGISTER: &str = "endpoint.register";
    pub(crate) const CHANGE: &str = "endpoint.change";
    pub(crate) const DEREGISTER: &str = "endpoint.deregister";
    pub(crate) const SHOW_SECRET: &str = "endpoint.secret";
    pub(crate) const ROTATE: &str = "endpoint.rotate";
    pub(crate) const GIVE_UP_ROTATION: &str = "endpoint.give_up_rotation";
    pub(crate) const REPAIR: &str = "endpoint.repair";
    pub(crate) const TEST: &str = "endpoint.test";
    pub(crate) const ENABLE: &str = "endpoint.enable";
    pub(crate) const RULES: &str = "settings.rules";
    pub(crate) const STRIPE_KEY: &str = "settings.stripe_key";
}

/// What the audit says of a change besides who asked for it and how it ended, collected while it goes on.
#[derive(Debug, Default)]
pub(crate) struct ChangeDetails {
    /// The endpoint, where the path does not name it.
    pub(crate) target: Option<EndpointName>,
    /// What was there before, without secrets.
    pub(crate) before: Option<Value>,
    /// What is there now, without secrets.
    pub(crate) after: Option<Value>,
}

/// Writes how a request for a change ended.
pub(crate) async fn record(
    context: RequestContext<'_>,
    caller: &Caller,
    request: &ChangeRequest,
    details: ChangeDetails,
    result: &Result<Response<Body>, ApiError>,
) {
    let ChangeDetails { target: requested, before, after } = details;
    let target = |name: Option<EndpointName>| name.map_or_else(|| NO_TARGET.to_owned(), String::from);
    let (action, target) = match request {
        ChangeRequest::CreateEndpoint => (action::REGISTER, target(requested)),
        ChangeRequest::UpdateEndpoint(name) => (action::CHANGE, target(name.parse().ok())),
        ChangeRequest::DeleteEndpoint(name) => (action::DEREGISTER, target(name.parse().ok())),
        ChangeRequest::ShowSecret(name) => (action::SHOW_SECRET, target(name.parse().ok())),
        ChangeRequest::RotateSecret(name) => (action::ROTATE, target(name.parse().ok())),
        ChangeRequest::GiveUpRotation(name) => (action::GIVE_UP_ROTATION, target(name.parse().ok())),
        ChangeRequest::RepairEndpoint(name) => (action::REPAIR, target(name.parse().ok())),
        ChangeRequest::ProbeEndpoint(name) => (action::TEST, target(name.parse().ok())),
        ChangeRequest::UpdateSettings => (action::RULES, "settings".to_owned()),
        ChangeRequest::SetStripeKey => (action::STRIPE_KEY, "stripe-key".to_owned()),
    };
    let details = AuditDetails { before, after: after.filter(|_| result.is_ok()) };
    context.deps.audit.record_result(caller, action, &target, details, result, context.now).await;
}

/// Writes what the schedule did to an endpoint.
pub(crate) async fn record_scheduled(
    context: RequestContext<'_>,
    action: &str,
    endpoint: &EndpointName,
    result: &str,
) {
    let entry = AuditEntry::new(&Caller::schedule(), action, endpoint.as_str(), result, context.now);
    context.deps.audit.record(&entry).await;
}
