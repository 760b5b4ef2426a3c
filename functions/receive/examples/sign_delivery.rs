//! Makes a freshly signed delivery for invoking `receive` by hand, because a signature is good for five
//! minutes only.
//!
//! ```sh
//! read -rs SIGNING_SECRET; export SIGNING_SECRET
//! cargo run -q -p receive --example sign_delivery -- main events/stripe/invoice.paid.json
//! ```
//!
//! writes the event that API Gateway would hand to the function to standard output. The secret is read and
//! not typed into the command, so that it stands in no shell history, and is taken from the environment, so
//! that it stands in no list of processes.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use serde_json::Value;
use shared::endpoint::EndpointName;
use shared::secret::SigningSecret;
use shared::signature::sign;

fn main() -> ExitCode {
    match sign_delivery() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "sign_delivery: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn sign_delivery() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(endpoint), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: sign_delivery <endpoint name> <file with the event's body>".into());
    };
    let endpoint: EndpointName = endpoint.parse()?;
    let secret: SigningSecret = std::env::var("SIGNING_SECRET").map_err(|_| "set SIGNING_SECRET")?.parse()?;
    let body = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;

    let mut event: Value = serde_json::from_str(include_str!("../../../events/receive/unsigned.json"))?;
    let url_path = format!("/webhooks/{endpoint}");
    event["rawPath"] = url_path.as_str().into();
    event["pathParameters"]["endpoint"] = endpoint.as_str().into();
    event["requestContext"]["http"]["path"] = url_path.into();
    event["headers"]["stripe-signature"] =
        sign(&secret, jiff::Timestamp::now().into(), body.as_bytes()).into();
    event["body"] = body.into();
    serde_json::to_writer_pretty(std::io::stdout(), &event)?;
    std::io::stdout().write_all(b"\n")?;
    Ok(())
}
