//! Wires the function `console` to Lambda's runtime.

use console::{Deps, handle};
use lambda_http::Error;
use shared::http::run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(|request| handle(deps, request)).await
}
