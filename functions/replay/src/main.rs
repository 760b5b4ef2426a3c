//! Wires the function `replay` to Lambda's runtime.

use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use replay::{Deps, WORK_WITHIN, handle};
use shared::deadline::Deadline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(|request| async move {
        let deadline = Deadline::after(WORK_WITHIN);
        Ok::<_, Error>(handle(deps, request, Timestamp::now(), deadline).await)
    }))
    .await
}
