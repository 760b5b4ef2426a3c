//! Active, inactive, and which check each failure makes fail; when it is mended, the status is active again.

use serde_json::json;
use shared::endpoint::EndpointState;
use shared::ledger::EventState;
use shared::registry::LagCounts;
use simulated_stripe::{EndpointChange, Fault, Key};
use test_cloud::fixtures::{STRIPE_KEY_SECRET, now};

use crate::support::{Stack, failing, later};

#[tokio::test]
async fn an_endpoint_that_is_at_stripe_as_wanted_is_active() {
    let stack = Stack::start().await;
    stack.registry().record_delivery(&"main".parse().unwrap(), 0, later(-90)).await.unwrap();
    // Two processes, each with a batch.
    for lags in [vec![1, 2, 3], vec![1, 90, 7_200, 9_000]] {
        let processed = (EventState::Processed, u64::try_from(lags.len()).unwrap());
        let lags = lags.into_iter().collect();
        stack.registry().add_hourly_counts(&[processed], lags, later(-3600)).await.unwrap();
    }
    stack.event("evt_1", EventState::Pending).await;
    let status = stack.status().await;
    assert_eq!((status["status"].as_str(), failing(&status).len()), (Some("active"), 0), "{status}");
    assert_eq!(status["mode"], "test");
    let endpoint = &status["endpoints"][0];
    assert_eq!((endpoint["name"].as_str(), endpoint["status"].as_str()), (Some("main"), Some("active")));
    assert_eq!(endpoint["last_delivery_at"], "2026-11-24T11:58:30Z");
    assert_eq!(status["counts"], json!({ "pending": 1, "failed": 0, "dead": 0, "quarantined": 0 }));
    assert_eq!(status["last_day"][0]["hour"], "2026-11-24T11:00:00Z");
    assert_eq!(status["last_day"][0]["processed"], 7);
    let lag: Vec<_> =
        status["last_day"][0]["lag"].as_array().unwrap().iter().map(|lag| &lag["events"]).collect();
    assert_eq!(lag, [4, 0, 1, 2]);
    let request = stack.stripe.requests().remove(0).request_id;
    assert!(status.to_string().contains(&request), "Stripe's request can be looked up");
}

#[tokio::test]
async fn a_new_stack_is_inactive_with_and_without_a_key() {
    let stack = Stack::bare().await;
    let status = stack.status().await;
    assert_eq!(status["status"], "inactive");
    assert_eq!(
        failing(&status).into_iter().collect::<Vec<_>>(),
        ["endpoint_registered", "stripe_key_present"]
    );
    stack.set_key().await;
    let status = stack.status().await;
    let only = failing(&status).into_iter().collect::<Vec<_>>();
    assert_eq!((status["status"].as_str(), only), (Some("inactive"), vec!["endpoint_registered".to_owned()]));
}

#[tokio::test]
async fn an_endpoint_disabled_here_and_there_is_inactive() {
    let stack = Stack::start().await;
    stack.set_state(EndpointState::Disabled).await;
    stack.change(EndpointChange { disabled: Some(true), ..EndpointChange::default() });
    let status = stack.status().await;
    assert_eq!((status["status"].as_str(), failing(&status).len()), (Some("inactive"), 0), "{status}");
    assert_eq!(status["endpoints"][0]["status"], "inactive");
}

#[tokio::test]
async fn what_is_changed_at_stripe_behind_our_back_is_an_error_until_it_is_changed_back() {
    let url = "https://hooks.example.com/webhooks/main";
    let drifts = [
        (
            "enabled_at_stripe",
            EndpointChange { disabled: Some(true), ..EndpointChange::default() },
            EndpointChange { disabled: Some(false), ..EndpointChange::default() },
        ),
        (
            "url_as_wanted",
            EndpointChange { url: Some("https://example.com".into()), ..EndpointChange::default() },
            EndpointChange { url: Some(url.into()), ..EndpointChange::default() },
        ),
        (
            "events_as_wanted",
            EndpointChange { enabled_events: Some(vec!["invoice.paid".into()]), ..EndpointChange::default() },
            EndpointChange {
                enabled_events: Some(vec!["refund.created".into(), "invoice.paid".into()]),
                ..EndpointChange::default()
            },
        ),
        (
            "api_version_as_wanted",
            EndpointChange { api_version: Some("2020-08-27".into()), ..EndpointChange::default() },
            EndpointChange {
                api_version: Some(shared::endpoint::API_VERSION.into()),
                ..EndpointChange::default()
            },
        ),
    ];
    let stack = Stack::start().await;
    for (code, drift, back) in drifts {
        stack.change(drift);
        let status = stack.status().await;
        assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), [code]);
        assert_eq!(status["status"], "error", "{code}");
        stack.change(back);
        assert_eq!(stack.status().await["status"], "active", "{code}");
    }
}

