//! Erasing the payload of an event. The row stays, so that the event counts as held: neither a second
//! delivery nor reconciliation stores it again for as long as Stripe lists it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::PastState;
use super::transition::{ALSO_LISTED, Update, transitioned, while_as_read};
use super::{Ledger, LedgerRow, Transitioned, number};
use crate::aws::StoreError;
use crate::query;

/// What takes the place of a reason: one may quote what could not be read, or hold an admin's own words.
const ERASED: &str = "erased";

impl Ledger {
    /// Removes the payload of a final event, its fingerprint and the reasons of its states; of one that is
    /// erased already, what is left of it in parts. Stopped anywhere and done again, it goes on. A row whose
    /// expiry is set keeps it.
    ///
    /// # Errors
    /// If parts cannot be listed, or the row or a part could not be written, or it is not known whether it
    /// was. Doing it again is always right.
    pub async fn erase(&self, row: &LedgerRow) -> Result<Transitioned, StoreError> {
        if !row.erased {
            let mut update = Update::default();
            update.set("erased", AttributeValue::Bool(true));
            update.set("reason", AttributeValue::S(ERASED.to_owned()));
            ["body", "dict", "sha256", "parts", "parts_at"].into_iter().for_each(|name| update.remove(name));
            if !row.history.is_empty() {
                let without_reason = row.history.iter().cloned().map(|was| PastState { reason: None, ..was });
                let history = without_reason.map(|was| was.attribute()).collect();
                update.set("history", AttributeValue::L(history));
            }
            let request = while_as_read(update.on(self.update(&row.id, 0)), row);
            // The SDK tries again after a lost answer and then meets an erased row.
            let outcome = transitioned(request.send().await, |old| old.erased, "erasing an event")?;
            if outcome == Transitioned::Conflict {
                return Ok(Transitioned::Conflict);
            }
        }
        for part in self.parts_with_bytes(row).await? {
            let mut update = Update::default();
            update.remove("body");
            update.set_or_remove("expires_at", row.expires_at.map(number));
            // An update makes an item where there is none.
            let request = update.on(self.update(&row.id, part)).condition_expression("attribute_exists(id)");
            transitioned(request.send().await, |_| false, "erasing a part of an event")?;
        }
        Ok(Transitioned::Done)
    }

    /// Lists the parts of an event that hold bytes, read consistently: also those that the row does not name,
    /// which a receipt that was cut off has left.
    async fn parts_with_bytes(&self, row: &LedgerRow) -> Result<Vec<u64>, StoreError> {
        let doing = "listing the parts of an event";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#id = :id AND #part > :also_listed")
            .filter_expression("attribute_exists(#body)")
            .projection_expression("#part")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#part", "part")
            .expression_attribute_names("#body", "body")
            .expression_attribute_values(":id", AttributeValue::S(row.id.to_string()))
            .expression_attribute_values(":also_listed", number(ALSO_LISTED))
            .consistent_read(true);
        let parts = query::first(query, usize::MAX, doing).await?.into_iter().map(|item| {
            let part = item.get("part").and_then(|part| part.as_n().ok()?.parse().ok());
            part.ok_or_else(|| StoreError::new(doing, "a part has no number"))
        });
        parts.collect()
    }
}
