//! Wires the function `reconcile` to Lambda's runtime.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile::{Deps, handle};
use serde_json::Value;
use shared::deadline::Deadline;

/// A run of the schedule ends after this, of the 120 s that the function has, and the next one carries on.
const RUN_WITHIN: Duration = Duration::from_secs(90);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let (now, deadline) = (jiff::Timestamp::now(), Deadline::after(RUN_WITHIN));
        handle(deps, event.payload, &event.context.request_id, now, deadline).await
    }))
    .await
}
