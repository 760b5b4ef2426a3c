//! Leases: of the runs of one kind of work, one at a time is at it.
//!
//! A lease ends by itself, so that a process that died holds nobody up for ever. It keeps work from being
//! done twice, and is not what keeps it right: what a run writes is right whoever else is at it.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::Registry;
use crate::aws::{StoreError, error_chain};

const LEASE: &str = "lease";

/// The work that one at a time may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Comparing Stripe's events with the ledger.
    Reconcile,
    /// Bringing in Stripe's objects and comparing them with the records.
    Import,
    /// Erasing customers' personal data.
    Erase,
}

impl Lease {
    fn name(self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Import => "import",
            Self::Erase => "erase",
        }
    }
}

impl Registry {
    /// Does `work` under a lease of this length, and gives it back. Returns none if somebody else holds it.
    ///
    /// # Errors
    /// If the lease could not be taken, or it is not known whether it was; and what `work` fails with.
    pub async fn under_lease<T, E: From<StoreError>>(
        &self,
        lease: Lease,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<T>, E> {
        if !self.acquire_lease(lease, holder, now, length).await? {
            return Ok(None);
        }
        let result = work.await;
        if let Err(error) = self.release_lease(lease, holder).await {
            tracing::warn!(error = error_chain(&error), "the lease was not released; it expires by itself");
        }
        result.map(Some)
    }

    /// Takes a lease for a time, unless somebody else holds it. It ends by itself.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn acquire_lease(
        &self,
        lease: Lease,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<bool, StoreError> {
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        let taken = self
            .lease(lease)
            .update_expression("SET ends_at = :ends_at, holder = :holder")
            .condition_expression("attribute_not_exists(ends_at) OR ends_at <= :now OR holder = :holder")
            .expression_attribute_values(":ends_at", number(now + length))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .send()
            .await;
        match taken.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(true),
            Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(StoreError::new("taking the lease", error)),
        }
    }

    /// Gives a lease back, if it is still this holder's.
    ///
    /// # Errors
    /// If it could not be written; then it ends by itself.
    pub async fn release_lease(&self, lease: Lease, holder: &str) -> Result<(), StoreError> {
        let given = self
            .lease(lease)
            .update_expression("REMOVE ends_at, holder")
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .send()
            .await;
        match given.map_err(|error| error.into_service_error()) {
            Ok(_) | Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(StoreError::new("giving the lease back", error)),
        }
    }

    fn lease(&self, lease: Lease) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(LEASE.to_owned()))
            .key("name", AttributeValue::S(lease.name().to_owned()))
    }
}