#[tokio::test]
async fn an_endpoint_deleted_at_stripe_is_an_error() {
    let stack = Stack::start().await;
    stack.stripe.delete_endpoint(&stack.id()).unwrap();
    for i in 0..120 {
        drop(stack.stripe.add_endpoint(&format!("https://example.com/{i}"), &["*"]));
    }
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["at_stripe"]);
    assert_eq!(status["status"], "error");
}

#[tokio::test]
async fn an_endpoint_is_found_among_more_than_a_page() {
    let stack = Stack::start().await;
    for i in 0..120 {
        drop(stack.stripe.add_endpoint(&format!("https://example.com/{i}"), &["*"]));
    }
    assert_eq!(stack.status().await["status"], "active");
}

#[tokio::test]
async fn what_is_half_done_for_over_a_minute_is_an_error() {
    for state in [EndpointState::Registering, EndpointState::Deregistering] {
        let stack = Stack::start().await;
        stack.set_state(state).await;
        assert_eq!(stack.status_at(later(30)).await["status"], "inactive", "{state:?}: still under way");
        let status = stack.status_at(later(61)).await;
        assert_eq!(status["status"], "error", "{state:?}");
        assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["registered_whole"], "{state:?}");
        stack.set_state(EndpointState::Active).await;
        assert_eq!(stack.status_at(later(61)).await["status"], "active", "{state:?}");
    }
}

#[tokio::test]
async fn a_lost_secret_is_an_error() {
    let stack = Stack::start().await;
    let name = "stack/endpoints/main/1";
    stack.cloud.remove_secret(name);
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["secret_present"]);
    assert_eq!(status["status"], "error");
    stack.cloud.put_secret(name, "{}");
    assert_eq!(stack.status().await["status"], "error", "another version is not the one that is named");
}

#[tokio::test]
async fn the_key_is_what_stripe_says_it_is() {
    let stack = Stack::start().await;
    let key = stack.stripe.key();
    let cases = [
        (vec![], "stripe_key_accepted"),
        (vec![Key::restricted(&key, &["events:read"])], "stripe_key_rights"),
    ];
    for (keys, code) in cases {
        stack.stripe.set_keys(keys);
        let status = stack.status().await;
        assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), [code]);
        assert_eq!(status["status"], "error", "{code}");
        stack.stripe.set_keys(vec![Key::full(&key)]);
        assert_eq!(stack.status().await["status"], "active", "{code}");
    }
    stack.cloud.put_secret(STRIPE_KEY_SECRET, "{}");
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["stripe_key_present"]);
    assert!(!status.to_string().contains(&key), "{status}");
}

#[tokio::test]
async fn a_stripe_that_fails_is_reported_and_not_taken_for_a_missing_endpoint() {
    let stack = Stack::start().await;
    for fault in [Fault::status(500).times(9), Fault::rate_limit(None), Fault::cut().times(9)] {
        stack.stripe.add_fault(fault);
        let status = stack.status().await;
        assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["stripe_answers"]);
        let checks = status["endpoints"][0]["checks"].as_array().unwrap();
        let at_stripe = checks.iter().find(|check| check["code"] == "at_stripe").unwrap();
        assert!(at_stripe["summary"].as_str().unwrap().contains("not known"), "{at_stripe}");
        stack.stripe.clear_faults();
        assert_eq!(stack.status().await["status"], "active");
    }
}

