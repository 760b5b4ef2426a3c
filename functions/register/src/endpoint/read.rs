//! Shows endpoints: all of them by name, or one.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::http::{Query, json};
use shared::page::Page;

use crate::context::RequestContext;
use crate::endpoint::row;
use crate::endpoint::view::EndpointView;
use crate::error::RegisterError;

/// `GET /endpoints`. There are few (Stripe's limit is some dozens), so a page is cut from one read of them
/// all.
pub(crate) async fn list(
    context: RequestContext<'_>,
    request: &Request,
) -> Result<Response<Body>, RegisterError> {
    let query = Query::read(request, &["limit", "cursor"])?;
    let limit = query.limit()?;
    let from: Option<String> = query.cursor("endpoints")?;
    let rows = context.deps.registry.endpoints().await?;
    let rest: Vec<_> =
        rows.iter().filter(|row| from.as_deref().is_none_or(|from| row.name.as_str() > from)).collect();
    let data: Vec<_> = rest.iter().take(limit).map(|row| EndpointView::new(row, context.deps.mode)).collect();
    let last = rest.get(..limit).filter(|_| rest.len() > limit).and_then(<[_]>::last);
    let next_cursor = last.map(|last| query.next_cursor("endpoints", last.name.as_str()));
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

/// `GET /endpoints/{name}`
pub(crate) async fn get(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let row = row::load(context, name).await?;
    Ok(json(StatusCode::OK, &EndpointView::new(&row, context.deps.mode)))
}
