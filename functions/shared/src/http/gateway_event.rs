//! An HTTP API's event (payload format 2.0) as a request.
//!
//! `lambda_http` makes an address of the caller's query, `Host` and `X-Forwarded-Proto`, and panics where
//! they make none; it refuses an event with a header that it cannot keep, and panics at a body that is not
//! base64. Each of these is a failed invocation that a stranger can cause. So what is needed is read here,
//! and the rest of the event never is. `clippy.toml` bars the other way in.
//!
//! The rule: whatever a caller can send through API Gateway becomes a request. What is not as the event says
//! it is, which only a hand-made event can be, is refused with an answer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Context, Request, RequestExt};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use url::form_urlencoded;

use super::ApiError;

/// The name of the header that Stripe signs a delivery in.
pub const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// An event of an HTTP API, of which only what is needed is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayEvent {
    #[serde(default)]
    raw_path: Option<CallersText>,
    #[serde(default)]
    raw_query_string: Option<CallersText>,
    #[serde(default)]
    headers: Option<NeededHeaders>,
    request_context: EventContext,
    #[serde(default)]
    body: Option<CallersText>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventContext {
    #[serde(default)]
    api_id: Option<String>,
    #[serde(default)]
    authorizer: Option<EventAuthorizer>,
    http: EventHttp,
}

#[derive(Debug, Deserialize)]
struct EventAuthorizer {
    #[serde(default)]
    jwt: Option<EventJwt>,
    #[serde(default)]
    iam: Option<EventIam>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventIam {
    #[serde(default)]
    user_arn: Option<CallersText>,
}

#[derive(Debug, Deserialize)]
struct EventJwt {
    #[serde(default)]
    claims: EventClaims,
}

#[derive(Debug, Default, Deserialize)]
struct EventClaims {
    #[serde(default)]
    sub: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventHttp {
    method: String,
    #[serde(default)]
    source_ip: Option<String>,
}

/// What API Gateway says of a request; the extension of every request that was made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayContext {
    /// The id of the API it came through. An event made by hand can hold any.
    pub api_id: Option<String>,
    /// The token that API Gateway has checked, if the route wants one.
    pub checked_token: Option<CheckedToken>,
    /// The ARN of whom IAM has let in, of an address that asks IAM, such as a function's own (function URL).
    /// An event made by hand can hold any.
    pub iam_arn: Option<String>,
    /// The caller's address.
    pub source_ip: Option<String>,
}

/// A token that API Gateway has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedToken {
    /// Its claim `sub`.
    pub subject: Option<String>,
}

impl GatewayEvent {
    /// The event as a request, with [`GatewayContext`] and Lambda's context as extensions. Of the headers it
    /// has `Authorization`, `Stripe-Signature`, and what a browser says of a file that it has; its URI says
    /// nothing, its raw path and its query do.
    ///
    /// # Errors
    /// 400 for a body that is not base64 where the event says so, 405 for a method that is none.
    pub fn into_request(self, context: Context) -> Result<Request, ApiError> {
        let body = match self.body {
            None => Body::Empty,
            Some(CallersText(text)) if self.is_base64_encoded => {
                Body::Binary(STANDARD.decode(text).map_err(|_| not_base64())?)
            }
            Some(CallersText(text)) => Body::Text(text),
        };
        let EventContext { api_id, authorizer, http } = self.request_context;
        let method = Method::from_bytes(http.method.as_bytes()).map_err(|_| no_method(&http.method))?;
        let (jwt, iam) = authorizer.map_or((None, None), |authorizer| (authorizer.jwt, authorizer.iam));
        let checked_token = jwt.map(|jwt| CheckedToken { subject: jwt.claims.sub });
        let iam_arn = iam.and_then(|iam| iam.user_arn).map(|CallersText(arn)| arn);

        let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
        let CallersText(query) = self.raw_query_string.unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters.entry(name.into_owned()).or_default().push(value.into_owned());
        }

        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.headers_mut() = self.headers.unwrap_or_default().0;
        let source_ip = http.source_ip;
        request.extensions_mut().insert(GatewayContext { api_id, checked_token, iam_arn, source_ip });
        let CallersText(path) = self.raw_path.unwrap_or_default();
        Ok(request
            .with_raw_http_path(path)
            .with_query_string_parameters(parameters)
            .with_lambda_context(context))
    }
}

