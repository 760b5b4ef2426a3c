//! The check of what becomes of an endpoint's events: whether they change records at all.

use serde_json::json;
use shared::event_type::{is_applied, matches};

use super::sample::sample;
use crate::inputs::EndpointInputs;
use crate::report::{Check, Severity};

/// A warning: what is kept and not applied is kept on somebody's word.
pub(super) fn events_applied(endpoint: &EndpointInputs, ignore: &[String]) -> Check {
    let code = "events_applied";
    let wanted: Vec<&str> = endpoint.row.spec.events.iter().map(String::as_str).collect();
    let (applied, never_applied): (Vec<&str>, Vec<&str>) =
        wanted.into_iter().partition(|event_type| is_applied(event_type));
    let is_ignored = |event_type: &&str| ignore.iter().any(|pattern| matches(pattern, event_type));
    let ignored: Vec<&str> = applied.iter().copied().filter(is_ignored).collect();
    let evidence = json!({
        "applied": applied.len() - ignored.len(),
        "ignored": sample(&ignored),
        "never_applied": sample(&never_applied),
    });
    if applied.len() == ignored.len() && !applied.is_empty() {
        Check::fail(
            code,
            Severity::Warning,
            "the stack's settings ignore all that it brings, so no record changes by it",
            evidence,
            "PATCH /settings with fewer types in `ignore`; then POST /events/replay {\"state\":\"ignored\",\"reason\":\"filter\"} applies what was kept meanwhile",
        )
    } else if !never_applied.is_empty() {
        Check::fail(
            code,
            Severity::Warning,
            "it asks for event types that change no record here: they are kept in the ledger and ignored",
            evidence,
            format!(
                "PATCH /endpoints/{} with `events` without them, or null for all that are applied; or read them with GET /events?type=…",
                endpoint.row.name
            ),
        )
    } else {
        Check::pass(code, Severity::Warning, "what it brings is applied to records", evidence)
    }
}
