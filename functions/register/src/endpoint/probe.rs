//! Tests the way to an endpoint: `POST /endpoints/{name}/test` sends a probe to its public address and
//! reports, step by step, what came back.
//!
//! Registering sends one too, so that an address at which nothing takes deliveries shows at once. The last
//! probe of each endpoint is kept in the registry, for the status.
//!
//! A step that was not reached is null. The probe is stored for a day and stands in no list and no count;
//! Stripe has no part in it.

use std::cmp::Ordering;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::endpoint::EndpointRow;
use shared::http::{self, Fields, Query};
use shared::probe::{ProbeOutcome, ProbeReport, ProbeStage};
use shared::registry::LastProbe;
use shared::secret::SigningSecret;
use shared::signature::TOLERANCE_S;

use crate::audit::ChangeDetails;
use crate::context::RequestContext;
use crate::endpoint::{row, secret};
use crate::error::RegisterError;

/// A clock that is off by this many milliseconds is not right. Deliveries are refused from the tolerance on.
const CLOCK_OFF_BY: u64 = 30_000;

/// How a probe ended.
#[derive(Debug, Serialize)]
pub(super) struct ProbeView {
    name: String,
    url: String,
    /// The id of the event that it was stored as.
    event: Option<String>,
    ok: bool,
    steps: Vec<ProbeStepView>,
    took_ms: u64,
    /// What is wrong; null if nothing is.
    summary: Option<&'static str>,
    remedy: Option<&'static str>,
}

#[derive(Debug, PartialEq, Serialize)]
struct ProbeStepView {
    step: &'static str,
    /// None for a step that was not reached.
    ok: Option<bool>,
    evidence: Value,
}

/// `POST /endpoints/{name}/test`
pub(crate) async fn probe(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    Fields::read(request.body(), &[])?;
    let deps = context.deps;
    let row = row::load(context, name).await?;
    if !row.state.accepts_deliveries() {
        return Err(RegisterError::EndpointNotActive { name: name.to_owned(), state: row.state });
    }
    let secret = secret::newest(deps, &row).await?;
    let view = send(context, &row, &secret).await;
    details.after = Some(json!({ "ok": view.ok, "summary": view.summary }));
    Ok(http::json(StatusCode::OK, &view))
}

/// Sends a probe to an endpoint that was registered just now. None if there is no time for it: it is
/// registered all the same.
pub(super) async fn after_registering(
    context: RequestContext<'_>,
    row: &EndpointRow,
    secret: &SigningSecret,
) -> Option<ProbeView> {
    context.optional_work_deadline().bound(send(context, row, secret)).await
}

/// Sends a probe, and keeps what became of it.
async fn send(context: RequestContext<'_>, row: &EndpointRow, secret: &SigningSecret) -> ProbeView {
    let RequestContext { deps, now, .. } = context;
    let report = shared::probe::probe(&row.spec.url, secret, deps.mode, deps.local, now).await;
    let (summary, remedy) = report.outcome.problem().unzip();
    let view = ProbeView {
        name: row.name.to_string(),
        url: row.spec.url.clone(),
        event: report.event.clone(),
        ok: report.outcome == ProbeOutcome::Stored,
        steps: steps(&report),
        took_ms: report.took_ms,
        summary,
        remedy,
    };
    let last = LastProbe { at: now.into(), url: row.spec.url.clone(), report };
    if let Err(error) = deps.registry.record_probe(&row.name, &last).await {
        tracing::warn!(error = error_chain(&error), endpoint.name = %row.name, "a probe could not be kept");
    }
    view
}

/// The steps on the way, each with whether it went well.
fn steps(report: &ProbeReport) -> Vec<ProbeStepView> {
    let (reached, why) = match &report.outcome {
        ProbeOutcome::NoAnswer { at: ProbeStage::Name, why } => (0, Some(why)),
        ProbeOutcome::NoAnswer { at: ProbeStage::Connection, why } => (1, Some(why)),
        ProbeOutcome::NoAnswer { at: ProbeStage::Response, why } => (2, Some(why)),
        ProbeOutcome::Answered { .. } => (2, None),
        ProbeOutcome::Changed => (3, None),
        ProbeOutcome::Stored => (5, None),
    };
    // The step that was reached last is the one that failed, unless all went well.
    let ok = |number: usize| match number.cmp(&reached) {
        Ordering::Less => Some(true),
        Ordering::Equal => Some(false),
        Ordering::Greater => None,
    };
    let why_or = |number: usize, evidence: Value| match why {
        Some(why) if number == reached => json!({ "why": why }),
        Some(_) | None => evidence,
    };
    let (status, code) = match &report.outcome {
        ProbeOutcome::Answered { status, code } => (Some(*status), code.clone()),
        ProbeOutcome::Changed => (Some(400), Some("signature_mismatch".to_owned())),
        ProbeOutcome::Stored => (Some(200), None),
        ProbeOutcome::NoAnswer { .. } => (None, None),
    };
    let addresses: Vec<String> = report.addresses.iter().map(|address| address.ip().to_string()).collect();
    let ahead = report.clock_ahead_ms;
    let clock_ok = ahead.map(|ahead| ahead.unsigned_abs() < CLOCK_OFF_BY);
    let name = json!({ "addresses": addresses });
    let answer = json!({ "status": status, "code": code });
    let clock = json!({ "seconds_ahead": ahead.map(|ahead| ahead / 1_000), "tolerance_s": TOLERANCE_S });
    vec![
        ProbeStepView { step: "name", ok: ok(0), evidence: why_or(0, name) },
        ProbeStepView { step: "connection", ok: ok(1), evidence: why_or(1, json!({})) },
        ProbeStepView { step: "answer", ok: ok(2), evidence: why_or(2, answer) },
        ProbeStepView { step: "body_unchanged", ok: ok(3), evidence: json!({}) },
        ProbeStepView { step: "stored", ok: ok(4), evidence: json!({}) },
        ProbeStepView { step: "clock", ok: clock_ok, evidence: clock },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: ProbeOutcome) -> ProbeReport {
        ProbeReport {
            outcome,
            event: None,
            addresses: vec![([203, 0, 113, 5], 443).into()],
            took_ms: 12,
            clock_ahead_ms: Some(400),
        }
    }

    fn oks(outcome: ProbeOutcome) -> Vec<Option<bool>> {
        steps(&report(outcome)).into_iter().map(|step| step.ok).collect()
    }

    #[test]
    fn each_step_is_reported_up_to_the_one_that_failed() {
        let lost = |at| ProbeOutcome::NoAnswer { at, why: "w".into() };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(oks(ProbeOutcome::Stored), [yes; 6]);
        assert_eq!(oks(ProbeOutcome::Changed), [yes, yes, yes, no, None, yes]);
        let answered = ProbeOutcome::Answered { status: 403, code: None };
        assert_eq!(oks(answered), [yes, yes, no, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Response)), [yes, yes, no, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Connection)), [yes, no, None, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Name)), [no, None, None, None, None, yes]);
        let off = ProbeReport { clock_ahead_ms: Some(-31_000), ..report(ProbeOutcome::Stored) };
        assert_eq!(steps(&off)[5].ok, no);
        assert_eq!(steps(&report(lost(ProbeStage::Name)))[0].evidence, json!({ "why": "w" }));
    }
}
