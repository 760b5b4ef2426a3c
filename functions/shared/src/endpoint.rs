//! A webhook endpoint as it is known here: the name an admin chose and the state of its life.

mod row;

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::row::{
    EndpointRow, EndpointSpec, GivenUpRotation, PendingChange, REQUEST_ENDS_WITHIN, Rotation, RotationEnd,
    SecretVersion,
};

/// The API version that endpoints are registered with and that every call to Stripe names, unless an admin
/// asks for another. It is the version of the sample events.
pub const API_VERSION: &str = "2026-10-28.endive";

/// How often a process records an endpoint's activity at most, so how old what is recorded can be.
pub const ACTIVITY_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// The name of an endpoint here, part of its URL: `[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EndpointName(String);

/// A text that cannot name an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's name is 1 to 32 of `a-z`, `0-9` and `-`, and neither begins nor ends with `-`")]
pub struct InvalidEndpointName;

impl FromStr for EndpointName {
    type Err = InvalidEndpointName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidEndpointName) }
    }
}

impl EndpointName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0
    }
}

impl TryFrom<String> for EndpointName {
    type Error = InvalidEndpointName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Where an endpoint is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointState {
    /// Being made at Stripe; nothing can be signed with its secret yet.
    Registering,
    /// As specified, at Stripe and here.
    Active,
    /// A change is on its way to Stripe.
    Changing,
    /// A second endpoint at Stripe, with a new secret, takes over.
    Rotating,
    /// Kept at Stripe, disabled there.
    Disabled,
    /// Being removed.
    Deregistering,
}

impl EndpointState {
    /// Returns whether deliveries are accepted: from when its secret is known here until its removal has been
    /// asked for; what Stripe sends in the moment before, it sends again. A disabled endpoint still gets what
    /// Stripe had sent before.
    pub fn accepts_deliveries(self) -> bool {
        match self {
            Self::Active | Self::Changing | Self::Rotating | Self::Disabled => true,
            Self::Registering | Self::Deregistering => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_what_a_url_and_a_secrets_name_can_hold() {
        let longest = "a".repeat(32);
        for name in ["main", "a", "0", "a-b", "disputes-2026", longest.as_str()] {
            assert_eq!(name.parse::<EndpointName>().unwrap().as_str(), name);
        }
        let too_long = "a".repeat(33);
        for name in ["", "-", "-a", "a-", "A", "a_b", "a b", "a/b", "é", "a\n", too_long.as_str()] {
            assert_eq!(name.parse::<EndpointName>(), Err(InvalidEndpointName), "{name:?}");
        }
    }
}
