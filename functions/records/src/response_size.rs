//! How many records fit one response. Pure.
//!
//! Lambda's responses have 6 MB at most (its quotas). They are JSON in which the body is one string.

use serde::Serialize;
use serde_json::value::RawValue;

/// The records of one page take at most this, so that there is room for the rest of the response.
pub(crate) const LARGEST_PAGE: usize = 4_500_000;

/// Ends a page where its response would become too large, but after one record at least. Each record comes
/// with its position; returned are the records as JSON, and the position to continue after.
pub(crate) fn take_fitting<P, R: Serialize>(
    records: impl IntoIterator<Item = (P, R)>,
    next: Option<P>,
) -> (Vec<Box<RawValue>>, Option<P>) {
    let (mut data, mut size, mut last) = (Vec::new(), 0, None);
    for (position, record) in records {
        let Some(json) = to_json(&record) else { continue };
        size += escaped_len(&json);
        if size > LARGEST_PAGE && !data.is_empty() {
            return (data, last);
        }
        data.push(json);
        last = Some(position);
    }
    (data, next)
}

/// Returns the records as JSON, without those for which there is no room. One that is too large does not hide
/// the others; its own path shows it.
pub(crate) fn all_fitting<R: Serialize>(records: &[R], max_bytes: usize) -> Vec<Box<RawValue>> {
    let mut room = max_bytes;
    let fitting = records.iter().filter_map(to_json).filter(|json| {
        let len = escaped_len(json);
        let fits = len <= room;
        room -= if fits { len } else { 0 };
        fits
    });
    fitting.collect()
}

/// The bytes of a JSON text inside a JSON string, where quotes, backslashes and newlines are written as two.
fn escaped_len(json: &RawValue) -> usize {
    let escaped = json.get().bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
    json.get().len() + escaped.count()
}

/// Never `None` for a record, which was read from JSON.
fn to_json<R: Serialize>(record: &R) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(record).ok()
}
