//! Authentication and authorization: the key in the `Authorization` header, and what it may do.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::error::ApiError;
use crate::options::{Key, Options};

/// Returns the key that was sent, as `Bearer` or as the user name of `Basic`.
pub(crate) fn sent_key(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(value.trim().to_owned()),
        "basic" => {
            let bytes =
                base64::Engine::decode(&base64::engine::general_purpose::STANDARD, value.trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(text.split_once(':').map_or(text.clone(), |(user, _)| user.to_owned()))
        }
        _ => None,
    }
}

/// Returns the account's key that was sent, or a 401.
pub(crate) fn authenticate<'a>(options: &'a Options, sent: Option<&str>) -> Result<&'a Key, ApiError> {
    let sent = sent.filter(|key| !key.is_empty()).ok_or_else(ApiError::no_key)?;
    options.keys.iter().find(|key| key.secret == sent).ok_or_else(|| ApiError::wrong_key(sent))
}

/// Answers 403 unless the key may do this to the resource. A right to write includes the right to read.
pub(crate) fn authorize(options: &Options, key: &Key, resource: &str, writes: bool) -> Result<(), ApiError> {
    let Some(rights) = &key.rights else { return Ok(()) };
    let has = |verb: &str| rights.iter().any(|right| *right == format!("{resource}:{verb}"));
    if has("write") || (!writes && has("read")) {
        return Ok(());
    }
    // Stripe's names for these are in the singular, and endpoints are just "webhook".
    let name = if resource == "webhook_endpoints" { "webhook" } else { resource.trim_end_matches('s') };
    let verb = if writes { "write" } else { "read" };
    Err(ApiError::no_right(&key.secret, &options.account, &format!("{name}_{verb}")))
}
