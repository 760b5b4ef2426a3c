//! Looks at Stripe that anyone can have made who may read here: what Stripe said is kept for a moment, and
//! one at a time asks. So nobody who only reads uses up Stripe's rate limit.
//!
//! ```text
//! nobody has asked lately ──► the caller asks, and stores the answer
//! somebody asks right now ──► what was said lately, if anything was; the answer is there in a moment
//! somebody has asked      ──► the answer
//! ```
//!
//! The rule: an answer is of one subject (a key, or the endpoints as they are here now). What was said of
//! another is none, nor is what was said longer ago than twice the time between two looks.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Registry, Written};
use crate::aws::StoreError;
use crate::unix_time::UnixMillis;

/// The kind of the rows.
const LOOK: &str = "look";

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookKind {
    /// What the Stripe key may do.
    KeyRights,
    /// How the endpoints stand at Stripe, for the status.
    Status,
}

impl LookKind {
    fn name(self) -> &'static str {
        match self {
            Self::KeyRights => "key-rights",
            Self::Status => "status",
        }
    }

    /// How long after one look the next may be.
    pub fn interval(self) -> SignedDuration {
        match self {
            Self::KeyRights => SignedDuration::from_mins(1),
            Self::Status => SignedDuration::from_secs(10),
        }
    }
}

/// A look that the caller is to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    begun_at: UnixMillis,
    subject: String,
    /// The answer as JSON; while the look is made, the one of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// When the answer of before was asked for, while the look is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer_asked_at: Option<UnixMillis>,
    /// Whether it is being made.
    is_open: bool,
    /// Tells two that begin in one moment apart.
    asker: String,
    rev: u64,
}

impl Look {
    /// When it was begun.
    pub fn begun_at(&self) -> UnixMillis {
        self.begun_at
    }

    /// When what the answer says was asked for. A row of before this was kept does not say.
    fn asked_at(&self) -> Option<UnixMillis> {
        if self.is_open { self.answer_asked_at } else { Some(self.begun_at) }
    }

    /// The answer. What another version of this program has kept is none.
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.answer.as_deref()?).ok()
    }
}

/// Whose turn it is to ask Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn<T> {
    /// Nobody's: Stripe has said this.
    Answered {
        /// What it said.
        answer: T,
        /// When it was asked.
        asked_at: UnixMillis,
    },
    /// Somebody else's, who asks at this moment. What Stripe said before, if it did within twice
    /// [`LookKind::interval`].
    Pending(Option<T>),
    /// The caller's, who then stores the answer ([`Registry::store_look`]).
    Ask(Look),
}

impl Registry {
    /// Returns what Stripe has said of the subject within [`LookKind::interval`], or has the caller ask. Of
    /// several callers at once, one asks. One that never stores an answer is waited for as long.
    ///
    /// # Errors
    /// If the row cannot be read or written. Then nobody is to ask.
    pub async fn look<T: DeserializeOwned>(
        &self,
        kind: LookKind,
        subject: &str,
        now: Timestamp,
    ) -> Result<Turn<T>, StoreError> {
        let stored: Option<Look> = self.get(LOOK, kind.name(), "reading what Stripe said last").await?;
        let of_this = stored.as_ref().filter(|look| look.subject == subject);
        let is_recent = |asked_at| UnixMillis::from(now) - asked_at <= kind.interval() * 2;
        let recent = of_this.filter(|look| look.asked_at().is_some_and(is_recent));
        let known = recent.and_then(Look::read::<T>);
        if let Some(look) = of_this.filter(|look| UnixMillis::from(now) - look.begun_at < kind.interval()) {
            return Ok(match known {
                Some(answer) if !look.is_open => Turn::Answered { answer, asked_at: look.begun_at },
                known => Turn::Pending(known),
            });
        }
        let look = Look {
            begun_at: now.into(),
            subject: subject.to_owned(),
            answer: of_this.and_then(|look| look.answer.clone()),
            answer_asked_at: of_this.and_then(Look::asked_at),
            is_open: true,
            asker: Uuid::new_v4().simple().to_string(),
            rev: stored.as_ref().map_or(0, |look| look.rev + 1),
        };
        match self.put_look(kind, stored.as_ref(), &look).await? {
            Written::Done => Ok(Turn::Ask(look)),
            Written::Conflict => Ok(Turn::Pending(known)),
        }
    }

    /// Stores what Stripe said, unless somebody has begun to ask again.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_look<T: Serialize>(
        &self,
        kind: LookKind,
        look: &Look,
        answer: &T,
    ) -> Result<(), StoreError> {
        let answer = serde_json::to_string(answer).map_err(StoreError::doing(STORING))?;
        let answered = Look {
            answer: Some(answer),
            answer_asked_at: None,
            is_open: false,
            rev: look.rev + 1,
            ..look.clone()
        };
        self.put_look(kind, Some(look), &answered).await.map(drop)
    }

    async fn put_look(&self, kind: LookKind, old: Option<&Look>, new: &Look) -> Result<Written, StoreError> {
        self.put(LOOK, kind.name(), new, old.map(|old| (old.rev, None)), STORING).await
    }
}

const STORING: &str = "keeping what Stripe said last";
