//! What each answer says to the browser about what the page may do.

use lambda_http::http::{HeaderName, HeaderValue, header};
use lambda_http::{Body, Response};
use url::Url;

use crate::config::{Config, Issuer};

/// Headers of every answer. They are made once, since they name the issuer.
#[derive(Debug)]
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

/// The policy for the page's content, but for whom it may call: its own files alone, nothing inline, no frame
/// around it. `require-trusted-types-for` has the browser refuse text as markup; Svelte sets its own
/// templates by the one policy that is named.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

/// An address of the configuration that is none.
#[derive(Debug, thiserror::Error)]
#[error("{url} is not an address: {reason}")]
pub struct WrongUrl {
    /// What stands in the configuration.
    url: String,
    /// Why it is none.
    reason: String,
}

impl SecurityHeaders {
    pub(crate) fn new(config: &Config) -> Result<Self, WrongUrl> {
        // The API, which is the page's own origin, and where codes are exchanged for tokens.
        let called: Vec<String> = match &config.issuer_kind {
            Issuer::OwnPool { url } => vec![origin(url)?],
            // The issuer tells where its token endpoint is.
            Issuer::Outside { token_origin } => {
                let others = token_origin.as_deref().map(origin).transpose()?;
                [origin(&config.issuer)?].into_iter().chain(others).collect()
            }
        };
        let policy = format!("{CONTENT_POLICY}; connect-src 'self' {}", called.join(" "));
        let policy = HeaderValue::from_str(&policy)
            .map_err(|error| WrongUrl { url: called.join(" "), reason: error.to_string() })?;
        Ok(Self(vec![
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            // Popups stay the page's own, so that the one in which somebody signs in again can close itself.
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin-allow-popups"),
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ),
        ]))
    }

    pub(crate) fn add_to(&self, response: &mut Response<Body>) {
        for (name, value) in &self.0 {
            response.headers_mut().insert(name, value.clone());
        }
    }
}

/// The origin of an address: scheme, host and port.
fn origin(address: &str) -> Result<String, WrongUrl> {
    let wrong = |reason: String| WrongUrl { url: address.to_owned(), reason };
    let url = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
    match url.origin() {
        origin if origin.is_tuple() => Ok(origin.ascii_serialization()),
        _ => Err(wrong("it has no host".to_owned())),
    }
}
