//! Answers and requests of the HTTP API, the same in every function.
//!
//! An error is `{"error":{"code","message","field"?,"remedy"?,"request_id"}}`. The rule: the message is for
//! the caller; a cause from inside is logged when the error is answered and never sent. A handler answers
//! every refusal as a response, because an `Err` would reach the caller as a bare 500.

mod fields;
mod gateway_event;
mod serve;
mod trigger;

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

pub use self::fields::{Fields, Query};
pub use self::gateway_event::{CheckedToken, GatewayContext, GatewayEvent, STRIPE_SIGNATURE, header_text};
pub use self::serve::{answer, run, to_lambda};
pub use self::trigger::{UnknownTrigger, dispatch};
use crate::aws::{StoreError, error_chain};
use crate::secret_store::SecretStoreError;

/// A refusal, in words for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
    remedy: Option<String>,
    /// What failed behind us. It is logged when the error is answered, and never sent.
    cause: Option<String>,
}

impl ApiError {
    /// A refusal with a stable code. The message is a lower-case fragment that names the thing.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, remedy: None, cause: None }
    }

    /// 400 for a field or parameter that has a wrong value.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter_invalid", message).field(field)
    }

    /// 404 for a thing that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 404 for a path that the function does not have.
    pub fn no_route(request: &Request) -> Self {
        Self::not_found(format!("there is no {} {}", request.method(), request.raw_http_path()))
    }

    /// 405 for a method that the path does not take.
    pub fn method_not_allowed(request: &Request, remedy: impl Into<String>) -> Self {
        let message = format!("{} is not a method of {}", request.method(), request.raw_http_path());
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).remedy(remedy)
    }

    /// 503 for an outage behind us. The cause is logged when this is answered, and not sent.
    pub fn unavailable(doing: &str, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut error =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", format!("{doing} failed"))
                .remedy("try again shortly; if it stays, look at the function's log for this request_id");
        error.cause = Some(error_chain(cause));
        error
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Its message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The answer to the caller. What failed behind us is logged here, once.
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        if let Some(cause) = &self.cause {
            tracing::error!(error = cause, "{}", self.message);
        }
        #[derive(Serialize)]
        struct ErrorBody<'a> {
            error: ErrorFields<'a>,
        }
        #[derive(Serialize)]
        struct ErrorFields<'a> {
            code: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            field: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            remedy: Option<&'a str>,
            request_id: &'a str,
        }
        let error = ErrorFields {
            code: self.code,
            message: &self.message,
            field: self.field.as_deref(),
            remedy: self.remedy.as_deref(),
            request_id,
        };
        json(self.status, &ErrorBody { error })
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::unavailable("reading or writing DynamoDB", &error)
    }
}

impl From<SecretStoreError> for ApiError {
    fn from(error: SecretStoreError) -> Self {
        Self::unavailable("reading or writing Secrets Manager", &error)
    }
}

/// A JSON answer. Never cached: every answer shows a state that changes, and some show secrets.
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Response<Body> {
    // What is answered is made of texts, numbers and stored JSON, which always serialize; an empty body would
    // still be a well-formed answer with the right status.
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 204.
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Lambda's id of this request, which its log lines carry too (`span.requestId`).
pub fn request_id(request: &Request) -> String {
    request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default()
}

/// What the path holds after its first `leading` segments, in the forms that it may be meant in, the
/// likeliest first: as it came, then percent-decoded. None if it ends before.
///
/// For ids that hold any character. HTTP APIs decode a path before they hand it over as `rawPath` (so that an
/// id's slash looks like the path's own), and not a `%` that was itself escaped; other callers may hand over
/// the path as it was sent.
pub fn path_rest(request: &Request, leading: usize) -> Vec<String> {
    let path = request.raw_http_path();
    let rest = path.trim_start_matches('/').splitn(leading + 1, '/').nth(leading);
    let Some(rest) = rest.filter(|rest| !rest.is_empty()) else { return Vec::new() };
    let decoded = percent_encoding::percent_decode_str(rest).decode_utf8().ok();
    let decoded = decoded.filter(|decoded| decoded != rest).map(std::borrow::Cow::into_owned);
    [rest.to_owned()].into_iter().chain(decoded).collect()
}

/// The segments of the request's path, percent-decoded: `/records/payments/pi_1` is `["records", "payments",
/// "pi_1"]`. For names that hold no slash and no percent sign; for ids there is [`path_rest`].
pub fn segments(request: &Request) -> Vec<String> {
    request
        .raw_http_path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_a_path_is_found_whether_the_path_comes_decoded_or_as_it_was_sent() {
        let rest = |path: &str| path_rest(&Request::default().with_raw_http_path(path), 2);
        for (id, decoded, decoded_but_percent, as_sent) in [
            ("acme/42", "acme/42", "acme/42", "acme%2F42"),
            ("50%25", "50%25", "50%2525", "50%2525"),
            ("user 7", "user 7", "user 7", "user%207"),
            (
                "gid://shop/Customer/1",
                "gid://shop/Customer/1",
                "gid://shop/Customer/1",
                "gid:%2F%2Fshop%2FCustomer%2F1",
            ),
            ("50%", "50%", "50%25", "50%25"),
            ("größe", "größe", "größe", "gr%C3%B6%C3%9Fe"),
            ("cus_1", "cus_1", "cus_1", "cus_1"),
        ] {
            for form in [decoded, decoded_but_percent, as_sent] {
                let forms = rest(&format!("/records/customers/{form}"));
                assert!(forms.contains(&id.to_owned()), "{id} as {form}: {forms:?}");
                assert_eq!(forms[0], form, "what came goes before");
            }
        }
        assert_eq!(rest("/records/customers"), [""; 0]);
        assert_eq!(rest("/records/customers/"), [""; 0]);
        assert_eq!(rest("/records/customers/a%FF"), ["a%FF"]);
    }
}
