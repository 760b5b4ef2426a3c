//! What the function works with: the page, and what is answered with it. It calls nothing.

use crate::config::Config;
use crate::headers::{SecurityHeaders, WrongUrl};
use crate::page::PageFiles;
use crate::sign_in::ConsoleConfig;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) page: PageFiles,
    pub(crate) console_config: ConsoleConfig,
    pub(crate) security_headers: SecurityHeaders,
}

impl Deps {
    /// Reads the configuration and wires the function.
    ///
    /// # Errors
    /// A missing or wrong environment variable.
    pub fn start() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new(Config::from_env()?, PageFiles::built())?)
    }

    /// Wires the function.
    ///
    /// # Errors
    /// If the issuer or the address to sign in at is no address.
    pub fn new(config: Config, page: PageFiles) -> Result<Self, WrongUrl> {
        Ok(Self {
            page,
            security_headers: SecurityHeaders::new(&config)?,
            console_config: ConsoleConfig::new(config),
        })
    }
}
