//! Shows an endpoint's signing secret again, to an admin who asks for it: `GET /endpoints/{name}/secret`.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::http::{Query, json};

use crate::Deps;
use crate::error::RegisterError;
use crate::list::named;

/// The secrets that are accepted now, the newest first.
#[derive(Serialize)]
struct SecretView<'a> {
    name: &'a str,
    signing_secret: Option<&'a str>,
    /// While a rotation runs, the one before too.
    accepted: Vec<AcceptedView<'a>>,
}

#[derive(Serialize)]
struct AcceptedView<'a> {
    stripe_id: &'a str,
    signing_secret: &'a str,
}

pub(crate) async fn show(
    deps: &Deps,
    request: &Request,
    name: &str,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let endpoint = named(deps, name).await?;
    let version = endpoint.secret.ok_or_else(|| RegisterError::NoSecret(name.to_owned()))?;
    let secrets = deps.vault.signing_secrets(&version).await.map_err(|error| match error {
        shared::vault::VaultError::Missing(_) => RegisterError::NoSecret(name.to_owned()),
        error => error.into(),
    })?;
    let accepted: Vec<_> = secrets
        .signing
        .iter()
        .map(|one| AcceptedView { stripe_id: &one.stripe_id, signing_secret: one.secret.reveal() })
        .collect();
    let signing_secret = accepted.first().map(|one| one.signing_secret);
    Ok(json(StatusCode::OK, &SecretView { name: endpoint.name.as_str(), signing_secret, accepted }))
}
