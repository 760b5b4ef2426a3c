//! Wiring of the function `receive`.

use jiff::Timestamp;
use lambda_http::{Error, run, service_fn};
use receive::{ANSWER_WITHIN, Deps, handle};
use shared::deadline::Deadline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start(Timestamp::now()).await?;
    run(service_fn(|request| async move {
        let deadline = Deadline::after(ANSWER_WITHIN);
        Ok::<_, Error>(handle(deps, request, Timestamp::now(), deadline).await)
    }))
    .await
}
