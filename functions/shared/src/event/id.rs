//! An event's id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An event's id, `evt_…`: 1 to 255 visible ASCII characters. Stripe promises no more about its form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EventId(String);

/// A text that cannot be an event's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is 1 to 255 visible ASCII characters")]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidEventId) }
    }
}

impl EventId {
    /// Returns whether it is the one id, `evt_` and nothing but zeros, that Stripe's dashboard puts into
    /// every event it makes up for a test. Their objects do not exist.
    pub fn is_made_up(&self) -> bool {
        self.0.strip_prefix("evt_").is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|b| b == b'0'))
    }

    /// The id under which an event with these bytes is kept: its own, but a made-up one is told from others
    /// of the same id by the first six bytes of its payload's SHA-256.
    #[must_use]
    pub fn kept_as(self, sha256: &[u8; 32]) -> Self {
        if self.is_made_up() { Self(format!("{self}_{}", hex::encode(&sha256[..6]))) } else { self }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.0
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidEventId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_events_are_kept_apart_and_others_under_their_own_id() {
        let id = |text: &str| text.parse::<EventId>().unwrap();
        for own in ["evt_1", "evt_0", "evt_00000000000001", "0000000000000000", "evt_1T000000000000"] {
            assert!(!id(own).is_made_up() && id(own).kept_as(&[7; 32]) == id(own), "{own}");
        }
        let kept = id("evt_00000000000000").kept_as(&[7; 32]);
        assert_eq!(kept.as_str(), "evt_00000000000000_070707070707");
        assert_ne!(id("evt_00000000000000").kept_as(&[8; 32]), kept);
    }
}