#[tokio::test]
async fn events_that_wait_or_failed_are_counted_and_checked() {
    let cases = [
        (EventState::Failed, "events_failed", "error"),
        (EventState::Dead, "events_failed", "error"),
        (EventState::Quarantined, "events_quarantined", "active"),
    ];
    for (state, code, expected) in cases {
        let stack = Stack::start().await;
        for id in ["evt_1", "evt_2"] {
            stack.event(id, state).await;
        }
        // What failed is tried again by itself, and is an error when it has done so for ten minutes.
        let early = stack.status_at(later(600)).await;
        assert_eq!(failing(&early).is_empty(), state == EventState::Failed);
        let status = stack.status_at(later(601)).await;
        assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), [code]);
        assert_eq!(status["status"], expected, "{code}");
        assert_eq!(status["counts"][state.as_str()], 2);
        assert!(status.to_string().contains("\"commonest_reason\":\"for a test\",\"events\":2"), "{status}");
    }
}

#[tokio::test]
async fn records_whose_events_have_no_order_are_counted_named_and_no_error() {
    let stack = Stack::start().await;
    stack.uncertain_record("sub_1", true).await;
    stack.uncertain_record("sub_2", true).await;
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["order_uncertain"]);
    assert_eq!(status["status"], "active");
    let checks = status["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["code"] == "order_uncertain").unwrap();
    assert_eq!(check["evidence"]["records"], 2);
    assert_eq!(
        check["evidence"]["first"][0],
        json!({ "object": "subscription", "id": "sub_1", "account": null })
    );
    for id in ["sub_1", "sub_2"] {
        stack.uncertain_record(id, false).await;
    }
    assert!(failing(&stack.status().await).is_empty());
}

#[tokio::test]
async fn a_record_that_lacks_the_rest_of_a_list_is_named_with_stripes_words_and_no_error() {
    let stack = Stack::start().await;
    stack.record_without_all_lines(true).await;
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["records_whole"]);
    assert_eq!(status["status"], "active");
    let checks = status["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["code"] == "records_whole").unwrap();
    assert_eq!((&check["evidence"]["left"], &check["evidence"]["waiting"]), (&json!(1), &json!(0)));
    let answered = json!({ "stripe_status": null, "stripe_message": "it may not", "stripe_request": null });
    assert_eq!(
        check["evidence"]["first_left"][0],
        json!({ "kind": "invoices", "id": "in_1", "account": null, "list": "lines", "why": "refused", "said": answered })
    );
    stack.record_without_all_lines(false).await;
    assert!(failing(&stack.status().await).is_empty());
}

#[tokio::test]
async fn a_pending_event_is_a_backlog_when_it_is_a_minute_beyond_its_time() {
    let stack = Stack::start().await;
    stack.event("evt_1", EventState::Pending).await;
    // An event has two minutes until the sweep takes it up, then one more.
    assert_eq!(stack.status_at(later(179)).await["status"], "active");
    let status = stack.status_at(later(181)).await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["backlog"]);
    assert!(status.to_string().contains("\"oldest\":\"evt_1\""), "{status}");
    stack.mark_processed("evt_1").await;
    assert_eq!(stack.status_at(later(181)).await["status"], "active");
}

#[tokio::test]
async fn the_status_costs_no_more_with_a_hundred_thousand_final_events_than_with_a_hundred() {
    let mut costs = Vec::new();
    for final_events in [100, 100_000] {
        let stack = Stack::start().await;
        // It counts calls and units.
        stack.cloud.answer_in_whole_pages();
        stack.cloud.seed_ledger(final_events, 40, now());
        stack.cloud.clear_calls();
        assert_eq!(stack.status().await["counts"]["pending"], 40);
        costs.push(stack.cloud.read_cost());
    }
    assert_eq!(costs[1], costs[0]);
}

#[tokio::test]
async fn hours_before_the_last_day_are_not_shown() {
    let stack = Stack::start().await;
    for hours in [0, 23, 26] {
        let ignored = [(EventState::Ignored, 1)];
        let no_lags = LagCounts::default();
        stack.registry().add_hourly_counts(&ignored, no_lags, later(-3600 * hours)).await.unwrap();
    }
    let status = stack.status_at(now()).await;
    assert_eq!(status["last_day"].as_array().unwrap().len(), 2, "{status}");
}
