//! The simulated Stripe as a process, for the local stack.
//!
//! Configured by environment variables: `PORT` (default 12111), `KEY`, `MODE` (`test` or `live`), `ACCOUNT`.
//! It logs to stderr and runs until SIGTERM or SIGINT.

use std::error::Error;
use std::io;

use simulated_stripe::{Key, Options, SimulatedStripe};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stripe = SimulatedStripe::start(options()?)?;
    tracing::info!(url = stripe.url(), "answering");
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}

fn options() -> Result<Options, Box<dyn Error>> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut options = match read("MODE").as_deref() {
        None | Some("test") => Options::default(),
        Some("live") => Options::default().live(),
        Some(other) => return Err(format!("MODE is `test` or `live`, not `{other}`").into()),
    };
    options.port = read("PORT").map_or(Ok(12111), |port| port.parse())?;
    if let Some(key) = read("KEY") {
        options.keys = vec![Key::full(&key)];
    }
    options.account = read("ACCOUNT").unwrap_or(options.account);
    Ok(options)
}
