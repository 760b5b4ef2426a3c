//! Which of Stripe's objects an event or a record is about: account, object, id.
//!
//! The rule: never derived from an event's type (`charge.refund.updated` carries a refund), always from
//! `data.object` itself. The account is part of the key from the start, so that two connected accounts can
//! never share a record.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::{AccountKey, is_key_part};
use crate::kind::Kind;

/// The longest id. Places in lists are sort keys, of 1,024 bytes at most (DynamoDB's Service Quotas), and
/// hold the kind (40 bytes at most), the second (13), the account (256) and the id.
const MAX_ID_BYTES: usize = 700;

/// Names one object at Stripe. Its id may be any text: merchants choose the ids of customers, products,
/// coupons and plans themselves (`acme/42`, `user 7`, `gid://shop/Customer/1`). Written `account/object/id`,
/// with `-` for our own account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectKey {
    account: AccountKey,
    object: String,
    id: String,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an object is named `account/object/id` with `-` for the stack's own account; account and object have 1 to 255 visible characters, the id 1 to 700 bytes"
)]
pub struct InvalidObjectKey;

impl ObjectKey {
    /// Names an object.
    ///
    /// # Errors
    /// An empty part, an id of over 700 bytes; an account or object of over 255 bytes, or with a space, a
    /// control character or a slash.
    pub fn new(account: Option<&str>, object: &str, id: &str) -> Result<Self, InvalidObjectKey> {
        let account = AccountKey::new(account).map_err(|_| InvalidObjectKey)?;
        Self::in_account(account, object, id)
    }

    fn in_account(account: AccountKey, object: &str, id: &str) -> Result<Self, InvalidObjectKey> {
        let is_id = (1..=MAX_ID_BYTES).contains(&id.len());
        if is_key_part(object) && object != "-" && is_id {
            Ok(Self { account, object: object.to_owned(), id: id.to_owned() })
        } else {
            Err(InvalidObjectKey)
        }
    }

    /// The same account's object of another kind.
    ///
    /// # Errors
    /// As [`ObjectKey::new`].
    pub fn sibling(&self, kind: Kind, id: &str) -> Result<Self, InvalidObjectKey> {
        Self::new(self.account(), kind.object(), id)
    }

    /// The connected account, `acct_…`; none for our own.
    pub fn account(&self) -> Option<&str> {
        self.account.connected()
    }

    /// Returns the account it is in, as keys name it.
    pub fn account_key(&self) -> &AccountKey {
        &self.account
    }

    /// Stripe's word for what it is.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// The kind of record it is, if it is one.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_object_name(&self.object)
    }

    /// Stripe's id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.object, self.id)
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidObjectKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(account), Some(object), Some(id)) => {
                Self::in_account(account.parse().map_err(|_| InvalidObjectKey)?, object, id)
            }
            _ => Err(InvalidObjectKey),
        }
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = InvalidObjectKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_written() {
        for (account, object, id) in [
            (None, "customer", "cus_1"),
            (Some("acct_1"), "refund", "re_1"),
            (None, "customer", "acme/42"),
            (None, "customer", "gid://shop/Customer/1"),
            (None, "customer", "user 7"),
            (Some("acct_1"), "customer", "50%25"),
            (None, "coupon", "-"),
            (None, "plan", " größe\n#1~"),
        ] {
            let key = ObjectKey::new(account, object, id).unwrap();
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn what_could_be_taken_for_another_key_is_refused() {
        let (long, too_long) = ("x".repeat(256), "x".repeat(MAX_ID_BYTES + 1));
        for (account, object, id) in [
            (Some("-"), "customer", "cus_1"),
            (Some("a/b"), "customer", "cus_1"),
            (None, "a/b", "cus_1"),
            (None, "customer", ""),
            (None, "a b", "cus_1"),
            (None, long.as_str(), "cus_1"),
            (None, "customer", too_long.as_str()),
            (Some(""), "customer", "cus_1"),
        ] {
            assert_eq!(
                ObjectKey::new(account, object, id),
                Err(InvalidObjectKey),
                "{account:?} {object} {id}"
            );
        }
    }
}
