//! Shows an endpoint's signing secret again, to an admin who asks for it: `GET /endpoints/{name}/secret`.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::endpoint::EndpointRow;
use shared::http::{Query, json};
use shared::secret::{SigningSecret, SigningSecrets};
use shared::secret_store::SecretStoreError;

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
    let secrets = deps.secrets_of(&endpoint).await?;
    let accepted: Vec<_> = secrets
        .signing
        .iter()
        .map(|one| AcceptedView { stripe_id: &one.stripe_id, signing_secret: one.secret.reveal() })
        .collect();
    let signing_secret = accepted.first().map(|one| one.signing_secret);
    Ok(json(StatusCode::OK, &SecretView { name: endpoint.name.as_str(), signing_secret, accepted }))
}

impl Deps {
    /// The signing secrets of an endpoint, the newest first; at least one.
    pub(crate) async fn secrets_of(&self, row: &EndpointRow) -> Result<SigningSecrets, RegisterError> {
        let lost = || RegisterError::NoSecret(row.name.to_string());
        let version = row.secret.as_ref().ok_or_else(lost)?;
        match self.secret_store.signing_secrets(version).await {
            Ok(secrets) if secrets.signing.is_empty() => Err(lost()),
            Ok(secrets) => Ok(secrets),
            Err(SecretStoreError::Missing(_)) => Err(lost()),
            Err(error) => Err(error.into()),
        }
    }

    /// The one that Stripe signs with, or will as soon as it is told all.
    pub(crate) async fn newest_secret(&self, row: &EndpointRow) -> Result<SigningSecret, RegisterError> {
        let newest = self.secrets_of(row).await?.signing.into_iter().next();
        newest.map(|one| one.secret).ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))
    }
}
