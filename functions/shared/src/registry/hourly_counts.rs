//! What events came to, by the hour.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::Registry;
use crate::aws::StoreError;
use crate::ledger::EventState;

pub(super) const HOUR: &str = "hour";

/// How many events reached each end in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCounts {
    /// When it began.
    pub begins: Timestamp,
    /// Counts by state.
    pub counts: Vec<(EventState, u64)>,
}

impl Registry {
    /// Adds to the counts of the hour that `now` is in. Called once a batch: after a crash it may be off by
    /// that batch.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn add_hourly_counts(
        &self,
        counts: &[(EventState, u64)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(HOUR.to_owned()))
            .key("name", AttributeValue::S(hour_name(now)));
        let mut adds = Vec::new();
        for (state, count) in counts.iter().filter(|(_, count)| *count > 0) {
            adds.push(format!("#{state} :{state}"));
            update = update
                .expression_attribute_names(format!("#{state}"), state.as_str())
                .expression_attribute_values(format!(":{state}"), AttributeValue::N(count.to_string()));
        }
        if !adds.is_empty() {
            let update = update.update_expression(format!("ADD {}", adds.join(", ")));
            update.send().await.map_err(StoreError::doing("counting events by the hour"))?;
        }
        Ok(())
    }
}

pub(super) fn hour_name(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H").to_string()
}