fn not_base64() -> ApiError {
    let message = "the body is not base64, which the event says it is";
    ApiError::new(StatusCode::BAD_REQUEST, "body_invalid", message)
        .remedy("encode it, or set isBase64Encoded to false")
}

fn no_method(text: &str) -> ApiError {
    let message = format!("`{}` is no method of HTTP", text.escape_default());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        .remedy("send one of the methods that the API's description has for this path")
}

/// A text that a caller has chosen. JSON can write halves of characters, which no text can hold: they are
/// replaced.
#[derive(Debug, Default, PartialEq, Eq)]
struct CallersText(String);

impl<'de> Deserialize<'de> for CallersText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = CallersText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<CallersText, E> {
                Ok(CallersText(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<CallersText, E> {
                Ok(CallersText(text))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<CallersText, E> {
                Ok(CallersText(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        // As bytes, because there serde_json lets halves of characters pass.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// Of the event's headers those that are needed.
#[derive(Debug, Default)]
struct NeededHeaders(HeaderMap);

impl<'de> Deserialize<'de> for NeededHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeadersVisitor;
        impl<'de> Visitor<'de> for HeadersVisitor {
            type Value = NeededHeaders;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut headers: M) -> Result<NeededHeaders, M::Error> {
                let mut needed = HeaderMap::new();
                while let Some(CallersText(name)) = headers.next_key()? {
                    let known = [
                        header::AUTHORIZATION,
                        STRIPE_SIGNATURE,
                        header::ACCEPT,
                        header::ACCEPT_ENCODING,
                        header::IF_NONE_MATCH,
                    ]
                    .into_iter()
                    .find(|known| name.eq_ignore_ascii_case(known.as_str()));
                    match known {
                        Some(known) => {
                            let CallersText(value) = headers.next_value()?;
                            needed.append(known, header_value(&value));
                        }
                        None => drop(headers.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(NeededHeaders(needed))
            }
        }
        deserializer.deserialize_map(HeadersVisitor)
    }
}

/// The text as a header's value. Control characters, which no header can have, become a byte that is no text:
/// whoever reads the header then refuses it as such, and does not find it missing.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| {
        let bytes: Vec<u8> =
            text.bytes().map(|byte| if byte.is_ascii_control() { 0xff } else { byte }).collect();
        HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static(""))
    })
}

/// The text of a request's header, if there is one; an error if it is no plain text. Several of one name are
/// joined by commas, as API Gateway does.
///
/// # Errors
/// If it has anything but visible ASCII, spaces and tabs.
pub fn header_text<'a>(
    request: &'a Request,
    name: &HeaderName,
) -> Result<Option<Cow<'a, str>>, lambda_http::http::header::ToStrError> {
    let mut values = request.headers().get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let mut text = Cow::Borrowed(first.to_str()?);
    for more in values {
        let joined = text.to_mut();
        joined.push(',');
        joined.push_str(more.to_str()?);
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::http::segments;

    fn event() -> Value {
        json!({
            "version": "2.0", "routeKey": "GET /status", "rawPath": "/status", "rawQueryString": "live=true",
            "headers": { "host": "example.com", "x-forwarded-proto": "https", "Authorization": "Bearer a.b.c" },
            "requestContext": {
                "apiId": "ours", "authorizer": { "jwt": { "claims": { "sub": "s", "exp": 7 }, "scopes": null } },
                "http": { "method": "GET", "path": "/status", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
            },
            "body": null, "isBase64Encoded": false,
        })
    }

    fn read(event: &Value) -> Result<Request, ApiError> {
        let event: GatewayEvent = serde_json::from_slice(event.to_string().as_bytes()).unwrap();
        event.into_request(Context::default())
    }

    #[test]
    fn what_is_needed_of_an_event_is_in_the_request() {
        let request = read(&event()).unwrap();
        assert_eq!((request.method(), segments(&request)), (&Method::GET, vec!["status".to_owned()]));
        assert_eq!(request.query_string_parameters().first("live"), Some("true"));
        assert_eq!(request.headers()["authorization"], "Bearer a.b.c");
        assert_eq!(request.headers().len(), 1);
        let context = request.extensions().get::<GatewayContext>().unwrap();
        assert_eq!(
            (context.api_id.as_deref(), context.source_ip.as_deref()),
            (Some("ours"), Some("192.0.2.1"))
        );
        assert_eq!(context.checked_token, Some(CheckedToken { subject: Some("s".into()) }));
    }

    #[test]
    fn the_form_that_is_asked_for_is_in_the_request() {
        let mut event = event();
        event["headers"]["Accept"] = "text/csv".into();
        assert_eq!(read(&event).unwrap().headers()["accept"], "text/csv");
    }

    #[test]
    fn what_lambda_http_fails_at_is_a_request_like_any_other() {
        for (pointer, text) in [
            ("/rawQueryString", "a=\"&b=<c>&live=1"),
            ("/rawQueryString", "%zz&&=\u{0}\u{1F4B6}"),
            ("/headers/host", "a b/<>:99999999"),
            ("/headers/host", ""),
            ("/headers/x-forwarded-proto", "ht tp"),
            ("/headers/x-forwarded-proto", ""),
            ("/headers/host", "a\u{0}\r\nb: c"),
            ("/rawPath", "/a b/\"<>\\^`{|}\u{7f}/\u{0}"),
            ("/rawPath", "//"),
            ("/rawPath", ""),
            ("/requestContext/http/method", "PURGE"),
        ] {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = text.into();
            assert!(read(&event).is_ok(), "{pointer}: {text:?}");
        }
        let mut event = event();
        event["headers"]["not a name: é"] = "x".into();
        event["cookies"] = json!(["a\u{0}b", "c"]);
        assert!(read(&event).is_ok());
    }

    #[test]
    fn a_header_that_no_header_can_be_is_there_and_is_no_text() {
        for text in ["t=1\u{0},v1=a", "a\r\nb", "\u{7f}"] {
            let mut event = event();
            event["headers"]["stripe-signature"] = text.into();
            let request = read(&event).unwrap();
            assert!(header_text(&request, &STRIPE_SIGNATURE).is_err(), "{text:?}");
        }
        let request = read(&event()).unwrap();
        assert!(header_text(&request, &STRIPE_SIGNATURE).unwrap().is_none());
        let mut event = event();
        event["headers"]["stripe-signature"] = "a".into();
        event["headers"]["Stripe-Signature"] = "b".into();
        let request = read(&event).unwrap();
        let text = header_text(&request, &STRIPE_SIGNATURE).unwrap().unwrap();
        assert!(matches!(&*text, "a,b" | "b,a"), "{text}");
    }

    #[test]
    fn half_a_character_in_an_event_is_replaced() {
        let text = event()
            .to_string()
            .replace("/status\",\"rawQ", "/\\ud83d\",\"rawQ")
            .replace("null,\"h", "\"\\udc00\",\"h");
        let event: GatewayEvent = serde_json::from_slice(text.as_bytes()).unwrap();
        assert!(event.into_request(Context::default()).is_ok());
    }

    #[test]
    fn a_hand_made_event_that_says_what_is_not_so_is_refused_and_no_event_is_told_from_one() {
        let mut event = event();
        event["isBase64Encoded"] = true.into();
        event["body"] = "not base64".into();
        assert_eq!(read(&event).unwrap_err().code(), "body_invalid");
        let mut event = self::event();
        event["requestContext"]["http"]["method"] = "G ET".into();
        assert_eq!(read(&event).unwrap_err().code(), "method_not_allowed");
        for none in [json!({}), json!({ "requestContext": {} }), json!([]), json!({ "Records": [] })] {
            assert!(serde_json::from_value::<GatewayEvent>(none).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_text_anywhere_becomes_a_request(
            path in any::<String>(),
            query in any::<String>(),
            headers in proptest::collection::hash_map(
                prop_oneof!["host", "x-forwarded-proto", "authorization", "stripe-signature", any::<String>()],
                any::<String>(), 0..6),
            body in any::<String>(),
        ) {
            let mut event = event();
            event["rawPath"] = path.clone().into();
            event["rawQueryString"] = query.into();
            event["headers"] = json!(headers);
            event["body"] = body.clone().into();
            let request = read(&event).unwrap();
            prop_assert_eq!(request.raw_http_path(), path);
            prop_assert_eq!(request.body().as_ref(), body.as_bytes());
        }
    }
}
