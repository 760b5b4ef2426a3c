//! Secrets as values that cannot be shown by accident.
//!
//! The rule: neither type implements `Display`, `Debug` prints `[redacted]`, and the text leaves only through
//! `reveal`, so that every place which shows a secret can be found by that word.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::mode::Mode;

/// An endpoint's signing secret, `whsec_…`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

/// Text that cannot be a signing secret. The text itself is not repeated.
#[derive(Debug, thiserror::Error)]
#[error("a signing secret begins with `whsec_` and goes on with visible characters")]
pub struct InvalidSigningSecret;

impl FromStr for SigningSecret {
    type Err = InvalidSigningSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("whsec_").ok_or(InvalidSigningSecret)?;
        if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidSigningSecret);
        }
        Ok(Self(text.to_owned()))
    }
}

impl SigningSecret {
    /// The whole secret. The prefix is part of the HMAC key (Stripe's documentation, "Verify webhook
    /// signatures manually").
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters: enough to compare with Stripe's dashboard, too little to sign with.
    pub fn hint(&self) -> String {
        last_four(&self.0)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([redacted])")
    }
}

impl Serialize for SigningSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SigningSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What an endpoint's entry in Secrets Manager holds: the signing secrets accepted now, newest first, at most
/// two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecrets {
    /// Newest first.
    pub signing: Vec<EndpointSecret>,
}

/// One signing secret and the webhook endpoint at Stripe that signs with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// Stripe's id, `we_…`.
    pub stripe_id: String,
    /// What it signs with.
    pub secret: SigningSecret,
}

/// A Stripe API key, secret (`sk_`) or restricted (`rk_`).
#[derive(Clone, PartialEq, Eq)]
pub struct StripeKey {
    text: String,
    mode: Mode,
}

/// Why a text is no key that Billhook can use. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStripeKey {
    /// `pk_…`, which may not call the API.
    #[error("this is a publishable key, which cannot read events or manage webhook endpoints")]
    Publishable,
    /// Anything else.
    #[error("a Stripe key begins with `sk_test_`, `rk_test_`, `sk_live_` or `rk_live_`")]
    Unrecognised,
}

impl FromStr for StripeKey {
    type Err = InvalidStripeKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("pk_") {
            return Err(InvalidStripeKey::Publishable);
        }
        let (mode, rest) = [("test_", Mode::Test), ("live_", Mode::Live)]
            .into_iter()
            .find_map(|(word, mode)| {
                let rest =
                    text.strip_prefix("sk_").or_else(|| text.strip_prefix("rk_"))?.strip_prefix(word)?;
                Some((mode, rest))
            })
            .ok_or(InvalidStripeKey::Unrecognised)?;
        // Stripe promises no length.
        let plausible =
            (1..=255).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plausible {
            return Err(InvalidStripeKey::Unrecognised);
        }
        Ok(Self { text: text.to_owned(), mode })
    }
}

impl StripeKey {
    /// The whole key, for the `Authorization` header.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The mode its prefix names.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The prefix and the last four characters, as Stripe's dashboard shows keys: `sk_test_…AbCd`. Of a key
    /// so short that this would be much of it, the prefix alone.
    pub fn hint(&self) -> String {
        let (prefix, rest) = self.text.split_at(8);
        if rest.len() < 8 { format!("{prefix}…") } else { format!("{prefix}…{}", last_four(rest)) }
    }
}

impl fmt::Debug for StripeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StripeKey([redacted])")
    }
}

fn last_four(text: &str) -> String {
    // Both types hold ASCII only, so four bytes are four characters.
    text[text.len().saturating_sub(4)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_as_redacted() {
        let secret: SigningSecret = "whsec_verysecret".parse().unwrap();
        let key: StripeKey = "sk_test_verysecretkey".parse().unwrap();
        let list = SigningSecrets {
            signing: vec![EndpointSecret { stripe_id: "we_1".into(), secret: secret.clone() }],
        };
        let printed = format!("{secret:?} {key:?} {list:?}");
        assert!(!printed.contains("verysecret"), "{printed}");
        assert!(printed.contains("[redacted]"));
        assert_eq!((secret.hint().as_str(), key.hint().as_str()), ("cret", "sk_test_…tkey"));
    }

    #[test]
    fn an_empty_or_blank_secret_is_never_accepted() {
        for text in ["", " ", "whsec_", "whsec_ ", "whsec_a b", "whsec_a\n", "secret"] {
            assert!(text.parse::<SigningSecret>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_key_tells_its_mode_and_other_texts_are_no_keys() {
        assert_eq!("rk_live_12345678".parse::<StripeKey>().unwrap().mode(), Mode::Live);
        assert_eq!("sk_test_12345678".parse::<StripeKey>().unwrap().mode(), Mode::Test);
        assert_eq!("sk_test_123".parse::<StripeKey>().unwrap().hint(), "sk_test_…");
        assert_eq!("pk_test_12345678".parse::<StripeKey>(), Err(InvalidStripeKey::Publishable));
        for text in ["", "sk_test_", "sk_12345678", "whsec_12345678", "sk_test_1234567é", "sk_test_1234 5678"]
        {
            assert_eq!(text.parse::<StripeKey>(), Err(InvalidStripeKey::Unrecognised), "{text:?}");
        }
    }
}
