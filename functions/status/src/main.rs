//! Wires the function `status` to Lambda's runtime.

use lambda_http::{Error, run, service_fn};
use status::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::log::init();
    let deps = &Deps::start()?;
    run(service_fn(
        |request| async move { Ok::<_, Error>(handle(deps, request, jiff::Timestamp::now()).await) },
    ))
    .await
}
