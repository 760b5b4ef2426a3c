//! The signing secrets of an endpoint: where they are kept, which are accepted now, and the request that
//! shows them.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::endpoint::{EndpointRow, SecretVersion};
use shared::http::{Query, json};
use shared::secret::{EndpointSecret, SigningSecret, SigningSecrets};
use shared::secret_store::SecretStoreError;

use crate::context::RequestContext;
use crate::deps::Deps;
use crate::endpoint::row;
use crate::error::RegisterError;

#[derive(Serialize)]
struct SecretView<'a> {
    name: &'a str,
    /// The newest.
    signing_secret: Option<&'a str>,
    /// All that are accepted now, the newest first; two while a rotation runs.
    accepted: Vec<AcceptedSecretView<'a>>,
}

#[derive(Serialize)]
struct AcceptedSecretView<'a> {
    stripe_id: &'a str,
    signing_secret: &'a str,
}

/// `GET /endpoints/{name}/secret`: shows the signing secret again, to an admin who asks for it.
pub(crate) async fn show(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let row = row::load(context, name).await?;
    if !row.state.accepts_deliveries() {
        return Err(RegisterError::EndpointNotActive { name: name.to_owned(), state: row.state });
    }
    let secrets = accepted(context.deps, &row).await?;
    let accepted: Vec<_> = secrets
        .signing
        .iter()
        .map(|one| AcceptedSecretView { stripe_id: &one.stripe_id, signing_secret: one.secret.reveal() })
        .collect();
    let signing_secret = accepted.first().map(|newest| newest.signing_secret);
    Ok(json(StatusCode::OK, &SecretView { name: row.name.as_str(), signing_secret, accepted }))
}

/// The name of the endpoint's entry in Secrets Manager. A new attempt at registering has a new one, because
/// Secrets Manager holds on to the name of what was deleted.
pub(super) fn entry_name(deps: &Deps, row: &EndpointRow) -> String {
    match &row.secret {
        Some(version) => version.name.clone(),
        None => format!("{}{}/{}", deps.secret_prefix, row.name, row.registration),
    }
}

/// Keeps other signing secrets in the endpoint's entry. `token` names what is kept (see
/// `SecretStore::store_signing_secrets`).
pub(super) async fn replace(
    deps: &Deps,
    row: &EndpointRow,
    token: &str,
    secrets: &SigningSecrets,
) -> Result<SecretVersion, RegisterError> {
    match deps.secret_store.put_signing_secrets(&entry_name(deps, row), token, secrets).await {
        Ok(version) => Ok(version),
        Err(SecretStoreError::Missing(_)) => Err(RegisterError::SecretMissing(row.name.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The signing secrets that are accepted now, the newest first; at least one.
pub(super) async fn accepted(deps: &Deps, row: &EndpointRow) -> Result<SigningSecrets, RegisterError> {
    let missing = || RegisterError::SecretMissing(row.name.to_string());
    let version = row.secret.as_ref().ok_or_else(missing)?;
    match deps.secret_store.signing_secrets(version).await {
        Ok(secrets) if secrets.signing.is_empty() => Err(missing()),
        Ok(secrets) => Ok(secrets),
        Err(SecretStoreError::Missing(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// The newest signing secret: in a rotation, that of the endpoint that takes over.
pub(super) async fn newest(deps: &Deps, row: &EndpointRow) -> Result<SigningSecret, RegisterError> {
    let newest = accepted(deps, row).await?.signing.into_iter().next();
    newest.map(|one| one.secret).ok_or_else(|| RegisterError::SecretMissing(row.name.to_string()))
}

/// Whether the signing secret of one endpoint at Stripe is here. Only what Secrets Manager says is missing is
/// lost; that it cannot be read now is an error, because what is lost is made anew.
pub(super) async fn is_there(
    deps: &Deps,
    row: &EndpointRow,
    stripe_id: Option<&str>,
) -> Result<bool, RegisterError> {
    match for_endpoint(deps, row, stripe_id).await {
        Ok(_) => Ok(true),
        Err(RegisterError::SecretMissing(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The signing secret of one endpoint at Stripe, `we_…`.
pub(super) async fn for_endpoint(
    deps: &Deps,
    row: &EndpointRow,
    stripe_id: Option<&str>,
) -> Result<EndpointSecret, RegisterError> {
    let mut secrets = accepted(deps, row).await?.signing.into_iter();
    let found = secrets.find(|one| Some(one.stripe_id.as_str()) == stripe_id);
    found.ok_or_else(|| RegisterError::SecretMissing(row.name.to_string()))
}
