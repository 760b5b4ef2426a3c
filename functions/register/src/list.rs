//! Shows endpoints: all of them by name, or one.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::EndpointRow;
use shared::http::{Query, json};
use shared::page::Page;

use crate::Deps;
use crate::error::RegisterError;
use crate::view::EndpointView;

/// `GET /endpoints`. There are few (Stripe's cap is some dozens), so a page is cut from one read of them all.
pub(crate) async fn endpoints(deps: &Deps, request: &Request) -> Result<Response<Body>, RegisterError> {
    let query = Query::read(request, &["limit", "cursor"])?;
    let limit = query.limit()?;
    let from: Option<String> = query.cursor("endpoints")?;
    let endpoints = deps.registry.endpoints().await?;
    let rest: Vec<_> = endpoints
        .iter()
        .filter(|endpoint| from.as_deref().is_none_or(|from| endpoint.name.as_str() > from))
        .collect();
    let data: Vec<_> =
        rest.iter().take(limit).map(|endpoint| EndpointView::of(endpoint, deps.mode)).collect();
    let last = rest.get(..limit).filter(|_| rest.len() > limit).and_then(<[_]>::last);
    let next_cursor = last.map(|last| query.next_cursor("endpoints", last.name.as_str()));
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

/// `GET /endpoints/{name}`
pub(crate) async fn endpoint(
    deps: &Deps,
    request: &Request,
    name: &str,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    Ok(json(StatusCode::OK, &EndpointView::of(&named(deps, name).await?, deps.mode)))
}

/// The endpoint of this name; a text that cannot be a name is the name of nothing.
pub(crate) async fn named(deps: &Deps, name: &str) -> Result<EndpointRow, RegisterError> {
    let unknown = || RegisterError::NoSuchEndpoint(name.to_owned());
    let parsed = name.parse().map_err(|_| unknown())?;
    deps.registry.endpoint(&parsed).await?.ok_or_else(unknown)
}
