//! Lines that CloudWatch takes for metrics.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::metrics::{ACCEPTED, BACKLOG_AGE, LAG, Measured, Metrics, SWEEP_RAN};

/// Keeps each write apart.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<String>>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn emitted(emit: impl FnOnce(&Metrics)) -> Vec<Value> {
    let writes = Writes::default();
    emit(&Metrics::new("billhook-test", writes.clone()));
    let writes = writes.0.lock().unwrap();
    writes
        .iter()
        .map(|line| {
            assert_eq!(line.find('\n'), Some(line.len() - 1), "a write is a whole line: {line}");
            serde_json::from_str(line).unwrap()
        })
        .collect()
}

#[test]
fn a_line_is_as_the_specification_says() {
    let lines = emitted(|metrics| {
        metrics.emit(&[(ACCEPTED, Measured::Number(3)), (BACKLOG_AGE, Measured::Number(0))], now())
    });
    assert_eq!(
        lines,
        [json!({
            "level": "INFO",
            "timestamp": "2026-11-24T12:00:00Z",
            "_aws": {
                "Timestamp": 1_795_521_600_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Billhook",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        { "Name": "Accepted", "Unit": "Count" },
                        { "Name": "BacklogAge", "Unit": "Seconds" },
                    ],
                }],
            },
            "Stack": "billhook-test",
            "Accepted": 3,
            "BacklogAge": 0,
        })]
    );
}

/// The specification: a member that a metric names is a number, or an array of numbers.
#[test]
fn a_measurement_with_many_values_stands_apart_from_counts_and_heartbeats() {
    let lag = Measured::Spread(BTreeMap::from([(1, 2), (3, 1)]));
    let lines = emitted(|metrics| {
        metrics.emit(&[(ACCEPTED, Measured::Number(3)), (LAG, lag), (SWEEP_RAN, Measured::Number(1))], now())
    });
    let [counts, lags] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (&counts["Accepted"], &counts["SweepRan"], &counts["Lag"]),
        (&json!(3), &json!(1), &json!(null))
    );
    assert_eq!((&lags["Lag"], &lags["SweepRan"]), (&json!([1, 1, 3]), &json!(null)));
    let of = &lags["_aws"]["CloudWatchMetrics"][0]["Metrics"];
    assert_eq!(of, &json!([{ "Name": "Lag", "Unit": "Seconds" }]));
}

#[test]
fn a_refusal_has_its_reason_as_a_dimension() {
    let lines = emitted(|metrics| metrics.emit_refused("signature_mismatch", 5, now()));
    let directive = &lines[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Dimensions"], json!([["Stack", "Reason"]]));
    assert_eq!((&lines[0]["Reason"], &lines[0]["Refused"]), (&json!("signature_mismatch"), &json!(5)));
}

#[test]
fn nothing_measured_is_no_line() {
    assert_eq!(
        emitted(|metrics| metrics.emit(&[(LAG, Measured::Spread(BTreeMap::new()))], now())),
        [] as [Value; 0]
    );
}

#[test]
fn a_line_has_a_hundred_values_at_most_and_none_is_lost() {
    let spread: BTreeMap<u64, u64> = (0..50).map(|value| (value, value % 9 + 1)).collect();
    let lines = emitted(|metrics| {
        metrics.emit(&[(ACCEPTED, Measured::Number(1)), (LAG, Measured::Spread(spread.clone()))], now())
    });
    let mut found = BTreeMap::new();
    for values in lines.iter().filter_map(|line| line["Lag"].as_array()) {
        assert!(values.len() <= 100);
        values.iter().for_each(|value| *found.entry(value.as_u64().unwrap()).or_insert(0) += 1);
    }
    assert_eq!(found, spread);
    assert_eq!(lines.iter().filter(|line| line["Accepted"] == 1).count(), 1, "the rest is told once");
}

#[test]
fn a_log_that_takes_nothing_stops_nobody() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let metrics = Metrics::new("billhook-test", Full);
    metrics.emit(&[(ACCEPTED, Measured::Number(1))], now());
    metrics.emit_refused("signature_mismatch", 1, now());
}
