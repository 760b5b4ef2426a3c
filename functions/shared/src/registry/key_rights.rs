//! What the Stripe key may do, as Stripe said last: kept so that requests to see it do not each ask Stripe.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Registry, SETTINGS, Settings, Written};
use crate::aws::StoreError;
use crate::unix_time::UnixMillis;

/// The name of the row.
const KEY_RIGHTS: &str = "key-rights";
/// Stripe is asked no more often than this, whoever wants to know.
const ASKED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What the key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRights {
    /// Read webhook endpoints.
    pub read_webhook_endpoints: KeyRight,
    /// Read events.
    pub read_events: KeyRight,
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

impl KeyRights {
    /// Nothing is known.
    pub const UNKNOWN: Self =
        Self { read_webhook_endpoints: KeyRight::Unknown, read_events: KeyRight::Unknown };
}

/// When Stripe was asked last, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsCheck {
    asked_at: UnixMillis,
    key_set_at: UnixMillis,
    /// None: not answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rights: Option<KeyRights>,
    /// Tells two that begin to ask in one moment apart.
    asker: String,
    rev: u64,
}

/// Who is to ask Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RightsTurn {
    /// Nobody: this is what Stripe said within the last minute, or what was known before somebody else began
    /// to ask.
    Stored(KeyRights),
    /// The caller, who then stores the answer.
    Ask(RightsCheck),
}

impl Registry {
    /// Returns the rights that are kept for the key of these settings, or has the caller ask. Of several
    /// callers at once, one asks.
    ///
    /// # Errors
    /// If the row cannot be read or written.
    pub async fn key_rights(&self, settings: &Settings, now: Timestamp) -> Result<RightsTurn, StoreError> {
        let doing = "reading what the Stripe key may do";
        let stored: Option<RightsCheck> = self.get(SETTINGS, KEY_RIGHTS, doing).await?;
        let of_this_key = stored.as_ref().filter(|kept| kept.key_set_at == settings.stripe_key_set_at);
        let rights = of_this_key.and_then(|kept| kept.rights);
        let is_recent = |kept: &RightsCheck| UnixMillis::from(now) - kept.asked_at < ASKED_EVERY;
        if of_this_key.is_some_and(is_recent) {
            return Ok(RightsTurn::Stored(rights.unwrap_or(KeyRights::UNKNOWN)));
        }
        let check = RightsCheck {
            asked_at: now.into(),
            key_set_at: settings.stripe_key_set_at,
            rights,
            asker: Uuid::new_v4().simple().to_string(),
            rev: stored.as_ref().map_or(0, |kept| kept.rev + 1),
        };
        match self.put_check(stored.as_ref(), &check).await? {
            Written::Done => Ok(RightsTurn::Ask(check)),
            Written::Conflict => Ok(RightsTurn::Stored(rights.unwrap_or(KeyRights::UNKNOWN))),
        }
    }

    /// Stores what Stripe said, unless somebody has begun to ask again.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_key_rights(&self, check: &RightsCheck, rights: KeyRights) -> Result<(), StoreError> {
        let answered = RightsCheck { rights: Some(rights), rev: check.rev + 1, ..check.clone() };
        self.put_check(Some(check), &answered).await.map(drop)
    }

    async fn put_check(&self, old: Option<&RightsCheck>, new: &RightsCheck) -> Result<Written, StoreError> {
        let as_read = old.map(|old| (old.rev, None));
        self.put(SETTINGS, KEY_RIGHTS, new, as_read, "keeping what the Stripe key may do").await
    }
}
