//! Wiring of the function `register`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use register::{Config, Deps, WORK_WITHIN, handle};
use serde_json::Value;
use shared::deadline::Deadline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::new(Config::from_env()?)?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let (now, deadline) = (jiff::Timestamp::now(), Deadline::after(WORK_WITHIN));
        handle(deps, &event.payload, &event.context.request_id, now, deadline).await
    }))
    .await
}
