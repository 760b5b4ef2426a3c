//! A request as a delivery: the endpoint's name, the signature header, the body exactly as sent.

use std::borrow::Cow;

use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt};
use shared::endpoint::EndpointName;
use shared::event::{self, ParsedEvent};
use shared::event_type::PROBE;
use shared::http::{STRIPE_SIGNATURE, header_text};
use shared::ledger::LedgerRow;
use shared::payload;
use shared::signature::SignatureError;

use crate::error::ReceiveError;

/// One delivery, borrowed from the request.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) endpoint: EndpointName,
    /// The header, if there is one that is text. What is wrong with it matters only once the endpoint is
    /// known.
    pub(crate) signature: Result<Cow<'a, str>, SignatureError>,
    pub(crate) body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// Takes the request apart; the cheap refusals come first. The body is borrowed as API Gateway gave it,
    /// base64 undone.
    pub(crate) fn from_request(request: &'a Request) -> Result<Self, ReceiveError> {
        let too_large = ReceiveError::TooLarge { limit: payload::LARGEST };
        let body = match request.body() {
            Body::Empty => &[],
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes.as_slice(),
            _ => return Err(too_large),
        };
        if body.len() > payload::LARGEST {
            return Err(too_large);
        }
        let endpoint = request
            .raw_http_path()
            .strip_prefix("/webhooks/")
            .and_then(|name| name.parse().ok())
            .ok_or(ReceiveError::UnknownEndpoint)?;
        let signature = header_text(request, &STRIPE_SIGNATURE)
            .map_err(|_| SignatureError::Malformed("it is not plain text"))
            .and_then(|header| header.ok_or(SignatureError::Missing));
        Ok(Self { endpoint, signature, body })
    }

    /// Returns the ledger's row for the event in the body, payload included.
    pub(crate) fn to_row(&self, now: Timestamp) -> Result<LedgerRow, ReceiveError> {
        let endpoint = self.endpoint.as_str();
        let parsed = event::read(self.body);
        let packed = payload::pack(self.body, parsed.object_name()).map_err(ReceiveError::Packing)?;
        match parsed {
            ParsedEvent::Event(event) if event.event_type == PROBE => {
                Ok(LedgerRow::probe(&event, endpoint, now, packed))
            }
            ParsedEvent::Event(mut event) => {
                event.id = event.id.kept_as(&packed.sha256);
                Ok(LedgerRow::from_event(&event, endpoint, now, packed))
            }
            ParsedEvent::Unreadable { id, reason } => {
                Ok(LedgerRow::unreadable(id.kept_as(&packed.sha256), reason, endpoint, now, packed))
            }
            ParsedEvent::NotAnEvent(error) => Err(ReceiveError::NoEvent(error)),
        }
    }
}
