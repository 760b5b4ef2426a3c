//! What events came to, by the hour, and how long they took.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::Registry;
use crate::aws::StoreError;
use crate::ledger::EventState;

pub(super) const HOUR: &str = "hour";

/// Seconds by which events are told apart that took longer than others.
const LAG_BOUNDS_S: [u64; 3] = [5, 60, 600];

/// How many events reached each end in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCounts {
    /// When it began.
    pub begins: Timestamp,
    /// Counts by state.
    pub counts: Vec<(EventState, u64)>,
    /// How long the applied ones took.
    pub lags: LagCounts,
}

/// How many events took how long from their making at Stripe until they were applied. Counts, so that many
/// processes can add to them in one write each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LagCounts {
    within: [u64; LAG_BOUNDS_S.len()],
    longer: u64,
}

impl LagCounts {
    /// Each count with the seconds that its events took at most, the shortest first; none for those that took
    /// longer than all others.
    pub fn by_bound(self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let within = LAG_BOUNDS_S.into_iter().zip(self.within);
        within.map(|(bound, count)| (Some(bound), count)).chain([(None, self.longer)])
    }

    /// The counts as an item has them; those that it lacks are none.
    pub(super) fn read(count: impl Fn(&str) -> Option<u64>) -> Self {
        let count = |bound| count(&lag_name(bound)).unwrap_or(0);
        Self { within: LAG_BOUNDS_S.map(|bound| count(Some(bound))), longer: count(None) }
    }
}

impl FromIterator<u64> for LagCounts {
    /// Counts events by the seconds that each took.
    fn from_iter<T: IntoIterator<Item = u64>>(lags: T) -> Self {
        let mut counts = Self::default();
        for lag in lags {
            let mut within = LAG_BOUNDS_S.into_iter().zip(&mut counts.within);
            let count = within.find_map(|(bound, count)| (lag <= bound).then_some(count));
            *count.unwrap_or(&mut counts.longer) += 1;
        }
        counts
    }
}

/// The attribute that counts the events within a bound.
fn lag_name(within_s: Option<u64>) -> String {
    within_s.map_or_else(|| "lag_longer".to_owned(), |bound| format!("lag_{bound}"))
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
        lags: LagCounts,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(HOUR.to_owned()))
            .key("name", AttributeValue::S(hour_name(now)));
        let mut adds = Vec::new();
        let counts = counts.iter().map(|(state, count)| (state.as_str().to_owned(), *count));
        let lags = lags.by_bound().map(|(bound, count)| (lag_name(bound), count));
        for (name, count) in counts.chain(lags).filter(|(_, count)| *count > 0) {
            adds.push(format!("#{name} :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), AttributeValue::N(count.to_string()));
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
