//! Many rows at once, as if they had always been there, for tests that what a call costs does not depend on
//! how many rows there are.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixtures::{event, ledger_row};

/// Seconds before now over which events have come in.
const NINE_DAYS: usize = 777_600;

/// Returns rows of the ledger in DynamoDB's own JSON: events of fifty invoices, `settled` of them final and
/// `due` pending for a long time.
#[allow(clippy::expect_used, reason = "a test that cannot have its rows has to fail at once")]
pub(crate) fn events(settled: usize, due: usize, now: Timestamp) -> impl Iterator<Item = Value> {
    let total = settled + due;
    (0..total).map(move |i| {
        let invoice = json!({ "object": "invoice", "id": format!("in_{}", i % 50), "status": "paid" });
        let created = i64::try_from(1_785_000_000 + i).unwrap_or(i64::MAX);
        let body = event(&format!("evt_{i:06}"), "invoice.paid", created, &invoice);
        let ago = SignedDuration::from_secs(i64::try_from(600 + i * NINE_DAYS / total).unwrap_or(600));
        let row = ledger_row(&body, now - ago);
        let item: serde_dynamo::Item = serde_dynamo::to_item(&row).expect("a row");
        let mut item = serde_json::to_value(item).expect("an item");
        // The pending ones are spread over all days.
        let pending = i * due / total != (i + 1) * due / total;
        if !pending && let Some(item) = item.as_object_mut() {
            item.insert("state".to_owned(), json!({ "S": "processed" }));
            item.remove("open");
            item.remove("due_at");
        }
        item
    })
}
