//! Writes each change, and each attempt at one that was refused, to the audit.
//!
//! It is written after the act, with its result. If it cannot be written, the act stands and is answered as what it is: Stripe has
//! already been told, so an error would say something that is not true, and would lose the secret that this one answer shows. The
//! gap is logged as an error: who did what, when, and how it ended. A row before the act would close the gap, but then every act
//! would depend on one more write, and half of the rows would say nothing of how it ended.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::{Body, Response};
use serde_json::Value;
use shared::access::Caller;
use shared::audit::Act;
use shared::aws::{StoreError, chain};
use shared::endpoint::EndpointName;
use shared::http::ApiError;

use crate::Deps;
use crate::route::Change;

const WRITTEN_WITHIN: Duration = Duration::from_secs(4);
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
        Change::Deregister(name) => ("endpoint.deregister", named(name.parse().ok())),
        Change::SetStripeKey => ("settings.stripe_key", "stripe-key".to_owned()),
    };
    let code = result.as_ref().map_or_else(ApiError::code, |_| "done");
    let mut act = Act::new(caller, action, &target, code, now);
    act.before = trace.before;
    act.after = trace.after.filter(|_| result.is_ok());
    let written = tokio::time::timeout(WRITTEN_WITHIN, deps.audit.add(&act)).await;
    let written = written.map_err(|late| StoreError::new("writing the audit", late)).flatten();
    if let Err(error) = written {
        tracing::error!(
            error = chain(&error),
            act.action = action,
            act.target = target,
            act.subject = act.subject,
            act.email = act.email,
            act.address = act.address,
            act.result = code,
            act.at = act.at(),
            "an act is missing in the audit"
        );
    }
}
