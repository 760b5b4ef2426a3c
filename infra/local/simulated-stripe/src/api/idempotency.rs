//! Answers stored under their `Idempotency-Key`.
//!
//! ```text
//! first call      Running ── takes effect ──► Done (status and body, also of a 500 after the effect)
//!                    └────── refused ───────► released: nothing was done, so it may be repeated
//! the same again  while Running 409 · when Done the stored answer · after 24 hours a new first call
//! other params    400
//! ```

use std::collections::HashMap;

use super::error::ApiError;
use super::reply::Reply;

/// Stripe stores them for at least this long.
const STORED_SECONDS: i64 = 24 * 3600;

/// A key, in the scope of the account that the call acts for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopedKey {
    pub(crate) account: Option<String>,
    pub(crate) key: String,
}

enum Progress {
    Running,
    Done { reply: Reply, request_id: String },
}

struct KeyedCall {
    parameters: String,
    at: i64,
    progress: Progress,
}

/// What a call with a key has to do.
pub(crate) enum KeyUse {
    /// Go on, and report how it ended.
    First,
    /// Give this answer, which is that of the named request.
    Replay(Reply, String),
}

/// All keys in use.
#[derive(Default)]
pub(crate) struct Idempotency {
    calls: HashMap<ScopedKey, KeyedCall>,
}

impl Idempotency {
    pub(crate) fn begin(
        &mut self,
        name: &ScopedKey,
        parameters: String,
        now: i64,
    ) -> Result<KeyUse, ApiError> {
        if name.key.chars().count() > 255 {
            return Err(ApiError::refused("Idempotency keys can be up to 255 characters long."));
        }
        self.calls.retain(|_, call| now - call.at < STORED_SECONDS);
        match self.calls.get(name) {
            None => {
                self.calls
                    .insert(name.clone(), KeyedCall { parameters, at: now, progress: Progress::Running });
                Ok(KeyUse::First)
            }
            Some(call) if call.parameters != parameters => Err(ApiError::other_parameters(&name.key)),
            Some(KeyedCall { progress: Progress::Running, .. }) => Err(ApiError::key_in_use(&name.key)),
            Some(KeyedCall { progress: Progress::Done { reply, request_id }, .. }) => {
                Ok(KeyUse::Replay(reply.clone(), request_id.clone()))
            }
        }
    }

    pub(crate) fn complete(&mut self, name: &ScopedKey, reply: Reply, request_id: String) {
        if let Some(call) = self.calls.get_mut(name) {
            call.progress = Progress::Done { reply, request_id };
        }
    }

    /// Releases the key of a call that was refused or abandoned before it took effect.
    pub(crate) fn release(&mut self, name: &ScopedKey) {
        if matches!(self.calls.get(name), Some(KeyedCall { progress: Progress::Running, .. })) {
            self.calls.remove(name);
        }
    }
}
