//! Gives a record the state that Stripe answered, if that is newer and another.
//!
//! An answer stands for the last second that had wholly passed when Stripe was asked (`shared::order`, rule 4), so what is newer
//! stays, what is deleted stays deleted, and events that come later are put in order with it like with any record.
//!
//! The rule: what is right already is not written. A record is written under the condition that it is as it was read; if it is not,
//! it is looked at again.

use serde_json::Value;
use shared::object_key::ObjectKey;
use shared::order::{RecordVersion, fetched_is_newer};
use shared::records::{Provenance, Put, Record, Records};
use shared::registry::Halt;
use shared::stripe::{StripeFailure, StripeResponse};

use crate::differ::differences;
use crate::error::ImportError;

/// Writers of one record are few. Whoever writes it each time in between writes something newer.
const ROUNDS: u32 = 10;

/// An object as Stripe answered it.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) key: ObjectKey,
    /// As Stripe wrote it.
    pub(crate) raw: &'a str,
    /// The same, parsed.
    pub(crate) object: &'a Value,
    /// Good for all that Stripe stamped up to this second.
    pub(crate) as_of: i64,
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placed {
    /// The record is written. These fields were not the same; none if there was no record, or its order was uncertain.
    Written(Vec<String>),
    /// The record stays.
    Stays,
    /// Even packed, the object is over what one item of DynamoDB can hold.
    TooLarge,
}

/// What an answer means to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is newer, or says the same.
    Stays,
    /// It gives way; these fields are not the same.
    GivesWay(Vec<String>),
}

/// Places an answer; `found` is the record as it was read.
pub(crate) async fn place(
    records: &Records,
    answer: &Answer<'_>,
    found: Option<Record>,
) -> Result<Placed, ImportError> {
    let mut found = found;
    for _ in 0..ROUNDS {
        let fields = match found.as_ref().map(|old| judge(old, answer)) {
            None => Vec::new(),
            Some(Verdict::Stays) => return Ok(Placed::Stays),
            Some(Verdict::GivesWay(fields)) => fields,
        };
        let new = record(answer, found.as_ref())?;
        if new.is_too_large() {
            return Ok(Placed::TooLarge);
        }
        let put = match &found {
            None => records.put_newer(&new).await?,
            Some(old) => records.put_over(old, &new).await?,
        };
        match put {
            Put::Done => return Ok(Placed::Written(fields)),
            // A write whose answer got lost meets itself when it is tried again.
            Put::Conflict(there) if *there == new => return Ok(Placed::Written(fields)),
            Put::Conflict(there) => found = Some(*there),
        }
    }
    Ok(Placed::Stays)
}

/// Is the object over what one item of DynamoDB can hold? Then its record stays.
pub(crate) fn is_too_large(answer: &Answer<'_>) -> Result<bool, ImportError> {
    Ok(record(answer, None)?.is_too_large())
}

/// What an answer means to a record. One whose order was uncertain gives way to any newer answer, which settles it.
pub(crate) fn judge(old: &Record, answer: &Answer<'_>) -> Verdict {
    let deleted = is_deleted(answer);
    let shown = RecordVersion { as_of: old.as_of, deleted: old.deleted, fetched: old.fetched };
    if !fetched_is_newer(answer.as_of, deleted, shown) {
        return Verdict::Stays;
    }
    if deleted {
        return Verdict::GivesWay(vec!["deleted".to_owned()]);
    }
    let fields = match old.object().ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) {
        Some(ours) => differences(&ours, answer.object),
        // What is damaged is mended.
        None => vec!["object".to_owned()],
    };
    if fields.is_empty() && !old.order_uncertain { Verdict::Stays } else { Verdict::GivesWay(fields) }
}

fn is_deleted(answer: &Answer<'_>) -> bool {
    answer.object["deleted"] == true
}

fn record(answer: &Answer<'_>, old: Option<&Record>) -> Result<Record, ImportError> {
    // Events that could not tell their order stay named: the answer is what decides between them.
    let undecided = old.filter(|old| old.order_uncertain || old.fetched);
    let standing = Provenance {
        as_of: answer.as_of,
        event: None,
        events: undecided.map(|old| old.events.clone()).unwrap_or_default(),
        deleted: is_deleted(answer),
        order_uncertain: false,
        fetched: true,
    };
    let new = Record::new(answer.key.clone(), standing, answer.raw.as_bytes(), answer.object)
        .map_err(ImportError::Packing)?;
    Ok(old.map_or_else(|| new.clone(), |old| new.with_earlier_position(old)))
}

/// The second that an answer is good for.
///
/// # Errors
/// Something between us and Stripe takes its `Date` away; then nobody can tell.
pub(crate) fn good_until<T>(answered: &StripeResponse<T>) -> Result<i64, Halt> {
    let why = "Stripe's answer has no `Date`, so nobody can tell which events it includes";
    answered.as_of().ok_or_else(|| no_answer(why, answered.request_id.clone()))
}

/// An answer that cannot be used.
pub(crate) fn no_answer(why: &str, request_id: Option<String>) -> Halt {
    let message = why.to_owned();
    let failure = StripeFailure { status: None, kind: None, code: None, message, param: None, request_id };
    Halt::NoAnswer(Box::new(failure))
}
