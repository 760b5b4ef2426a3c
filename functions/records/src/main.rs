//! Wires the function `records` to Lambda's runtime.

use lambda_http::Error;
use records::{Deps, handle};
use shared::http::run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(|request| handle(deps, request, jiff::Timestamp::now())).await
}
