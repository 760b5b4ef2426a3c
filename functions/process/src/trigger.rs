//! What woke the function: a batch of the ledger's stream, or the schedule.

use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use serde_json::Value;
use shared::ledger::{EventState, LedgerRow};

use crate::error::ProcessError;

/// Why the function runs.
#[derive(Debug)]
pub(crate) enum Trigger {
    /// Rows that have become pending, as the stream saw them.
    Doorbell(Vec<LedgerRow>),
    /// The schedule.
    Sweep,
}

impl Trigger {
    pub(crate) fn read(input: Value) -> Result<Self, ProcessError> {
        if input["Records"].is_array() {
            let batch: StreamEvent =
                serde_json::from_value(input).map_err(|error| ProcessError::Input(error.to_string()))?;
            return Ok(Self::Doorbell(batch.records.into_iter().filter_map(row).collect()));
        }
        // EventBridge's scheduled events say so in `detail-type`.
        if input["detail-type"] == "Scheduled Event" {
            return Ok(Self::Sweep);
        }
        Err(ProcessError::Input("it has neither `Records` nor the `detail-type` of a schedule".to_owned()))
    }
}

/// The row in a record of the stream. One that cannot be read is left to the sweep, which reads the ledger itself.
fn row(record: aws_lambda_events::event::dynamodb::EventRecord) -> Option<LedgerRow> {
    match serde_dynamo::from_item::<_, LedgerRow>(record.change.new_image) {
        Ok(row) => (row.state == EventState::Pending).then_some(row),
        Err(error) => {
            tracing::error!(error = %error, stream.event = record.event_id, "a row in the stream cannot be read");
            None
        }
    }
}
