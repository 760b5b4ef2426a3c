//! Payloads of many events at once.

use super::lists::row_key;
use super::{Ledger, LedgerRow};
use crate::aws::StoreError;
use crate::batch_get;
use crate::event::EventId;

impl Ledger {
    /// The payloads of these events as they came in, read consistently, in any order; without those that are
    /// not there any more or are damaged.
    ///
    /// # Errors
    /// If they cannot be read, or DynamoDB leaves some out again and again.
    pub async fn bodies<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a EventId>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = ids.into_iter().map(row_key).collect();
        let doing = "reading events' payloads";
        let items = batch_get::get(&self.client, &self.table, keys, &[], self.patience, doing).await?;
        let mut bodies = Vec::new();
        // As in lists: one that cannot be read must not hold the others back.
        let rows = items.into_iter().filter_map(|item| serde_dynamo::from_item::<_, LedgerRow>(item).ok());
        for row in rows {
            bodies.extend(self.body(&row).await?.ok());
        }
        Ok(bodies)
    }
}
