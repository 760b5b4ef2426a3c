//! Fetches the object of a record for the comparison, and notes those that cannot be fetched: missing, gone,
//! refused, not answered or not to be read.
//!
//! The rule: an object that Stripe does not know is not deleted here, unless it can be, as a draft invoice
//! can. It is gone, which its record says from then on, or the key is another account's
//! (`Session::is_gone`).

use serde_json::Value;
use shared::kind::{Deletion, Kind};
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{Record, says_only_deleted};
use shared::registry::{Halt, RefusedKind, UnansweredObject, UncomparedObject};
use shared::stripe::{Session, StripeError, StripeFailure};
use shared::unix_time::UnixSeconds;

use super::DriftRun;
use crate::error::Interruption;
use crate::unanswered::{MAX_RUNS, fetched_as_of, isolated_failure, unreadable};
use crate::upsert::FetchedObject;

/// An object's state at Stripe.
pub(super) struct FetchedState {
    /// Stripe's JSON text.
    json: String,
    /// The same, parsed.
    object: Value,
    /// It includes everything that Stripe stamped up to this second.
    as_of: UnixSeconds,
}

impl FetchedState {
    /// An object that is deleted, as it last was; Stripe says no more of it.
    fn deleted(record: &Record, as_of: UnixSeconds) -> Self {
        let json = record.object_as_deleted();
        // What a record holds was read before.
        let object = lossy_json::from_str(&json).unwrap_or(Value::Null);
        Self { json, object, as_of }
    }

    pub(super) fn to_fetched_object(&self, key: &ObjectKey) -> FetchedObject<'_> {
        FetchedObject { key: key.clone(), raw: &self.json, object: &self.object, as_of: self.as_of }
    }
}

impl DriftRun<'_> {
    /// Fetches the object of a record. Returns none if it cannot be compared; the pass's report says why.
    pub(super) async fn fetch(
        &mut self,
        session: &Session<'_>,
        record: &Record,
    ) -> Result<Option<FetchedState>, Interruption> {
        self.fetched += 1;
        self.has_progressed = true;
        let key = &record.key;
        let calls = session.calls();
        let answer = session.object(key).await;
        if let Some(kind) = key.kind() {
            *self.pass.report.calls.entry(kind).or_default() += session.calls() - calls;
        }
        match answer {
            Ok(Some(response)) => {
                let as_of = fetched_as_of(&response)?;
                match lossy_json::from_str(response.value.get()) {
                    Ok(object) if says_only_deleted(&object) => {
                        Ok(Some(FetchedState::deleted(record, as_of)))
                    }
                    Ok(object) => {
                        Ok(Some(FetchedState { json: response.value.get().to_owned(), object, as_of }))
                    }
                    Err(error) => {
                        let failure = unreadable(&error, response.request_id);
                        self.pass.report.unread.add(UncomparedObject { key: key.clone(), failure });
                        Ok(None)
                    }
                }
            }
            // What was deleted here was not made again.
            Ok(None) if record.deleted => Ok(None),
            Ok(None) => {
                let deletion = deletion(record);
                if matches!(deletion, Some(Deletion::GoneWhile(_))) {
                    return Ok(Some(FetchedState::deleted(record, record.as_of)));
                }
                let is_gone = self.note_missing(session, key, deletion).await?;
                if is_gone && deletion == Some(Deletion::Gone) {
                    return Ok(Some(FetchedState::deleted(record, record.as_of)));
                }
                if is_gone && !record.gone_at_stripe {
                    // Who changes it in the meantime knows better.
                    self.deps.records.replace(record, &record.with_gone_at_stripe(true)).await?;
                }
                Ok(None)
            }
            Err(error) => {
                self.note_fetch_failure(session, key, error).await?;
                Ok(None)
            }
        }
    }

    /// Notes an object that Stripe does not know, and returns whether it is gone; else the key may be of
    /// another account. Where Stripe does not say which, that holds up the others no longer than an object
    /// that it does not answer. One that can be deleted for good is: that is none to note.
    async fn note_missing(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
        deletion: Option<Deletion>,
    ) -> Result<bool, Interruption> {
        if let Some(failure) = self.account_failure.clone().filter(|_| key.account().is_none()) {
            self.pass.report.unread.add(UncomparedObject { key: key.clone(), failure });
            return Ok(false);
        }
        match session.is_gone(key, self.account).await {
            Ok(true) => {
                if deletion != Some(Deletion::Gone) {
                    self.pass.report.gone.add(key.clone());
                }
                return Ok(true);
            }
            Ok(false) => self.pass.report.missing.add(key.clone()),
            Err(error) => {
                let failure = error.failure().clone();
                self.note_fetch_failure(session, key, error).await?;
                self.account_failure = Some(failure);
            }
        }
        Ok(false)
    }

    /// Notes an object that cannot be fetched, so that it does not hold up the others. Halts while it may
    /// still be.
    async fn note_fetch_failure(
        &mut self,
        session: &Session<'_>,
        key: &ObjectKey,
        error: StripeError,
    ) -> Result<(), Interruption> {
        if let StripeError::Forbidden(failure) = error {
            self.note_refusal(key, *failure);
            return Ok(());
        }
        let failure = match Halt::try_from(error) {
            Err(failure) => failure,
            Ok(halt) => {
                let failure = isolated_failure(session, halt).await?;
                let before = self.pass.unanswered.take().filter(|unanswered| unanswered.key == *key);
                let runs = before.map_or(0, |unanswered| unanswered.runs) + 1;
                if runs < MAX_RUNS {
                    self.pass.unanswered = Some(UnansweredObject { key: key.clone(), runs });
                    return Err(Halt::NoAnswer(failure).into());
                }
                failure
            }
        };
        if failure.is_too_large() {
            self.pass.report.too_large.add(key.clone());
            return Ok(());
        }
        self.pass.report.unread.add(UncomparedObject { key: key.clone(), failure: *failure });
        Ok(())
    }

    /// Notes that Stripe refuses the objects of a kind and account: the key may read none of them, or the
    /// account is not connected any more.
    fn note_refusal(&mut self, key: &ObjectKey, failure: StripeFailure) {
        let account = key.account().map(str::to_owned);
        if let Some(kind) = key.kind()
            && self.refused.insert((account.clone(), kind))
        {
            let refused = &mut self.pass.report.refused;
            // Nobody could give a restricted key a right that has no name.
            if kind.permission().is_some()
                && !refused.first.iter().any(|list| list.account == account && list.kind == kind)
            {
                refused.add(RefusedKind { account, kind, failure });
            }
        }
    }
}

/// How an object that stood as its record shows may be deleted for good; none if it cannot be.
fn deletion(record: &Record) -> Option<Deletion> {
    let object = record.parsed()?;
    record.key.kind().map(Kind::deletion).filter(|deletion| deletion.can_follow(&object))
}
