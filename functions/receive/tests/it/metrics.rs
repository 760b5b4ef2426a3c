//! The metrics count how requests ended, at little cost and without anybody's secrets.

use std::io::{self, Write};

use jiff::SignedDuration;
use lambda_http::Body;
use receive::{Config, Deps, handle};
use shared::deadline::Deadline;
use shared::metrics::Metrics;
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{SECRET, Stack, deliver, deliver_to, event, later, request};

#[tokio::test]
async fn the_first_of_each_is_emitted_at_once_and_the_rest_after_a_minute() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    deliver(&deps, &event("evt_1"), now()).await;
    assert_eq!(stack.metrics.sums()["Accepted"], 1, "a process that is frozen now has emitted all");
    for second in 1..=9 {
        deliver(&deps, &event(&format!("evt_b{second}")), later(second)).await;
    }
    deliver(&deps, &event("evt_1"), later(10)).await;
    stack.cloud.fail("PutItem", "LedgerTable", 9, Fault::Throttle);
    assert_eq!(deliver(&deps, &event("evt_2"), later(11)).await.0, 503);
    stack.cloud.clear_faults();
    assert_eq!(stack.metrics.json().len(), 3, "{}", stack.metrics.text());
    // The next request, of whatever kind, emits what is due.
    deliver_to(&deps, "main", "whsec_guess", &event("evt_3"), later(61)).await;
    let sums = stack.metrics.sums();
    let emitted: Vec<_> = sums.iter().map(|(name, sum)| (name.as_str(), *sum)).collect();
    assert_eq!(
        emitted,
        [("Accepted", 10), ("Duplicate", 1), ("Refused/signature_mismatch", 1), ("Unavailable", 1)]
    );
    assert_eq!(stack.metrics.json().len(), 5);
}

#[tokio::test]
async fn each_reason_is_counted_separately() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.metrics.clear();
    let body = event("evt_1");
    handle(&deps, request("nobody", None, &body), now(), Deadline::NEVER).await;
    handle(&deps, request("main", None, &body), now(), Deadline::NEVER).await;
    handle(&deps, request("main", Some("v1=0"), &body), now(), Deadline::NEVER).await;
    handle(&deps, request("main", None, &"x".repeat(shared::payload::LARGEST + 1)), now(), Deadline::NEVER)
        .await;
    deliver(&deps, "{}", now()).await;
    let old = shared::signature::sign(&SECRET.parse().unwrap(), later(-301).into(), body.as_bytes());
    handle(&deps, request("main", Some(&old), &body), now(), Deadline::NEVER).await;
    let sums = stack.metrics.sums();
    let emitted: Vec<_> = sums.keys().map(String::as_str).collect();
    assert_eq!(
        emitted,
        [
            "Refused/endpoint_unknown",
            "Refused/payload_invalid",
            "Refused/payload_too_large",
            "Refused/signature_malformed",
            "Refused/signature_missing",
            "Refused/timestamp_out_of_tolerance",
        ]
    );
}

#[tokio::test]
async fn a_hundred_thousand_refusals_in_a_minute_are_two_lines() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.metrics.clear();
    for i in 0..100_000 {
        handle(
            &deps,
            request("main", None, ""),
            now() + SignedDuration::from_micros(i * 601),
            Deadline::NEVER,
        )
        .await;
    }
    assert_eq!(stack.metrics.json().len(), 2);
    assert!(stack.metrics.sums()["Refused/signature_missing"] > 90_000);
}

#[tokio::test]
async fn no_line_carries_what_was_sent() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    deliver(&deps, &event("evt_hidden"), now()).await;
    deliver_to(&deps, "hidden-name", "whsec_hidden", &event("evt_hidden"), now()).await;
    deliver_to(&deps, "main", "whsec_hidden", &event("evt_hidden"), now()).await;
    let text = stack.metrics.text();
    assert!(text.contains("Accepted") && text.contains("Refused"));
    for hidden in ["evt_", "hidden", "whsec", "main", "in_1", "v1=", "invoice"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[tokio::test]
async fn a_log_that_takes_nothing_changes_no_answer() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let stack = Stack::start().await;
    let deps = Deps::new(Config {
        aws: stack.cloud.aws(),
        ledger_table: "LedgerTable".into(),
        registry_table: "RegistryTable".into(),
        metrics: Metrics::new("stack", Broken),
    });
    assert_eq!(deliver(&deps, &event("evt_1"), now()).await.0, 200);
    assert_eq!(deliver(&deps, &event("evt_1"), now()).await.0, 200);
    let refused = handle(&deps, request("main", None, ""), now(), Deadline::NEVER).await;
    assert_eq!(refused.status(), 400);
    assert!(matches!(refused.body(), Body::Text(_)));
}
