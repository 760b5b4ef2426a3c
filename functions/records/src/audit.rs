//! `GET /audit`: who did what, when, from where; the latest first.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::Value;
use shared::audit::AuditEntry;
use shared::http::{ApiError, Query, json};
use shared::page::Page;

use crate::Deps;

#[derive(Serialize)]
struct ActView {
    at: String,
    action: String,
    target: String,
    subject: String,
    email: Option<String>,
    address: Option<String>,
    result: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl From<AuditEntry> for ActView {
    fn from(act: AuditEntry) -> Self {
        Self {
            at: act.at().to_owned(),
            action: act.action,
            target: act.target,
            subject: act.subject,
            email: act.email,
            address: act.address,
            result: act.result,
            before: act.before,
            after: act.after,
        }
    }
}

pub(crate) async fn list(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let query = Query::read(request, &["limit", "cursor"])?;
    let list = format!("{} audit", deps.mode);
    let (acts, next) = deps.audit.list(query.cursor(&list)?, query.limit()?, now).await?;
    let next_cursor = next.map(|at| query.next_cursor(&list, at));
    Ok(json(StatusCode::OK, &Page { data: acts.into_iter().map(ActView::from).collect(), next_cursor }))
}
