//! `GET /audit`: who did what, when, from where; the latest first.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::Value;
use shared::audit::{self, AuditEntry};
use shared::http::{ApiError, Query, json};
use shared::page::Page;

use crate::deps::Deps;

#[derive(Serialize)]
struct AuditEntryView {
    at: String,
    action: String,
    target: String,
    subject: String,
    claimed: Option<String>,
    request_id: Option<String>,
    email: Option<String>,
    address: Option<String>,
    result: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            at: entry.at().to_owned(),
            action: entry.action,
            target: entry.target,
            subject: entry.subject,
            claimed: entry.claimed,
            request_id: entry.request_id,
            email: entry.email,
            address: entry.address,
            result: entry.result,
            before: entry.before,
            after: entry.after,
        }
    }
}

pub(crate) async fn list(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let query = Query::read(request, &["limit", "cursor"])?;
    let list_name = format!("{} audit", deps.mode);
    let from: Option<String> = query.cursor(&list_name)?;
    if from.as_deref().is_some_and(|from| !audit::can_contain(from)) {
        return Err(query.invalid_cursor());
    }
    let (entries, next) = deps.audit.list(from, query.limit()?, now).await?;
    let next_cursor = next.map(|position| query.next_cursor(&list_name, position));
    let data = entries.into_iter().map(AuditEntryView::from).collect();
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}
