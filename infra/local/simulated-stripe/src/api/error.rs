//! Errors in Stripe's own shape and wording.
//!
//! The texts follow recorded answers where there are any, because some clients can only distinguish errors by
//! their text (the limit on endpoints has no code).

use serde_json::{Value, json};

/// An error before the call took effect. It is never stored under an idempotency key, since nothing was done.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl ApiError {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, kind: "invalid_request_error", code: None, param: None, message: message.into() }
    }

    /// 400 about one parameter.
    pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::new(400, message) }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn missing(param: &str) -> Self {
        let message = format!("Missing required param: {param}.");
        Self { code: Some("parameter_missing"), ..Self::invalid(param, message) }
    }

    pub(crate) fn unknown(param: &str) -> Self {
        let message = format!("Received unknown parameter: {param}");
        Self { code: Some("parameter_unknown"), ..Self::invalid(param, message) }
    }

    pub(crate) fn url(message: &str) -> Self {
        Self { code: Some("url_invalid"), ..Self::invalid("url", message) }
    }

    /// 404 about the object in the path.
    pub(crate) fn no_such(noun: &str, id: &str) -> Self {
        Self { status: 404, ..Self::no_such_cursor("id", noun, id) }
    }

    /// 400 about an object named by a parameter.
    pub(crate) fn no_such_cursor(param: &str, noun: &str, id: &str) -> Self {
        let message = format!("No such {noun}: '{id}'");
        Self { code: Some("resource_missing"), ..Self::invalid(param, message) }
    }

    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let help = "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.";
        Self::new(404, format!("Unrecognized request URL ({method}: {path}). {help}"))
    }

    pub(crate) fn no_key() -> Self {
        Self::new(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    }

    pub(crate) fn wrong_key(key: &str) -> Self {
        Self::new(401, format!("Invalid API Key provided: {}", masked(key)))
    }

    pub(crate) fn no_right(key: &str, account: &str, right: &str) -> Self {
        let key = masked(key);
        Self::new(
            403,
            format!(
                "The provided key '{key}' does not have the required permissions for this endpoint on account \
                 '{account}'. Having the 'rak_{right}' permission would allow this request to continue."
            ),
        )
    }

    /// 403 for a connected account that has left the platform.
    pub(crate) fn no_access(key: &str, account: &str) -> Self {
        let message = format!(
            "The provided key '{}' does not have access to account '{account}' (or that account does not exist). \
             Application access may have been revoked.",
            masked(key)
        );
        Self { code: Some("account_invalid"), ..Self::new(403, message) }
    }

    pub(crate) fn other_parameters(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
             using a key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::new(400, message) }
    }

    pub(crate) fn key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key ({key}). Please try again later."
        );
        Self { kind: "idempotency_error", code: Some("idempotency_key_in_use"), ..Self::new(409, message) }
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(code) = self.code {
            error["code"] = json!(code);
            error["doc_url"] =
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        }
        if let Some(param) = &self.param {
            error["param"] = json!(param);
        }
        json!({ "error": error })
    }
}

/// Returns a key as Stripe shows it in a message: its kind and its last four characters.
fn masked(key: &str) -> String {
    let kind: String = key.chars().take(8).collect();
    let last: Vec<char> = key.chars().rev().take(4).collect();
    format!("{kind}*********{}", last.into_iter().rev().collect::<String>())
}
