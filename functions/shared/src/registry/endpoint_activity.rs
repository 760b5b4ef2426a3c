//! What receive records of an endpoint's deliveries: when one came in, and when what came could not be taken
//! for Stripe's.
//!
//! Each process writes each kind of entry at most once a minute and endpoint, so strangers cannot spend our
//! money by what they send. Nothing depends on these rows but what the status says; what is refused counts
//! there only when Stripe's own events fail to arrive.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ENDPOINT_ACTIVITY, Registry};
use crate::aws::StoreError;
use crate::endpoint::EndpointName;
use crate::unix_time::UnixMillis;

/// Mismatches are counted over about this long.
const COUNTED_FOR: SignedDuration = SignedDuration::from_hours(1);

const DOING: &str = "recording an endpoint's activity";

/// The recorded activity of one endpoint. Times are exact to about a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointActivity {
    /// When a rightly signed delivery last came in.
    #[serde(rename = "heard_at", default)]
    pub at: Option<UnixMillis>,
    /// How many seconds its `t` was ahead of our clock.
    #[serde(default)]
    pub off_by_s: Option<i64>,
    /// When a request last came that is signed with no secret of the endpoint.
    #[serde(default)]
    pub mismatched_at: Option<UnixMillis>,
    /// How many of those were counted since `mismatches_since`, an hour at most.
    #[serde(default)]
    pub mismatches: u64,
    /// Since when.
    #[serde(default)]
    pub mismatches_since: Option<UnixMillis>,
    /// When a rightly signed request was last refused because of its time.
    #[serde(default)]
    pub stale_at: Option<UnixMillis>,
    /// How many seconds its `t` was ahead of our clock.
    #[serde(default)]
    pub stale_by_s: Option<i64>,
}

impl Registry {
    /// Notes that a rightly signed delivery came in at an endpoint, whose `t` was so many seconds ahead of
    /// our clock.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record_delivery(
        &self,
        name: &EndpointName,
        off_by_s: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.update_activity(name)
            .update_expression("SET heard_at = :now, off_by_s = :off")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":off", AttributeValue::N(off_by_s.to_string()))
            .send()
            .await
            .map_err(StoreError::doing(DOING))?;
        Ok(())
    }

    /// Notes that so many requests came that no secret of the endpoint has signed.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record_mismatches(
        &self,
        name: &EndpointName,
        count: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let count = AttributeValue::N(count.to_string());
        let added = self
            .update_activity(name)
            .update_expression("SET mismatched_at = :now ADD mismatches :count")
            .condition_expression("mismatches_since > :then")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":count", count.clone())
            .expression_attribute_values(":then", millis(now - COUNTED_FOR))
            .send()
            .await;
        match added.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(()),
            Err(UpdateItemError::ConditionalCheckFailedException(_)) => {
                self.update_activity(name)
                    .update_expression(
                        "SET mismatched_at = :now, mismatches_since = :now, mismatches = :count",
                    )
                    .expression_attribute_values(":now", millis(now))
                    .expression_attribute_values(":count", count)
                    .send()
                    .await
                    .map_err(StoreError::doing(DOING))?;
                Ok(())
            }
            Err(error) => Err(StoreError::new(DOING, error)),
        }
    }

    /// Notes that a rightly signed request was refused, because its `t` was so many seconds ahead of our
    /// clock.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record_stale_delivery(
        &self,
        name: &EndpointName,
        off_by_s: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.update_activity(name)
            .update_expression("SET stale_at = :now, stale_by_s = :off")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":off", AttributeValue::N(off_by_s.to_string()))
            .send()
            .await
            .map_err(StoreError::doing(DOING))?;
        Ok(())
    }

    fn update_activity(&self, name: &EndpointName) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(ENDPOINT_ACTIVITY.to_owned()))
            .key("name", AttributeValue::S(name.to_string()))
    }
}

fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}
