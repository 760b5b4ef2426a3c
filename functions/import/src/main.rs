//! Wires the function `import` to Lambda's runtime.

use import::{Deps, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        handle(deps, event.payload, &event.context.request_id, jiff::Timestamp::now()).await
    }))
    .await
}
