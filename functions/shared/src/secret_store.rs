//! Secrets Manager: signing secrets, and the Stripe key.
//!
//! Signing secrets: one entry an endpoint and registration, whose value lists those accepted now. Readers
//! name the version they want, so that what they hold is exactly what the registry says; version stages are
//! left to Secrets Manager.

use std::error::Error;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::types::Tag;

use crate::endpoint::SecretVersion;
use crate::secret::{SigningSecrets, StripeKey};

/// The secrets of this stack.
#[derive(Debug, Clone)]
pub struct SecretStore {
    client: Client,
    kms_key: Option<String>,
}

/// A secret that could not be read or written. Neither the message nor its cause holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretStoreError {
    /// Secrets Manager did not do it, or it is not known whether it did.
    #[error("{doing} in Secrets Manager failed")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is no such secret or version.
    #[error("secret {0} is not in Secrets Manager")]
    Missing(String),
    /// It holds something else than it should.
    #[error("secret {0} does not hold what it should")]
    Unreadable(String),
}

impl SecretStoreError {
    fn doing<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Unavailable { doing, source: source.into() }
    }
}

impl SecretStore {
    /// The secret store behind this client.
    pub fn new(client: Client) -> Self {
        Self { client, kms_key: None }
    }

    /// The same store, which makes secrets under this KMS key (an ARN); under AWS's own key without one.
    /// Secrets that are there keep theirs.
    #[must_use]
    pub fn encrypting_with(self, kms_key: Option<String>) -> Self {
        Self { kms_key, ..self }
    }

    /// The signing secrets in one version of an endpoint's entry.
    ///
    /// # Errors
    /// See [`SecretStoreError`].
    pub async fn signing_secrets(&self, at: &SecretVersion) -> Result<SigningSecrets, SecretStoreError> {
        let text = self
            .value(&at.name, Some(&at.version))
            .await?
            .ok_or_else(|| SecretStoreError::Missing(at.name.clone()))?;
        // The cause is dropped on purpose: it could quote the secret.
        serde_json::from_str(&text).map_err(|_| SecretStoreError::Unreadable(at.name.clone()))
    }

    /// Keeps signing secrets under a name that is new, or was made by another request of the same
    /// registration. `token` becomes the version's id: whoever keeps the same secrets with it, at once or
    /// later, is given the same version. Without it each would make a version of its own, and Secrets Manager
    /// keeps only the last two.
    ///
    /// # Errors
    /// See [`SecretStoreError`]; also if the token stands for other secrets.
    pub async fn store_signing_secrets(
        &self,
        name: &str,
        token: &str,
        secrets: &SigningSecrets,
    ) -> Result<SecretVersion, SecretStoreError> {
        let doing = "keeping a signing secret";
        let text = serde_json::to_string(secrets).map_err(SecretStoreError::doing(doing))?;
        // The same tag as the stack's tables have, so that one call lists what a stack leaves behind. Names
        // begin with the stack's.
        let stack = name.split('/').next().unwrap_or(name);
        let created = self
            .client
            .create_secret()
            .name(name)
            .client_request_token(token)
            .set_kms_key_id(self.kms_key.clone())
            .tags(Tag::builder().key("billhook:stack").value(stack).build())
            .description("Signing secrets of a Stripe webhook endpoint, kept by Billhook.")
            .secret_string(&text)
            .send()
            .await;
        let version = match created.map_err(|error| error.into_service_error()) {
            Ok(answer) => answer.version_id,
            Err(CreateSecretError::ResourceExistsException(_)) => {
                return self.put_signing_secrets(name, token, secrets).await;
            }
            Err(error) => return Err(SecretStoreError::doing(doing)(error)),
        };
        let version = version.ok_or_else(|| SecretStoreError::doing(doing)("the answer has no version"))?;
        Ok(SecretVersion { name: name.to_owned(), version })
    }

