//! Tests the way to an endpoint: `POST /endpoints/{name}/test` sends a probe through its public address and tells, step by step, what
//! came back.
//!
//! A step that was not reached is null. The probe is stored for a day and stands in no list and no count; Stripe has no part in it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::{Value, json};

use shared::http::{self, Fields, Query};
use shared::probe::{ProbeOutcome, ProbeReport, ProbeStage, probe};
use shared::signature::TOLERANCE_S;

use crate::acts::Trace;
use crate::error::RegisterError;
use crate::list::named;
use crate::{Deps, Moment};

/// From here, in milliseconds, a clock is worth a look; over the tolerance deliveries are refused.
const ODD_CLOCK: u64 = 30_000;

/// What a test came to.
#[derive(Debug, Serialize)]
struct TestView {
    name: String,
    url: String,
    ok: bool,
    steps: Vec<StepView>,
    took_ms: u64,
    /// What is wrong; null if nothing is.
    summary: Option<&'static str>,
    remedy: Option<&'static str>,
}

#[derive(Debug, PartialEq, Serialize)]
struct StepView {
    step: &'static str,
    /// None: it was not reached.
    ok: Option<bool>,
    evidence: Value,
}

pub(crate) async fn test(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    Fields::read(request.body(), &[])?;
    let row = named(deps, name).await?;
    if !row.state.takes_deliveries() {
        return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
    }
    let secret = deps.newest_secret(&row).await?;
    let report = probe(&row.spec.url, &secret, deps.mode, deps.local, moment.now).await;
    let (summary, remedy) = report.probed.trouble().unzip();
    let view = TestView {
        name: row.name.to_string(),
        url: row.spec.url,
        ok: report.probed == ProbeOutcome::Stored,
        steps: steps(&report),
        took_ms: report.took,
        summary,
        remedy,
    };
    trace.after = Some(json!({ "ok": view.ok, "summary": view.summary }));
    Ok(http::json(StatusCode::OK, &view))
}

/// The steps on the way, each with whether it went well.
fn steps(report: &ProbeReport) -> Vec<StepView> {
    let (reached, why) = match &report.probed {
        ProbeOutcome::NoAnswer { at: ProbeStage::Name, why } => (0, Some(why)),
        ProbeOutcome::NoAnswer { at: ProbeStage::Connection, why } => (1, Some(why)),
        ProbeOutcome::NoAnswer { at: ProbeStage::Response, why } => (2, Some(why)),
        ProbeOutcome::Answered { .. } => (2, None),
        ProbeOutcome::Changed => (3, None),
        ProbeOutcome::Stored => (5, None),
    };
    // The one that was reached last is the one that failed, unless all went well.
    let ok = |number: usize| match number.cmp(&reached) {
        std::cmp::Ordering::Less => Some(true),
        std::cmp::Ordering::Equal => Some(false),
        std::cmp::Ordering::Greater => None,
    };
    let told = |number: usize, evidence: Value| match why {
        Some(why) if number == reached => json!({ "why": why }),
        Some(_) | None => evidence,
    };
    let (status, code) = match &report.probed {
        ProbeOutcome::Answered { status, code } => (Some(*status), code.clone()),
        ProbeOutcome::Changed => (Some(400), Some("signature_mismatch".to_owned())),
        ProbeOutcome::Stored => (Some(200), None),
        ProbeOutcome::NoAnswer { .. } => (None, None),
    };
    let addresses: Vec<String> = report.addresses.iter().map(|address| address.ip().to_string()).collect();
    let ahead = report.clock_ahead;
    let clock_ok = ahead.map(|ahead| ahead.unsigned_abs() < ODD_CLOCK);
    vec![
        StepView { step: "name", ok: ok(0), evidence: told(0, json!({ "addresses": addresses })) },
        StepView { step: "connection", ok: ok(1), evidence: told(1, json!({})) },
        StepView { step: "answer", ok: ok(2), evidence: told(2, json!({ "status": status, "code": code })) },
        StepView { step: "body_unchanged", ok: ok(3), evidence: json!({}) },
        StepView { step: "stored", ok: ok(4), evidence: json!({}) },
        StepView {
            step: "clock",
            ok: clock_ok,
            evidence: json!({ "seconds_ahead": ahead.map(|ahead| ahead / 1_000), "tolerance_s": TOLERANCE_S }),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(probed: ProbeOutcome) -> ProbeReport {
        ProbeReport {
            probed,
            addresses: vec![([203, 0, 113, 5], 443).into()],
            took: 12,
            clock_ahead: Some(400),
        }
    }

    fn oks(probed: ProbeOutcome) -> Vec<Option<bool>> {
        steps(&report(probed)).into_iter().map(|step| step.ok).collect()
    }

    #[test]
    fn each_step_is_told_up_to_the_one_that_failed() {
        let lost = |at| ProbeOutcome::NoAnswer { at, why: "w".into() };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(oks(ProbeOutcome::Stored), [yes; 6]);
        assert_eq!(oks(ProbeOutcome::Changed), [yes, yes, yes, no, None, yes]);
        let answered = ProbeOutcome::Answered { status: 403, code: None };
        assert_eq!(oks(answered), [yes, yes, no, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Response)), [yes, yes, no, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Connection)), [yes, no, None, None, None, yes]);
        assert_eq!(oks(lost(ProbeStage::Name)), [no, None, None, None, None, yes]);
        let odd = ProbeReport { clock_ahead: Some(-31_000), ..report(ProbeOutcome::Stored) };
        assert_eq!(steps(&odd)[5].ok, no);
        assert_eq!(steps(&report(lost(ProbeStage::Name)))[0].evidence, json!({ "why": "w" }));
    }
}
