//! AWS's SDK clients, made from the environment that Lambda gives and nothing else.
//!
//! `aws-config`'s chain of places to look for a region and credentials is left out: in Lambda both are
//! variables, and the chain costs start-up time. The SDK then does not see `AWS_ENDPOINT_URL`, which the
//! local stack sets, so it is read here.
//!
//! The rule: no call without a bound on connecting, on an attempt, on the number of attempts and on the
//! whole.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::env::{self, EnvError};

/// Region, credentials and, on the local stack, the address of AWS.
#[derive(Clone)]
pub struct AwsEnv {
    region: String,
    credentials: Credentials,
    endpoint_url: Option<String>,
}

/// How long calls may take and how often they are tried.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// For opening a connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// Attempts in all, the first counted.
    pub attempts: u32,
    /// For all attempts and the waits between them.
    pub total: Duration,
}

impl CallLimits {
    /// For the receive path, which must answer Stripe within 3 s: two attempts of a second and a short wait
    /// between.
    pub const RECEIVE: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(1),
        attempts: 2,
        total: Duration::from_millis(2_300),
    };

    /// For requests of people and for work in the background.
    pub const PATIENT: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(2),
        attempts: 3,
        total: Duration::from_secs(6),
    };

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.total)
            .build()
    }

    fn retries(self) -> RetryConfig {
        // The SDK waits up to this long before the second attempt, then up to twice it: short, because the
        // bounds are short.
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(Duration::from_millis(100))
    }
}

impl AwsEnv {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and
    /// `AWS_ENDPOINT_URL`.
    ///
    /// # Errors
    /// The first variable that is missing; the last two may be.
    pub fn from_env() -> Result<Self, EnvError> {
        let credentials = Credentials::new(
            env::text("AWS_ACCESS_KEY_ID")?,
            env::text("AWS_SECRET_ACCESS_KEY")?,
            env::text("AWS_SESSION_TOKEN").ok(),
            None,
            "environment",
        );
        Ok(Self {
            region: env::text("AWS_REGION")?,
            credentials,
            endpoint_url: env::text("AWS_ENDPOINT_URL").ok(),
        })
    }

    /// An AWS at another address, for tests.
    pub fn at(endpoint_url: &str) -> Self {
        Self {
            region: "us-east-1".to_owned(),
            credentials: Credentials::new("test", "test", None, None, "test"),
            endpoint_url: Some(endpoint_url.to_owned()),
        }
    }

    /// The address, if it is not AWS's own.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    /// A client of DynamoDB.
    pub fn dynamodb(&self, bounds: CallLimits) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(bounds.timeouts())
            .retry_config(bounds.retries());
        config.set_endpoint_url(self.endpoint_url.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of Secrets Manager.
    pub fn secrets_manager(&self, bounds: CallLimits) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::Config::builder()
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(bounds.timeouts())
            .retry_config(bounds.retries());
        config.set_endpoint_url(self.endpoint_url.clone());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}

/// A call to DynamoDB that did not do what was asked, or whose answer cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed")]
pub struct StoreError {
    doing: &'static str,
    lasting: bool,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Says what was being done, such as `reading the endpoints`.
    pub fn new(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing, lasting: false, source: source.into() }
    }

    /// The same for a write that DynamoDB refused.
    pub fn refused(
        doing: &'static str,
        error: impl ProvideErrorMetadata + Error + Send + Sync + 'static,
    ) -> Self {
        let lasting = error.code() == Some("ValidationException");
        Self { lasting, ..Self::new(doing, error) }
    }

    /// Returns whether the same call would be refused again whenever it is made: DynamoDB cannot take it
    /// (`ValidationException`), as with an item that is too large.
    pub fn is_permanent(&self) -> bool {
        self.lasting
    }

    /// For `map_err`.
    pub fn doing<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::new(doing, source)
    }
}

/// An error and its causes in one line, for a log.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
