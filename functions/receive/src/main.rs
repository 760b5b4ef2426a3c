//! Wiring of the function `receive`.

use jiff::Timestamp;
use lambda_http::Error;
use receive::{ANSWER_WITHIN, Deps, handle};
use shared::deadline::Deadline;
use shared::http::run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start(Timestamp::now()).await?;
    run(|request| handle(deps, request, Timestamp::now(), Deadline::after(ANSWER_WITHIN))).await
}
