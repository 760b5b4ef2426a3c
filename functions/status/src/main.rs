//! Wires the function `status` to Lambda's runtime.

use jiff::Timestamp;
use lambda_http::Error;
use shared::deadline::Deadline;
use shared::http::run;
use status::{Deps, GATHER_WITHIN, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(|request| handle(deps, request, Timestamp::now(), Deadline::after(GATHER_WITHIN))).await
}
