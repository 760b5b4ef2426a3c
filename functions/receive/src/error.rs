//! Why a delivery is not acknowledged, and what Stripe is told.
//!
//! Two families: refusals (the sender has to change something) and outages (we have to; answered 503 so that Stripe tries again).
//! What strangers can bring about is counted, not logged one by one; outages that only a rightly signed delivery meets are logged
//! each.

use lambda_http::http::StatusCode;
use shared::aws::{StoreError, error_chain};
use shared::event::EventError;
use shared::http::ApiError;
use shared::signature::SignatureError;

use crate::counts::Outcome;
use crate::delivery::MAX_BODY;

/// Why a delivery is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("the body has more than {MAX_BODY} bytes")]
    TooLarge,
    #[error("there is no endpoint of this name")]
    UnknownEndpoint,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    EventError(EventError),
    #[error("the endpoints or their secrets cannot be read")]
    Book(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the payload cannot be packed")]
    Packing(#[source] std::io::Error),
    #[error("the event could not be stored in time")]
    TooSlow,
}

impl ReceiveError {
    /// The answer. An outage tells no more than that it is one.
    pub(crate) fn answer(&self) -> ApiError {
        let refuse = |status, code| ApiError::new(status, code, self.to_string());
        match self {
            Self::TooLarge => refuse(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
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
            Self::EventError(_) => refuse(StatusCode::BAD_REQUEST, "payload_invalid"),
            Self::Book(_) | Self::Store(_) | Self::Packing(_) | Self::TooSlow => ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "the event could not be stored; send it again",
            ),
        }
    }

    /// How it is counted.
    pub(crate) fn outcome(&self) -> Outcome {
        let answer = self.answer();
        if answer.status().is_server_error() { Outcome::Unavailable } else { Outcome::Refused(answer.code()) }
    }

    /// Did a delivery meet it that Stripe has signed, so that it has to come again? Then its causes, for the log.
    pub(crate) fn outage(&self) -> Option<String> {
        match self {
            Self::Store(_) | Self::Packing(_) | Self::TooSlow => Some(error_chain(self)),
            Self::Book(_)
            | Self::TooLarge
            | Self::UnknownEndpoint
            | Self::Signature(_)
            | Self::EventError(_) => None,
        }
    }
}
