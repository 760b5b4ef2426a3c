//! The function's configuration, read from environment variables.

use shared::env::{self, EnvError};
use shared::mode::Mode;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The stack's mode.
    pub mode: Mode,
    /// The stack's name.
    pub stack_name: String,
    /// Whose tokens the API accepts.
    pub issuer: String,
    /// The audience that tokens must carry: the page's client id.
    pub client_id: String,
    /// Who the issuer is.
    pub issuer_kind: Issuer,
    /// The claim that lists a user's groups.
    pub groups_claim: String,
    /// The group of admins.
    pub admin_group: String,
    /// The group of viewers.
    pub viewer_group: String,
}

/// Who signs people in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// The stack's own Cognito pool, whose pages for signing in are at this address.
    OwnPool {
        /// Without a slash at its end.
        url: String,
    },
    /// An outside OpenID issuer. The page asks it where people sign in.
    Outside {
        /// Where its token endpoint is, if that is on another origin than the issuer.
        token_origin: Option<String>,
    },
}

impl Config {
    /// Reads `MODE`, `STACK_NAME`, `ISSUER`, `CLIENT_ID`, `OWN_POOL`, `SIGN_IN_URL`, `GROUPS_CLAIM`,
    /// `ADMIN_GROUP` and `VIEWER_GROUP`.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        let issuer_kind = if env::value("OWN_POOL")? {
            Issuer::OwnPool { url: env::text("SIGN_IN_URL")? }
        } else {
            Issuer::Outside { token_origin: env::optional("SIGN_IN_URL") }
        };
        Ok(Self {
            mode: env::value("MODE")?,
            stack_name: env::text("STACK_NAME")?,
            issuer: env::text("ISSUER")?,
            client_id: env::text("CLIENT_ID")?,
            issuer_kind,
            groups_claim: env::text("GROUPS_CLAIM")?,
            admin_group: env::text("ADMIN_GROUP")?,
            viewer_group: env::text("VIEWER_GROUP")?,
        })
    }
}
