//! Writes the state that Stripe returned to an object's record, if that is newer and differs.
//!
//! A fetched state stands for the last second that had wholly passed when Stripe was called (`shared::order`,
//! rule 4). So a newer record stays, a deleted one stays deleted, and later events are put in order with it
//! as with any record.
//!
//! The rule: a record that is up to date is not written. A record is written under the condition that it has
//! not changed since it was read; if it has, it is read and compared again.

use serde_json::Value;
use shared::erasure::reduced;
use shared::object_key::ObjectKey;
use shared::order::{RecordVersion, fetched_is_newer, made};
use shared::records::{Provenance, Put, Record, Records};
use shared::unix_time::UnixSeconds;

use crate::diff::differing_fields;
use crate::error::ImportError;

/// Few processes write one record. After so many conflicts the others have written newer states.
const MAX_ATTEMPTS: u32 = 10;

/// An object as Stripe returned it.
#[derive(Debug)]
pub(crate) struct FetchedObject<'a> {
    pub(crate) key: ObjectKey,
    /// Stripe's JSON text.
    pub(crate) raw: &'a str,
    /// The same, parsed.
    pub(crate) object: &'a Value,
    /// It includes everything that Stripe stamped up to this second.
    pub(crate) as_of: UnixSeconds,
}

/// What became of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upserted {
    /// It is written.
    Written,
    /// It stays as it is.
    Unchanged,
    /// It stays, because the object is larger than one item of DynamoDB can hold, even compressed.
    TooLarge,
}

/// How a record compares with a fetched object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordCheck {
    /// The record is newer, or says the same.
    UpToDate,
    /// The record is to be replaced. Named are the fields that differ; none if only the order of its events
    /// was uncertain, or it is marked as gone at Stripe, or what was deleted was made again just as it was.
    Outdated(Vec<String>),
}

/// Writes a fetched object to its record, which was read as `record`.
pub(crate) async fn upsert(
    records: &Records,
    fetched: &FetchedObject<'_>,
    mut record: Option<Record>,
) -> Result<Upserted, ImportError> {
    for _ in 0..MAX_ATTEMPTS {
        if record.as_ref().is_some_and(|record| check(record, fetched) == RecordCheck::UpToDate) {
            return Ok(Upserted::Unchanged);
        }
        let new = new_record(fetched, record.as_ref())?;
        if new.is_too_large() {
            return Ok(Upserted::TooLarge);
        }
        let put = match &record {
            None => records.put_if_newer(&new).await?,
            Some(old) => records.replace(old, &new).await?,
        };
        match put {
            Put::Done => return Ok(Upserted::Written),
            // After a lost response the SDK writes again and finds its own record.
            Put::Conflict(stored) if *stored == new => return Ok(Upserted::Written),
            Put::Conflict(stored) => record = Some(*stored),
        }
    }
    Ok(Upserted::Unchanged)
}

/// Whether the object is larger than one item of DynamoDB can hold. Its record then stays as it is.
pub(crate) fn is_too_large(fetched: &FetchedObject<'_>) -> Result<bool, ImportError> {
    Ok(new_record(fetched, None)?.is_too_large())
}

/// Compares a record with a fetched object. A record whose order is uncertain is outdated by any newer state,
/// which settles the order; one that is marked as gone at Stripe by any that Stripe has.
pub(crate) fn check(record: &Record, fetched: &FetchedObject<'_>) -> RecordCheck {
    if !is_newer(fetched, record) {
        return RecordCheck::UpToDate;
    }
    if is_deleted(fetched) {
        return RecordCheck::Outdated(vec!["deleted".to_owned()]);
    }
    let fields = match record.parsed() {
        // Of what is erased only the reduced states can be compared.
        Some(stored) if record.erased => differing_fields(&stored, &reduced(fetched.object)),
        Some(stored) => differing_fields(&stored, fetched.object),
        // A damaged record is replaced.
        None => vec!["object".to_owned()],
    };
    if fields.is_empty() && !record.order_uncertain && !record.gone_at_stripe && !record.deleted {
        RecordCheck::UpToDate
    } else {
        RecordCheck::Outdated(fields)
    }
}

/// Whether a fetched object takes the place of what a record shows.
pub(crate) fn is_newer(fetched: &FetchedObject<'_>, record: &Record) -> bool {
    let answer = RecordVersion {
        as_of: fetched.as_of,
        deleted: is_deleted(fetched),
        fetched: true,
        made: made(fetched.key.kind(), fetched.object),
    };
    fetched_is_newer(answer, record.version())
}

fn is_deleted(fetched: &FetchedObject<'_>) -> bool {
    fetched.object["deleted"] == true
}

/// The record of a fetched object, in the place of `old`.
pub(crate) fn new_record(fetched: &FetchedObject<'_>, old: Option<&Record>) -> Result<Record, ImportError> {
    // The events that could not be put in order stay named: the fetched state decides between them.
    let undecided = old.filter(|old| old.order_uncertain || old.fetched);
    let provenance = Provenance {
        as_of: fetched.as_of,
        event: None,
        events: undecided.map(|old| old.events.clone()).unwrap_or_default(),
        deleted: is_deleted(fetched),
        order_uncertain: false,
        fetched: true,
    };
    let new = Record::new(fetched.key.clone(), provenance, fetched.raw.as_bytes(), fetched.object)
        .map_err(ImportError::Compression)?;
    match old {
        Some(old) => new.in_place_of(old).map_err(ImportError::Compression),
        None => Ok(new.with_first_balance()),
    }
}
