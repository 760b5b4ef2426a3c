//! Wires the function `status` to Lambda's runtime.

use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use shared::deadline::Deadline;
use status::{Deps, GATHER_WITHIN, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(|request| async move {
        let deadline = Deadline::after(GATHER_WITHIN);
        Ok::<_, Error>(handle(deps, request, Timestamp::now(), deadline).await)
    }))
    .await
}
