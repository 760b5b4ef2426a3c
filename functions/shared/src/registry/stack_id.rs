//! The id of the stack: what no other stack has, whatever its name, account or region. The endpoints that it
//! creates at Stripe carry it, so that it can tell its own from those of another stack of the same name.
//!
//! The rule: it is made once, before the first endpoint is created, and never changes.

use serde::{Deserialize, Serialize};

use super::{Registry, STACK_ID, THE_STACK, Written};
use crate::aws::StoreError;

/// The row that holds it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StackId {
    pub(super) id: String,
}

impl Registry {
    /// The stack's id; none before the first endpoint is created.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn stack_id(&self) -> Result<Option<String>, StoreError> {
        let row: Option<StackId> = self.get(STACK_ID, THE_STACK, "reading the stack's id").await?;
        Ok(row.map(|row| row.id))
    }

    /// The stack's id, made now if there is none. Of several callers at once all are given the same.
    ///
    /// # Errors
    /// If it cannot be read, or could not be written.
    pub async fn stack_id_or_new(&self) -> Result<String, StoreError> {
        if let Some(id) = self.stack_id().await? {
            return Ok(id);
        }
        let doing = "making the stack's id";
        let made = StackId { id: uuid::Uuid::new_v4().to_string() };
        match self.put(STACK_ID, THE_STACK, &made, None, doing).await? {
            Written::Done => Ok(made.id),
            Written::Conflict => {
                let other = self.stack_id().await?;
                other.ok_or_else(|| StoreError::new(doing, "it was made by another process and is gone"))
            }
        }
    }
}
