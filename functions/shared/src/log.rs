//! Logs: JSON lines, as Lambda's own are, at the level that Lambda's logging configuration names.
//!
//! The rule: a failure is logged once, where it is decided, with dotted fields; never a payload, a signature header or a secret.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output. `AWS_LAMBDA_LOG_LEVEL` is set by Lambda from the template's `ApplicationLogLevel`.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    // The SDKs' own lines below `warn` are about their insides.
    let filter = EnvFilter::new(format!(
        "{},aws=warn,hyper=warn,h2=warn,rustls=warn,reqwest=warn",
        level.to_lowercase()
    ));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
    // A second start, in a test, keeps the first one's.
    drop(started);
}
