//! Erasing the payload of an event. The row stays, so that the event counts as held: neither a second
//! delivery nor reconciliation stores it again for as long as Stripe lists it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::PastState;
use super::transition::{Update, transitioned, while_as_read};
use super::{Ledger, LedgerRow, Transitioned, number};
use crate::aws::StoreError;

/// What takes the place of a reason: one may quote what could not be read, or hold an admin's own words.
const ERASED: &str = "erased";

impl Ledger {
    /// Removes the payload of a final event, its fingerprint and the reasons of its states. Stopped anywhere
    /// and done again, it goes on. A row whose expiry is set keeps it.
    ///
    /// # Errors
    /// If the row or a part could not be written, or it is not known whether it was. Doing it again is always
    /// right.
    pub async fn erase(&self, row: &LedgerRow) -> Result<Transitioned, StoreError> {
        if !row.erased {
            let mut update = Update::default();
            update.set("erased", AttributeValue::Bool(true));
            update.set("reason", AttributeValue::S(ERASED.to_owned()));
            ["body", "dict", "sha256"].into_iter().for_each(|name| update.remove(name));
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
        self.erase_parts(row).await?;
        Ok(Transitioned::Done)
    }

    /// The row names its parts until all of them are empty, so that none is left behind.
    async fn erase_parts(&self, row: &LedgerRow) -> Result<(), StoreError> {
        let doing = "erasing a part of an event";
        if row.part_numbers().is_empty() {
            return Ok(());
        }
        for part in row.part_numbers() {
            let mut update = Update::default();
            update.remove("body");
            update.set_or_remove("expires_at", row.expires_at.map(number));
            // An update makes an item where there is none.
            let request = update.on(self.update(&row.id, part)).condition_expression("attribute_exists(id)");
            transitioned(request.send().await, |_| false, doing)?;
        }
        let mut update = Update::default();
        update.remove("parts");
        update.remove("parts_at");
        let request = update.on(self.update(&row.id, 0)).condition_expression("attribute_exists(erased)");
        transitioned(request.send().await, |_| false, doing)?;
        Ok(())
    }
}

impl LedgerRow {
    /// Returns whether nothing of its payload is left.
    pub fn is_erased(&self) -> bool {
        self.erased && self.part_numbers().is_empty()
    }
}
