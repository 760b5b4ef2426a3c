//! A small run of what `make prove` does.

use simulation::{Workload, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_events_at_once_are_each_applied_once_and_in_order() {
    let statistics = run(Workload { events: 600, objects: 40, seed: 1 }).await;
    assert!(statistics.findings.is_empty(), "{statistics}");
    assert!(statistics.events > 550 && statistics.repeats > 80 && statistics.kills > 0, "{statistics}");
    assert!(statistics.failed.len() >= 3 && statistics.fetches > 0, "{statistics}");
}
