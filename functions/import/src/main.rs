//! Wires the function `import` to Lambda's runtime.

use std::time::Duration;

use import::{Deps, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use shared::deadline::Deadline;

/// A run stops after this, of the function's timeout of 300 s, and the next run continues.
const RUN_WITHIN: Duration = Duration::from_secs(240);

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
