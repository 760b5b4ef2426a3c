//! Test or live: the one thing that must never mix.
//!
//! A stack has one mode, from its template. Keys and events of the other mode are refused or set aside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Stripe's test mode or live mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No real money: keys begin `sk_test_` or `rk_test_`, events carry `livemode: false`.
    Test,
    /// Real money: keys begin `sk_live_` or `rk_live_`, events carry `livemode: true`.
    Live,
}

impl Mode {
    /// The mode that Stripe's `livemode` field names.
    pub fn from_livemode(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// `test` or `live`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mode that is neither `test` nor `live`.
#[derive(Debug, thiserror::Error)]
#[error("mode `{0}` is neither `test` nor `live`")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "test" => Ok(Self::Test),
            "live" => Ok(Self::Live),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}
