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

/// A Stripe API key, secret (`sk_`) or restricted (`rk_`, or `rkcs_`, as Stripe names those made for a CLI
/// session).
#[derive(Clone, PartialEq, Eq)]
pub struct StripeKey {
    text: String,
    mode: Mode,
    /// Bytes of the prefix, such as `sk_test_`.
    prefix: usize,
}

/// Why a text is no key that Billhook can use. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStripeKey {
    /// `pk_…`, which may not call the API.
    #[error("this is a publishable key, which cannot read events or manage webhook endpoints")]
    Publishable,
    /// `whsec_…`, which signs deliveries.
    #[error("this is an endpoint's signing secret, not an API key")]
    SigningSecret,
    /// `sk_org_…`, which acts for all accounts of an organization.
    #[error("this is an organization's key, which belongs to no single account; Billhook keeps one account")]
    Organization,
    /// Only the text that is shown instead of a key: `sk_live_…AbCd`, or with stars.
    #[error("this is a key as Stripe's dashboard abbreviates it, not the whole key")]
    Abbreviated,
    /// Anything else.
    #[error("a Stripe key begins with `sk_test_`, `rk_test_`, `sk_live_` or `rk_live_`")]
    Unrecognised,
}

impl FromStr for StripeKey {
    type Err = InvalidStripeKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let other = [
            ("pk_", InvalidStripeKey::Publishable),
            ("whsec_", InvalidStripeKey::SigningSecret),
            ("sk_org_", InvalidStripeKey::Organization),
        ];
        if let Some((_, error)) = other.into_iter().find(|(prefix, _)| text.starts_with(prefix)) {
            return Err(error);
        }
        let (mode, rest) = ["sk_", "rk_", "rkcs_"]
            .into_iter()
            .find_map(|kind| {
                let rest = text.strip_prefix(kind)?;
                let test = rest.strip_prefix("test_").map(|rest| (Mode::Test, rest));
                test.or_else(|| rest.strip_prefix("live_").map(|rest| (Mode::Live, rest)))
            })
            .ok_or(InvalidStripeKey::Unrecognised)?;
        if rest.contains(['…', '*', '•']) || rest.contains("...") {
            return Err(InvalidStripeKey::Abbreviated);
        }
        // Stripe promises no length and no alphabet.
        let plausible = (1..=255).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !plausible {
            return Err(InvalidStripeKey::Unrecognised);
        }
        Ok(Self { text: text.to_owned(), mode, prefix: text.len() - rest.len() })
    }
}

impl StripeKey {
    /// Reads a key as it was copied from a page, a file or a chat: what surrounds it (spaces, quotes,
    /// characters that are not seen) is no part of it.
    ///
    /// # Errors
    /// As `from_str`.
    pub fn from_copied(text: &str) -> Result<Self, InvalidStripeKey> {
        text.trim_matches(|c: char| {
            !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '…' | '*' | '•' | '.')
        })
        .parse()
    }

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
        let (prefix, rest) = self.text.split_at(self.prefix);
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
    fn what_surrounds_a_copied_key_is_no_part_of_it() {
        for text in [
            "sk_test_12345678",
            " sk_test_12345678\r\n",
            "\"sk_test_12345678\"",
            "'sk_test_12345678',",
            "\u{201c}sk_test_12345678\u{201d}",
            "`sk_test_12345678`",
            "\u{feff}sk_test_12345678\u{200b}",
            "\u{2066}sk_test_12345678\u{2069}\u{a0}",
        ] {
            assert_eq!(StripeKey::from_copied(text).unwrap().reveal(), "sk_test_12345678", "{text:?}");
        }
        assert!(StripeKey::from_copied("\"\"").is_err() && StripeKey::from_copied("").is_err());
        assert!(StripeKey::from_copied("sk_test_1234\u{200b}5678").is_err(), "inside it is another key");
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
        let key: StripeKey = "rkcs_test_a-b_12345678".parse().unwrap();
        assert_eq!((key.mode(), key.hint().as_str()), (Mode::Test, "rkcs_test_…5678"));
        for (text, expected) in [
            ("pk_test_12345678", InvalidStripeKey::Publishable),
            ("whsec_12345678", InvalidStripeKey::SigningSecret),
            ("sk_org_live_12345678", InvalidStripeKey::Organization),
            ("sk_live_…AbCd", InvalidStripeKey::Abbreviated),
            ("sk_live_****AbCd", InvalidStripeKey::Abbreviated),
        ] {
            assert_eq!(text.parse::<StripeKey>(), Err(expected), "{text}");
        }
        for text in ["", "sk_test_", "sk_12345678", "sk_test_1234567é", "sk_test_1234 5678"] {
            assert_eq!(text.parse::<StripeKey>(), Err(InvalidStripeKey::Unrecognised), "{text:?}");
        }
    }
}
