//! Metrics: log lines that CloudWatch makes numbers of, without a call and without waiting.
//!
//! A line is in CloudWatch's embedded metric format ("Specification: Embedded metric format" in its user
//! guide): one namespace, one set of dimensions a line, and a metric is a number or an array of at most a
//! hundred numbers. Arrays stand in lines of their own, so that whatever is wrong with a measurement cannot
//! take a heartbeat or a count with it, whose absence an alarm would read. A line goes to standard output
//! as a line of its own, whole, beside those of `log`. Lambda leaves lines that are JSON already as they
//! are ("Configuring JSON and plain text log formats" in its developer guide) and takes one without `level`
//! and `timestamp` for INFO ("Log-level filtering"), so both are written, and the application log level
//! must stay INFO or below.
//!
//! Rules: names stand here and nowhere else in the code, and each is in an alarm or on the dashboard of
//! `infra/monitoring.yaml` (`infra/testing/repo-checks` checks it). Each name, and each value of a dimension,
//! costs money by the month, so there are few: never an id, never what a stranger sent. What cannot be
//! written is let go: a metric never fails or holds up anything.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Billhook";
/// The dimension that each metric has: the stack's name.
pub const STACK: &str = "Stack";
/// The second dimension of [`REFUSED`]: the code of the answer.
pub const REASON: &str = "Reason";

/// Deliveries stored, each event once.
pub const ACCEPTED: Metric = Metric::count("Accepted");
/// Deliveries of events that were stored before.
pub const DUPLICATE: Metric = Metric::count("Duplicate");
/// Requests refused, by [`REASON`].
pub const REFUSED: Metric = Metric::count("Refused");
/// Deliveries answered 503, so that Stripe sends them again.
pub const UNAVAILABLE: Metric = Metric::count("Unavailable");

/// Events applied.
pub const PROCESSED: Metric = Metric::count("Processed");
/// Events older than what the record held.
pub const SUPERSEDED: Metric = Metric::count("Superseded");
/// Events with nothing to do.
pub const IGNORED: Metric = Metric::count("Ignored");
/// Events set aside.
pub const QUARANTINED: Metric = Metric::count("Quarantined");
/// Attempts that failed and are made again.
pub const FAILED: Metric = Metric::count("Failed");
/// Events given up.
pub const DEAD: Metric = Metric::count("Dead");
/// From Stripe's `created` to the end of the event's application: of delivered events.
pub const LAG: Metric = Metric::seconds("Lag");
/// How long the pending event that waited longest was beyond its time, each sweep; 0 if none was.
pub const BACKLOG_AGE: Metric = Metric::seconds("BacklogAge");
/// 1 a sweep that came to its end.
pub const SWEEP_RAN: Metric = Metric::count("SweepRan");

/// 1 a reconciliation that came to its end.
pub const RECONCILE_RAN: Metric = Metric::count("ReconcileRan");
/// How long ago the last second was that is compared with Stripe in every account.
pub const RECONCILE_BEHIND: Metric = Metric::seconds("ReconcileBehind");
/// Events that Stripe had and the ledger lacked; they are there now.
pub const GAPS_FILLED: Metric = Metric::count("GapsFilled");
/// 1 a reconciliation to which Stripe did not say what it has; else 0.
pub const STRIPE_UNREADABLE: Metric = Metric::count("StripeUnreadable");
/// Active endpoints that Stripe does not know or has disabled.
pub const ENDPOINTS_AMISS: Metric = Metric::count("EndpointsAmiss");
/// Dead and quarantined events that wait for an admin.
pub const EVENTS_WAITING: Metric = Metric::count("EventsWaiting");

/// The specification's bound on the values of one metric in one line.
const VALUES_A_LINE: usize = 100;

/// A name and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl Metric {
    const fn count(name: &'static str) -> Self {
        Self { name, unit: "Count" }
    }

    const fn seconds(name: &'static str) -> Self {
        Self { name, unit: "Seconds" }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measured {
    /// One number.
    Number(u64),
    /// Numbers, with how often each was measured.
    Spread(BTreeMap<u64, u64>),
}

/// Where metrics go.
#[derive(Clone)]
pub struct Metrics {
    stack: String,
    to: Arc<Mutex<dyn Write + Send>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("stack", &self.stack).finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics of this stack, into the function's log.
    pub fn logged(stack: impl Into<String>) -> Self {
        Self::new(stack, std::io::stdout())
    }

    /// Metrics of this stack, written to `to` line by line.
    pub fn new(stack: impl Into<String>, to: impl Write + Send + 'static) -> Self {
        Self { stack: stack.into(), to: Arc::new(Mutex::new(to)) }
    }

    /// Writes the numbers that were measured as one line, and each spread as lines of its own. Nothing
    /// measured is no line.
    pub fn emit(&self, measured: &[(Metric, Measured)], now: Timestamp) {
        let mut numbers = Vec::new();
        let mut arrays = Vec::new();
        for (metric, measured) in measured {
            match measured {
                Measured::Number(number) => numbers.push((*metric, json!(number))),
                Measured::Spread(spread) => {
                    let values: Vec<_> =
                        spread.iter().flat_map(|(value, count)| repeated(*value, *count)).collect();
                    arrays.extend(values.chunks(VALUES_A_LINE).map(|part| (*metric, json!(part))));
                }
            }
        }
        if !numbers.is_empty() {
            self.write(&[(STACK, &self.stack)], &numbers, now);
        }
        for one in arrays {
            self.write(&[(STACK, &self.stack)], &[one], now);
        }
    }

    /// Writes how many requests were refused with this code, as one line.
    pub fn emit_refused(&self, code: &'static str, count: u64, now: Timestamp) {
        self.write(&[(STACK, &self.stack), (REASON, code)], &[(REFUSED, json!(count))], now);
    }

    fn write(&self, dimensions: &[(&str, &str)], values: &[(Metric, Value)], now: Timestamp) {
        let names: Vec<_> = dimensions.iter().map(|(name, _)| name).collect();
        let metrics: Vec<_> =
            values.iter().map(|(metric, _)| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
        let mut line = Map::new();
        line.insert("level".to_owned(), "INFO".into());
        line.insert("timestamp".to_owned(), now.to_string().into());
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics }],
            }),
        );
        line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        line.extend(values.iter().map(|(metric, value)| (metric.name.to_owned(), value.clone())));
        // In one piece, so that nothing comes between.
        let line = format!("{}\n", Value::Object(line));
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let written = to.write_all(line.as_bytes()).and_then(|()| to.flush());
        // A log that takes nothing could not take the complaint either.
        drop(written);
    }
}

/// A value as often as it was measured: the specification knows numbers and arrays of them, no counts.
fn repeated(value: u64, count: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_n(value, usize::try_from(count).unwrap_or(usize::MAX))
}