    /// Keeps other signing secrets under a name that is there; if its current version holds them already,
    /// that one stays. `token` as in
    /// [`SecretStore::store_signing_secrets`].
    ///
    /// # Errors
    /// See [`SecretStoreError`]; [`SecretStoreError::Missing`] if there is no such entry.
    pub async fn put_signing_secrets(
        &self,
        name: &str,
        token: &str,
        secrets: &SigningSecrets,
    ) -> Result<SecretVersion, SecretStoreError> {
        let doing = "keeping a signing secret";
        let text = serde_json::to_string(secrets).map_err(SecretStoreError::doing(doing))?;
        // Who keeps what is kept already is given that version: another one could push the version out that a
        // row names, where tokens do not stand for versions as they do with AWS.
        if let Some(version) = self.current_version(name, &text).await? {
            return Ok(SecretVersion { name: name.to_owned(), version });
        }
        let put = self.client.put_secret_value().secret_id(name).client_request_token(token);
        match put.secret_string(&text).send().await.map_err(|error| error.into_service_error()) {
            Ok(answer) => {
                let version = answer.version_id;
                let version =
                    version.ok_or_else(|| SecretStoreError::doing(doing)("the answer has no version"))?;
                Ok(SecretVersion { name: name.to_owned(), version })
            }
            Err(PutSecretValueError::ResourceNotFoundException(_)) => {
                Err(SecretStoreError::Missing(name.to_owned()))
            }
            Err(error) => Err(SecretStoreError::doing(doing)(error)),
        }
    }

    /// The id of the current version, if it holds this text.
    async fn current_version(&self, name: &str, text: &str) -> Result<Option<String>, SecretStoreError> {
        match self.client.get_secret_value().secret_id(name).send().await.map_err(|e| e.into_service_error())
        {
            Ok(answer) if answer.secret_string.as_deref() == Some(text) => Ok(answer.version_id),
            Ok(_) => Ok(None),
            Err(GetSecretValueError::ResourceNotFoundException(_)) => {
                Err(SecretStoreError::Missing(name.to_owned()))
            }
            Err(error) => Err(SecretStoreError::doing("reading a signing secret")(error)),
        }
    }

    /// Removes an endpoint's entry at once, without the days of grace, so that nothing of it stays. Already
    /// gone is done.
    ///
    /// # Errors
    /// See [`SecretStoreError`].
    pub async fn remove(&self, name: &str) -> Result<(), SecretStoreError> {
        let removed =
            self.client.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await;
        match removed.map_err(|error| error.into_service_error()) {
            Ok(_) | Err(DeleteSecretError::ResourceNotFoundException(_)) => Ok(()),
            // Secrets Manager deletes a little later than it answers, and refuses a second deletion
            // meanwhile.
            Err(DeleteSecretError::InvalidRequestException(_)) if self.is_going(name).await => Ok(()),
            Err(error) => Err(SecretStoreError::doing("removing a signing secret")(error)),
        }
    }

    async fn is_going(&self, name: &str) -> bool {
        match self
            .client
            .describe_secret()
            .secret_id(name)
            .send()
            .await
            .map_err(|error| error.into_service_error())
        {
            Ok(answer) => answer.deleted_date.is_some(),
            Err(error) => error.is_resource_not_found_exception(),
        }
    }

    /// Returns whether the entry exists, without reading its value.
    ///
    /// # Errors
    /// If Secrets Manager cannot be asked.
    pub async fn has(&self, at: &SecretVersion) -> Result<bool, SecretStoreError> {
        match self
            .client
            .describe_secret()
            .secret_id(&at.name)
            .send()
            .await
            .map_err(|error| error.into_service_error())
        {
            Ok(answer) => Ok(answer.deleted_date.is_none()
                && answer.version_ids_to_stages.is_some_and(|versions| versions.contains_key(&at.version))),
            Err(DescribeSecretError::ResourceNotFoundException(_)) => Ok(false),
            Err(error) => Err(SecretStoreError::doing("looking for a signing secret")(error)),
        }
    }

    /// The Stripe key, if one has been set.
    ///
    /// # Errors
    /// See [`SecretStoreError`].
    pub async fn stripe_key(&self, secret: &str) -> Result<Option<StripeKey>, SecretStoreError> {
        match self.value(secret, None).await?.as_deref() {
            // What the template puts in place until a key is set.
            None | Some("" | "{}") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| SecretStoreError::Unreadable(secret.to_owned())),
        }
    }

    /// Sets the Stripe key.
    ///
    /// # Errors
    /// See [`SecretStoreError`].
    pub async fn set_stripe_key(&self, secret: &str, key: &StripeKey) -> Result<(), SecretStoreError> {
        let put = self.client.put_secret_value().secret_id(secret).secret_string(key.reveal()).send().await;
        put.map(drop).map_err(SecretStoreError::doing("setting the Stripe key"))
    }

    async fn value(&self, secret: &str, version: Option<&str>) -> Result<Option<String>, SecretStoreError> {
        let get = self
            .client
            .get_secret_value()
            .secret_id(secret)
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        match get.map_err(|error| error.into_service_error()) {
            Ok(answer) => Ok(answer.secret_string),
            Err(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
            Err(error) => Err(SecretStoreError::doing("reading a secret")(error)),
        }
    }
}
