//! What the page must know of the stack before anybody has signed in.

use serde::Serialize;
use shared::mode::Mode;

use crate::config::{Config, Issuer};

/// The answer of `GET /config.json`. Nothing in it is private: all of it stands in the address of the page on
/// which people sign in, or says which stack this is.
#[derive(Debug, Serialize)]
pub struct ConsoleConfig {
    mode: Mode,
    stack_name: String,
    issuer: String,
    client_id: String,
    /// Null with an outside issuer, and so are the two that follow: the page then asks the issuer
    /// (OpenID Connect Discovery 1.0).
    authorize_url: Option<String>,
    token_url: Option<String>,
    logout_url: Option<String>,
    groups_claim: String,
    admin_group: String,
    viewer_group: String,
}

impl ConsoleConfig {
    pub(crate) fn new(config: Config) -> Self {
        let at = |path: &str| match &config.issuer_kind {
            Issuer::OwnPool { url } => Some(format!("{url}{path}")),
            Issuer::Outside { .. } => None,
        };
        Self {
            authorize_url: at("/oauth2/authorize"),
            token_url: at("/oauth2/token"),
            logout_url: at("/logout"),
            mode: config.mode,
            stack_name: config.stack_name,
            issuer: config.issuer,
            client_id: config.client_id,
            groups_claim: config.groups_claim,
            admin_group: config.admin_group,
            viewer_group: config.viewer_group,
        }
    }
}
