//! Answers kept under their `Idempotency-Key`.
//!
//! ```text
//! first call      Running ── takes effect ──► Done (status and body, also of a 500 that came after the effect)
//!                    └────── refused ───────► forgotten: nothing was done, so it may be tried again
//! the same again  while Running 409 · when Done the kept answer · after 24 hours a new first call
//! other params    400
//! ```

use std::collections::HashMap;

use super::error::ApiError;
use super::reply::Reply;

/// Stripe keeps them for at least this long.
const KEPT_SECONDS: i64 = 24 * 3600;

/// Keys are apart for each account that a call acts for.
pub(crate) type Name = (Option<String>, String);

enum Progress {
    Running,
    Done { reply: Reply, request_id: String },
}

struct Kept {
    parameters: String,
    at: i64,
    progress: Progress,
}

/// What a call with a key has to do.
pub(crate) enum Begin {
    /// Go on, and report how it ended.
    First,
    /// Give this answer, which is that of the request named.
    Replay(Reply, String),
}

/// All keys in use.
#[derive(Default)]
pub(crate) struct Idempotency {
    kept: HashMap<Name, Kept>,
}

impl Idempotency {
    pub(crate) fn begin(&mut self, name: &Name, parameters: String, now: i64) -> Result<Begin, ApiError> {
        if name.1.chars().count() > 255 {
            return Err(ApiError::refused("Idempotency keys can be up to 255 characters long."));
        }
        self.kept.retain(|_, kept| now - kept.at < KEPT_SECONDS);
        match self.kept.get(name) {
            None => {
                self.kept.insert(name.clone(), Kept { parameters, at: now, progress: Progress::Running });
                Ok(Begin::First)
            }
            Some(kept) if kept.parameters != parameters => Err(ApiError::other_parameters(&name.1)),
            Some(Kept { progress: Progress::Running, .. }) => Err(ApiError::key_in_use(&name.1)),
            Some(Kept { progress: Progress::Done { reply, request_id }, .. }) => {
                Ok(Begin::Replay(reply.clone(), request_id.clone()))
            }
        }
    }

    pub(crate) fn done(&mut self, name: &Name, reply: Reply, request_id: String) {
        if let Some(kept) = self.kept.get_mut(name) {
            kept.progress = Progress::Done { reply, request_id };
        }
    }

    /// Forgets a call that was refused or given up before it took effect.
    pub(crate) fn give_up(&mut self, name: &Name) {
        if matches!(self.kept.get(name), Some(Kept { progress: Progress::Running, .. })) {
            self.kept.remove(name);
        }
    }
}
