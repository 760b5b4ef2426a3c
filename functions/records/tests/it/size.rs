//! What is read of a ledger of a hundred thousand events costs what it costs of a hundred.
use test_cloud::fixtures::now;

use crate::support::Stack;

#[tokio::test]
async fn a_list_costs_no_more_with_a_hundred_thousand_events_than_with_a_hundred() {
    let paths = [
        "/events",
        "/events?limit=1",
        "/events?state=pending",
        "/events?object=in_7&limit=2",
        "/events?object=in_7&type=invoice.*&state=processed&limit=2",
        "/events?since=2026-11-24T00:00:00Z&limit=3",
        "/events/evt_000007",
    ];
    let mut costs = Vec::new();
    for settled in [100, 100_000] {
        let stack = Stack::start().await;
        // It counts calls and units.
        stack.cloud.answer_in_whole_pages();
        stack.cloud.seed_ledger(settled, 40, now());
        let mut costs_of_paths = Vec::new();
        for path in paths {
            stack.cloud.clear_calls();
            stack.ok(path).await;
            costs_of_paths.push(stack.cloud.read_cost());
        }
        costs.push(costs_of_paths);
    }
    for ((path, few), many) in paths.iter().zip(&costs[0]).zip(&costs[1]) {
        assert!(many.0 <= few.0 && many.1 <= few.1, "{path}: {few:?} with few, {many:?} with many");
    }
}
