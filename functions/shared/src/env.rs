//! Settings from environment variables, read once while a function starts.
//!
//! A missing or wrong variable stops the start with its name: `template.yaml` sets them all.

use std::str::FromStr;

/// A variable that is missing or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// Not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// Set to something else than what is needed.
    #[error("environment variable {name}: {reason}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// The text of a variable that must be set.
///
/// # Errors
/// If it is not set or empty.
pub fn text(name: &'static str) -> Result<String, EnvError> {
    optional(name).ok_or(EnvError::Missing(name))
}

/// The text of a variable, if it is set and not empty: the template passes an empty parameter on as it is.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that must be set.
///
/// # Errors
/// If it is not set, or does not parse.
pub fn value<T>(name: &'static str) -> Result<T, EnvError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text(name)?.parse().map_err(|error: T::Err| EnvError::Wrong { name, reason: error.to_string() })
}
