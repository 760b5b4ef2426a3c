//! What woke the function: a batch of the ledger's stream, or the schedule.

use aws_lambda_events::event::dynamodb::{Event as StreamEvent, EventRecord};
use serde_json::Value;
use shared::ledger::{EventState, LedgerRow};

use crate::error::ProcessError;

/// Why the function runs.
#[derive(Debug)]
pub(crate) enum ProcessTrigger {
    /// Rows that have become pending, as the stream carries them.
    Doorbell(Vec<LedgerRow>),
    /// The schedule.
    Sweep,
}

impl ProcessTrigger {
    pub(crate) fn from_input(input: Value) -> Result<Self, ProcessError> {
        if input["Records"].is_array() {
            let batch: StreamEvent =
                serde_json::from_value(input).map_err(|error| ProcessError::Input(error.to_string()))?;
            return Ok(Self::Doorbell(batch.records.into_iter().filter_map(pending_row).collect()));
        }
        // EventBridge's scheduled events have this `detail-type`.
        if input["detail-type"] == "Scheduled Event" {
            return Ok(Self::Sweep);
        }
        Err(ProcessError::Input("it has neither `Records` nor the `detail-type` of a schedule".to_owned()))
    }
}

/// Returns the row in a record of the stream, if it is pending. One that cannot be read is left to the sweep,
/// which reads the ledger itself.
fn pending_row(record: EventRecord) -> Option<LedgerRow> {
    match serde_dynamo::from_item::<_, LedgerRow>(record.change.new_image) {
        Ok(row) => (row.state == EventState::Pending).then_some(row),
        Err(error) => {
            tracing::error!(error = %error, stream.event = record.event_id, "a row in the stream cannot be read");
            None
        }
    }
}
