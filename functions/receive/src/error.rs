//! Why a delivery is not acknowledged, and what Stripe is answered.
//!
//! Two families: refusals (the sender has to change something) and outages (we have to; answered 503 so that
//! Stripe tries again).

use lambda_http::http::StatusCode;
use shared::aws::{StoreError, error_chain};
use shared::event::EventError;
use shared::http::ApiError;
use shared::signature::SignatureError;

/// Why a delivery is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("the body has more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("there is no endpoint of this name")]
    UnknownEndpoint,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    NoEvent(EventError),
    #[error("the endpoints or their secrets cannot be read")]
    EndpointsUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the payload cannot be packed")]
    Packing(#[source] std::io::Error),
    #[error("the event could not be stored in time")]
    TooSlow,
}

impl ReceiveError {
    /// Returns the answer. That of an outage shows none of its causes.
    pub(crate) fn answer(&self) -> ApiError {
        let refuse = |status, code| ApiError::new(status, code, self.to_string());
        match self {
            Self::TooLarge { .. } => refuse(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Self::UnknownEndpoint => refuse(StatusCode::NOT_FOUND, "endpoint_unknown"),
            Self::Signature(SignatureError::Missing) => refuse(StatusCode::BAD_REQUEST, "signature_missing"),
            Self::Signature(SignatureError::Malformed(_)) => {
                refuse(StatusCode::BAD_REQUEST, "signature_malformed")
            }
            Self::Signature(SignatureError::Mismatch) => {
                refuse(StatusCode::BAD_REQUEST, "signature_mismatch")
            }
            Self::Signature(SignatureError::OutOfTolerance { .. }) => {
                refuse(StatusCode::BAD_REQUEST, "timestamp_out_of_tolerance")
            }
            Self::NoEvent(_) => refuse(StatusCode::BAD_REQUEST, "payload_invalid"),
            Self::EndpointsUnavailable(_) | Self::Store(_) | Self::Packing(_) | Self::TooSlow => {
                ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "temporarily_unavailable",
                    "the event could not be stored; send it again",
                )
            }
        }
    }

    /// Returns the causes of an outage that only a delivery signed by Stripe can meet; none for what
    /// strangers can bring about.
    pub(crate) fn outage_causes(&self) -> Option<String> {
        match self {
            Self::Store(_) | Self::Packing(_) | Self::TooSlow => Some(error_chain(self)),
            Self::EndpointsUnavailable(_)
            | Self::TooLarge { .. }
            | Self::UnknownEndpoint
            | Self::Signature(_)
            | Self::NoEvent(_) => None,
        }
    }
}
