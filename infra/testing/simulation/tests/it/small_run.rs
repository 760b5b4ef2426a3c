//! A small run of what `make prove` does.

use simulation::{Load, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_events_at_once_are_each_applied_once_and_in_order() {
    let figures = run(Load { events: 600, objects: 40, seed: 1 }).await;
    assert!(figures.verdict.is_good(), "{figures}");
    assert!(figures.events > 550 && figures.repeats > 80 && figures.deaths > 0, "{figures}");
    assert!(figures.failed.len() >= 3 && figures.questions > 0, "{figures}");
}
