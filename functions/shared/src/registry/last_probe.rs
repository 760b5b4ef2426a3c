//! The last probe of each endpoint, by whoever sent it: register right after registering and when an admin
//! asks, reconcile when an endpoint was not heard from.
//!
//! The rule: an earlier probe never replaces a later one. And one that was sent before the endpoint was
//! registered, or to another address than it has now, says nothing of it (`LastProbe::is_about`).

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{PROBE, Registry};
use crate::aws::StoreError;
use crate::endpoint::{EndpointName, EndpointRow};
use crate::probe::ProbeReport;
use crate::unix_time::UnixMillis;

/// The last probe of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastProbe {
    /// When it was sent.
    pub at: UnixMillis,
    /// The address it was sent to.
    pub url: String,
    /// What became of it.
    pub report: ProbeReport,
}

impl LastProbe {
    /// Whether it says something of the endpoint as it is now.
    pub fn is_about(&self, row: &EndpointRow) -> bool {
        self.url == row.spec.url && self.at >= row.created_at
    }
}

impl Registry {
    /// Keeps a probe of an endpoint, unless a later one is kept.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record_probe(&self, name: &EndpointName, probe: &LastProbe) -> Result<(), StoreError> {
        let doing = "keeping a probe of an endpoint";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(probe).map_err(StoreError::doing(doing))?))
            .item("kind", AttributeValue::S(PROBE.to_owned()))
            .item("name", AttributeValue::S(name.to_string()))
            .condition_expression("attribute_not_exists(kind) OR #at <= :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", AttributeValue::N(probe.at.to_string()));
        match put.send().await.map_err(|error| error.into_service_error()) {
            Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }
}
