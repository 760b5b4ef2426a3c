//! Wiring of the function `process`.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use process::{Deps, handle};
use serde_json::Value;
use shared::deadline::Deadline;

/// For starting rows, of the 60 s that the function has.
const START_ROWS_WITHIN: Duration = Duration::from_secs(40);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        handle(deps, event.payload, jiff::Timestamp::now(), Deadline::after(START_ROWS_WITHIN)).await
    }))
    .await
}
