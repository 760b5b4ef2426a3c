//! Wires the function `replay` to Lambda's runtime.

use jiff::Timestamp;
use lambda_http::Error;
use replay::{Deps, WORK_WITHIN, handle};
use shared::deadline::Deadline;
use shared::http::run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(|request| handle(deps, request, Timestamp::now(), Deadline::after(WORK_WITHIN))).await
}
