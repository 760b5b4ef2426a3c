//! A request as a delivery: the endpoint's name, the signature header, the body exactly as sent.

use lambda_http::{Body, Request, RequestExt};
use shared::endpoint::EndpointName;
use shared::signature::SignatureError;

use crate::error::ReceiveError;

/// The largest body taken, in bytes: far above Stripe's largest events, far below what Lambda can be handed (6 MB).
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// One delivery, borrowed from the request.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) endpoint: EndpointName,
    /// The header, if there is one that is text. What is wrong with it matters only once the endpoint is known.
    pub(crate) signature: Result<&'a str, SignatureError>,
    pub(crate) body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// Takes the request apart; the cheap refusals come first. The body is borrowed as API Gateway gave it, base64 undone.
    pub(crate) fn read(request: &'a Request) -> Result<Self, ReceiveError> {
        let body = match request.body() {
            Body::Empty => &[],
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes.as_slice(),
            _ => return Err(ReceiveError::TooLarge),
        };
        if body.len() > MAX_BODY {
            return Err(ReceiveError::TooLarge);
        }
        let endpoint = request
            .raw_http_path()
            .strip_prefix("/webhooks/")
            .and_then(|name| name.parse().ok())
            .ok_or(ReceiveError::UnknownEndpoint)?;
        // API Gateway joins several headers of one name by commas; what then has two `t` is refused when it is parsed.
        let signature =
            request.headers().get("stripe-signature").ok_or(SignatureError::Missing).and_then(|header| {
                header.to_str().map_err(|_| SignatureError::Malformed("it is not plain text"))
            });
        Ok(Self { endpoint, signature, body })
    }
}
