//! Wiring of the function `register`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use register::{Config, Deps, handle};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::new(Config::from_env()?)?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        handle(deps, &event.payload, &event.context.request_id, jiff::Timestamp::now()).await
    }))
    .await
}
