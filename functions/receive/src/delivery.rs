//! A request as a delivery: the endpoint's name, the signature header, the body exactly as sent.

use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt};
use shared::endpoint::EndpointName;
use shared::event::{self, ParsedEvent};
use shared::event_type::PROBE;
use shared::ledger::LedgerRow;
use shared::payload;
use shared::signature::SignatureError;

use crate::error::ReceiveError;

/// The largest body taken, in bytes: far above Stripe's largest events, far below what Lambda can be handed
/// (6 MB).
const MAX_BODY: usize = 1024 * 1024;

/// One delivery, borrowed from the request.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) endpoint: EndpointName,
    /// The header, if there is one that is text. What is wrong with it matters only once the endpoint is
    /// known.
    pub(crate) signature: Result<&'a str, SignatureError>,
    pub(crate) body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// Takes the request apart; the cheap refusals come first. The body is borrowed as API Gateway gave it,
    /// base64 undone.
    pub(crate) fn from_request(request: &'a Request) -> Result<Self, ReceiveError> {
        let too_large = ReceiveError::TooLarge { limit: MAX_BODY };
        let body = match request.body() {
            Body::Empty => &[],
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes.as_slice(),
            _ => return Err(too_large),
        };
        if body.len() > MAX_BODY {
            return Err(too_large);
        }
        let endpoint = request
            .raw_http_path()
            .strip_prefix("/webhooks/")
            .and_then(|name| name.parse().ok())
            .ok_or(ReceiveError::UnknownEndpoint)?;
        // API Gateway joins several headers of one name by commas; what then has two `t` is refused when it
        // is parsed.
        let signature =
            request.headers().get("stripe-signature").ok_or(SignatureError::Missing).and_then(|header| {
                header.to_str().map_err(|_| SignatureError::Malformed("it is not plain text"))
            });
        Ok(Self { endpoint, signature, body })
    }

    /// Returns the ledger's row for the event in the body, payload included.
    pub(crate) fn to_row(&self, now: Timestamp) -> Result<LedgerRow, ReceiveError> {
        let packed = payload::pack(self.body).map_err(ReceiveError::Packing)?;
        let endpoint = self.endpoint.as_str();
        match event::read(self.body) {
            ParsedEvent::Event(event) if event.event_type == PROBE => {
                Ok(LedgerRow::probe(&event, endpoint, now, packed))
            }
            ParsedEvent::Event(event) => Ok(LedgerRow::from_event(&event, endpoint, now, packed)),
            ParsedEvent::Unreadable { id, reason } => {
                Ok(LedgerRow::unreadable(id, reason, endpoint, now, packed))
            }
            ParsedEvent::NotAnEvent(error) => Err(ReceiveError::NoEvent(error)),
        }
    }
}
