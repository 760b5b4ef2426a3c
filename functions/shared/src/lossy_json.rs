//! JSON as Stripe can send it, read with what a program can hold.
//!
//! A text may hold half an emoji, `"\\ud83d"`: one escape of a UTF-16 pair, which a system of the merchant's
//! has cut. JSON allows it, Unicode does not. It is read as U+FFFD, as `String::from_utf8_lossy` does; the
//! bytes themselves are kept as sent. What cannot be held at all (a number beyond any double, maps in maps
//! over 127 deep) is an error that says so.

use serde::de::DeserializeOwned;

/// Why a text cannot be read. The message has `serde_json`'s words, which say where; so none has a source.
#[derive(Debug, thiserror::Error)]
pub enum LossyJsonError {
    /// Such as `1e999`.
    #[error("it holds a number beyond any double: {0}")]
    NumberOutOfRange(serde_json::Error),
    /// `serde_json` reads 127 levels.
    #[error("it is nested more than 127 levels deep: {0}")]
    TooDeep(serde_json::Error),
    /// Anything else.
    #[error(transparent)]
    Json(serde_json::Error),
}

impl From<serde_json::Error> for LossyJsonError {
    fn from(error: serde_json::Error) -> Self {
        // `serde_json` tells these apart by their words only.
        let words = error.to_string();
        if words.starts_with("number out of range") {
            Self::NumberOutOfRange(error)
        } else if words.starts_with("recursion limit exceeded") {
            Self::TooDeep(error)
        } else {
            Self::Json(error)
        }
    }
}

/// Reads a JSON text; halves of a UTF-16 pair become U+FFFD.
///
/// # Errors
/// See [`LossyJsonError`].
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, LossyJsonError> {
    serde_json::from_str(text).or_else(|error| match without_halves(text) {
        Some(whole) => Ok(serde_json::from_str(&whole)?),
        None => Err(error.into()),
    })
}

/// Reads JSON bytes, as [`from_str`] does.
///
/// # Errors
/// See [`LossyJsonError`]; also if the bytes are not UTF-8.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LossyJsonError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => from_str(text),
        Err(_) => Ok(serde_json::from_slice(bytes)?),
    }
}

/// Returns the text with each half of a UTF-16 pair replaced; none if it has none.
fn without_halves(text: &str) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        // An escape is the backslash and one character, or `u` and four digits.
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                any = true;
                whole.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (escape, after) = escape.split_at(length);
        whole.push_str(escape);
        rest = after;
    }
    whole.push_str(rest);
    any.then_some(whole)
}

/// Returns the UTF-16 unit that an escape at the text's beginning stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn half_an_emoji_is_replaced_and_everything_else_is_as_written() {
        for (text, read) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ude00b""#, "\u{fffd}b"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""\\ud83d é \ud83d""#, "\\ud83d é \u{fffd}"),
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""\u00e9""#, "é"),
        ] {
            assert_eq!(from_str::<Value>(text).unwrap(), json!(read), "{text}");
            assert_eq!(from_slice::<Value>(text.as_bytes()).unwrap(), json!(read));
        }
        assert_eq!(from_str::<Value>(r#"{"\ud83d":1}"#).unwrap(), json!({ "\u{fffd}": 1 }));
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let number = from_str::<Value>(r#"{"a":1e999}"#).unwrap_err();
        assert!(number.to_string().contains("beyond any double"), "{number}");
        let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
        let deep = from_str::<Value>(&deep).unwrap_err();
        assert!(deep.to_string().contains("127 levels"), "{deep}");
        for error in [&number, &deep] {
            assert!(std::error::Error::source(error).is_none(), "its words would come twice: {error}");
        }
        let both = from_str::<Value>(r#"["\ud83d",1e999]"#).unwrap_err();
        assert!(both.to_string().contains("beyond any double"), "{both}");
        for text in ["", "{", r#""\u12"#, r#""\"#, r#""\ud83"#] {
            assert!(from_str::<Value>(text).is_err(), "{text}");
        }
        assert!(from_slice::<Value>(b"\"\xff\"").is_err());
    }
}
