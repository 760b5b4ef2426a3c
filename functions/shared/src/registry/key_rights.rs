//! What the Stripe key may do, as Stripe said last ([`LookKind::KeyRights`](super::LookKind)).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// What the key may read, by the right's name: `read_webhook_endpoints`, `read_events`, and `read_<kind>` for
/// each kind of record that Stripe lists and for which there is a right, as in `GET /records/{kind}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyRights(BTreeMap<String, KeyRight>);

/// Something that the key may be allowed to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    /// Webhook endpoints.
    WebhookEndpoints,
    /// Events.
    Events,
    /// Objects of a kind.
    Objects(Kind),
}

/// Whether the key has one right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRight {
    /// It has.
    Ok,
    /// Stripe refused it.
    Denied,
    /// Stripe did not say.
    Unknown,
}

impl Readable {
    /// All that an account lists at Stripe, and that a restricted key can have the right to. What Stripe
    /// lists below customers alone goes with the right to read these.
    pub fn all() -> impl Iterator<Item = Self> {
        let kinds = Kind::all().filter(|kind| kind.is_imported_by_default());
        let kinds = kinds.filter(|kind| !kind.account_lists().is_empty());
        [Self::WebhookEndpoints, Self::Events].into_iter().chain(kinds.map(Self::Objects))
    }

    /// The name of the right to read it.
    pub fn right(self) -> String {
        let what = match self {
            Self::WebhookEndpoints => "webhook_endpoints",
            Self::Events => "events",
            Self::Objects(kind) => kind.plural(),
        };
        format!("read_{what}")
    }
}

impl KeyRights {
    /// The same is known of each right.
    pub fn each(known: KeyRight) -> Self {
        Readable::all().map(|readable| (readable, known)).collect()
    }
}

impl FromIterator<(Readable, KeyRight)> for KeyRights {
    fn from_iter<I: IntoIterator<Item = (Readable, KeyRight)>>(rights: I) -> Self {
        Self(rights.into_iter().map(|(readable, right)| (readable.right(), right)).collect())
    }
}
