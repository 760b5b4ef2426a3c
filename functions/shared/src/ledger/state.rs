//! The states of an event, from its receipt to its end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventState {
    /// Stored, to be applied.
    Pending,
    /// Applied: the record is as new as this event.
    Processed,
    /// Older than what the record held.
    Superseded,
    /// Nothing is to be done with it; the reason says why.
    Ignored,
    /// Set aside until an admin decides; the reason says why.
    Quarantined,
    /// Could not be applied; will be tried again.
    Failed,
    /// Tried often enough; waits for an admin.
    Dead,
}

impl EventState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Processed,
        Self::Superseded,
        Self::Ignored,
        Self::Quarantined,
        Self::Failed,
        Self::Dead,
    ];

    /// The word in the ledger and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processed => "processed",
            Self::Superseded => "superseded",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }

    /// Returns whether the program or an admin still has to do something. Such rows stand in index `open`.
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Failed | Self::Dead | Self::Quarantined => true,
            Self::Processed | Self::Superseded | Self::Ignored => false,
        }
    }
}

impl fmt::Display for EventState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for EventState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|state| state.as_str()).collect();
            format!("`{text}` is no state of an event; the states are {}", words.join(", "))
        })
    }
}
