//! Logs: JSON lines, as Lambda's own are, at the level that Lambda's logging configuration names.
//!
//! The rule: a failure is logged once, where it is decided, with dotted fields; never a payload, a signature
//! header or a secret. Each line carries the span in which Lambda's runtime handles a request, so
//! `span.requestId` finds the lines of one request; it is the `request_id` of an error's answer.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging to standard output. `AWS_LAMBDA_LOG_LEVEL` is set by Lambda from the template's
/// `ApplicationLogLevel`.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let started = tracing::subscriber::set_global_default(subscriber(&level, std::io::stdout));
    // A second start, in a test, keeps the first one's.
    drop(started);
}

fn subscriber<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // The SDKs' own lines below `warn` are about their insides. The runtime's span is of level `info`, and
    // needed at any level.
    let filter = EnvFilter::new(format!(
        "{},aws=warn,hyper=warn,h2=warn,rustls=warn,reqwest=warn,lambda_runtime::layers=info",
        level.to_lowercase()
    ));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use lambda_http::Context;
    use lambda_http::lambda_runtime::layers::trace::request_span;
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_of_which_request_it_is_at_any_level() {
        for level in ["DEBUG", "INFO", "WARN", "ERROR"] {
            let lines = Lines::default();
            let writer = lines.clone();
            let mut context = Context::default();
            context.request_id = "req-1".into();
            tracing::subscriber::with_default(subscriber(level, move || writer.clone()), || {
                request_span(&context).in_scope(|| tracing::error!(endpoint.name = "main", "it failed"));
            });
            let line: Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
            assert_eq!(line["span"]["requestId"], "req-1", "{level}: {line}");
            assert_eq!(
                (line["level"].as_str(), line["message"].as_str(), line["endpoint.name"].as_str()),
                (Some("ERROR"), Some("it failed"), Some("main"))
            );
        }
    }
}
