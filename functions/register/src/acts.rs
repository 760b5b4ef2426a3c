//! Writes each change, and each attempt at one that was refused, to the audit.
//!
//! It is written after the act, with its result: Stripe has been told by then, and an error would lose the secret that this one
//! answer shows.

use jiff::Timestamp;
use lambda_http::{Body, Response};
use serde_json::Value;
use shared::access::Caller;
use shared::audit::AuditEntry;
use shared::endpoint::EndpointName;
use shared::http::ApiError;

use crate::Deps;
use crate::route::Change;

/// In place of a target that is no name. What was sent in the name's place may be a secret, put there by mistake.
const NO_TARGET: &str = "-";

/// What an act tells the audit while it goes on.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// To what, where the path does not say it.
    pub(crate) target: Option<EndpointName>,
    /// Without secrets.
    pub(crate) before: Option<Value>,
    /// Without secrets.
    pub(crate) after: Option<Value>,
}

/// Adds the act to the audit.
pub(crate) async fn write(
    deps: &Deps,
    caller: &Caller,
    change: &Change,
    trace: Trace,
    result: &Result<Response<Body>, ApiError>,
    now: Timestamp,
) {
    let named = |name: Option<EndpointName>| name.map_or_else(|| NO_TARGET.to_owned(), String::from);
    let (action, target) = match change {
        Change::Register => ("endpoint.register", named(trace.target)),
        Change::Patch(name) => ("endpoint.change", named(name.parse().ok())),
        Change::Deregister(name) => ("endpoint.deregister", named(name.parse().ok())),
        Change::ShowSecret(name) => ("endpoint.secret", named(name.parse().ok())),
        Change::Rotate(name) => ("endpoint.rotate", named(name.parse().ok())),
        Change::Repair(name) => ("endpoint.repair", named(name.parse().ok())),
        Change::Test(name) => ("endpoint.test", named(name.parse().ok())),
        Change::SetRules => ("settings.rules", "settings".to_owned()),
        Change::SetStripeKey => ("settings.stripe_key", "stripe-key".to_owned()),
    };
    let code = result.as_ref().map_or_else(ApiError::code, |_| "done");
    let mut act = AuditEntry::new(caller, action, &target, code, now);
    act.before = trace.before;
    act.after = trace.after.filter(|_| result.is_ok());
    deps.audit.note(&act).await;
}
