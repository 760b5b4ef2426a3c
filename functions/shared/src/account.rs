//! Whose a Stripe object or event is: the stack's own account, or one that is connected to it.
//!
//! In keys it is one text: `-` for our own account, else Stripe's id, `acct_…`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text that stands for the stack's own account.
const OWN: &str = "-";

/// An account, as keys name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AccountKey(Option<String>);

/// A text that names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account is named by its id at Stripe, 1 to 255 visible characters without a slash")]
pub struct InvalidAccount;

impl AccountKey {
    /// The stack's own account.
    pub const OWN: Self = Self(None);

    /// Names a connected account by its id, or our own by none, as Stripe's `account` field does.
    ///
    /// # Errors
    /// An id that is empty, over 255 bytes, `-`, or holds a space, a control character or a slash.
    pub fn new(connected: Option<&str>) -> Result<Self, InvalidAccount> {
        match connected {
            None => Ok(Self::OWN),
            Some(id) if is_key_part(id) && id != OWN => Ok(Self(Some(id.to_owned()))),
            Some(_) => Err(InvalidAccount),
        }
    }

    /// Returns the connected account's id, or `None` for our own: what the `Stripe-Account` header and the
    /// API's `account` hold.
    pub fn connected(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Whether a text can be a part of a key: 1 to 255 visible bytes without a slash, which separates parts.
pub(crate) fn is_key_part(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/')
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.connected().unwrap_or(OWN))
    }
}

impl FromStr for AccountKey {
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(Some(text).filter(|text| *text != OWN))
    }
}

impl From<AccountKey> for String {
    fn from(account: AccountKey) -> Self {
        account.to_string()
    }
}

impl TryFrom<String> for AccountKey {
    type Error = InvalidAccount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_text_in_keys_and_comes_back() {
        for (account, text) in [(None, "-"), (Some("acct_1"), "acct_1")] {
            let key = AccountKey::new(account).unwrap();
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse::<AccountKey>().unwrap(), key);
            assert_eq!(key.connected(), account);
            assert_eq!(serde_json::to_value(&key).unwrap(), text);
        }
    }

    #[test]
    fn what_could_be_taken_for_another_key_is_no_account() {
        let too_long = "a".repeat(256);
        for text in ["", "-", "a/b", "a b", "a\n", too_long.as_str()] {
            assert_eq!(AccountKey::new(Some(text)), Err(InvalidAccount), "{text:?}");
        }
    }
}
