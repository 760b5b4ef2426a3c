//! A time that cannot be answered for is refused by name, with what to do.

use super::{KNOWN_SINCE, Past, QUARTER};

#[tokio::test]
async fn each_wrong_time_is_refused_with_the_remedy() {
    let past = Past::start().await;
    for (at, remedy) in [
        ("yesterday", "RFC 3339"),
        ("", "RFC 3339"),
        ("2026-09-30", "RFC 3339"),
        ("2026-09-30T23:59:59", "RFC 3339"),
        ("2026-09-31T23:59:59Z", "RFC 3339"),
        ("1790812799", "RFC 3339"),
        // A plus sign that is not escaped comes as a space.
        ("2026-09-30T23:59:59+02:00", "%2B"),
        ("2026-09-30T23:59:59.5Z", "such as 2026-09-30T23:59:59Z"),
        ("2026-11-24T12:00:01Z", "up to now, 2026-11-24T12:00:00Z"),
        ("2999-12-31T00:00:00Z", "leave `at` out"),
    ] {
        for path in ["/records/subscriptions/sub_1", "/records/subscriptions"] {
            let (status, body) = past.stack.get(&format!("{path}?at={at}")).await;
            let error = &body["error"];
            assert_eq!(
                (status, error["code"].as_str(), error["field"].as_str()),
                (400, Some("parameter_invalid"), Some("at")),
                "{path} {at}: {body}"
            );
            assert!(error["remedy"].as_str().unwrap().contains(remedy), "{path} {at}: {body}");
        }
    }
    let (status, body) = past.stack.get(&format!("/records/subscriptions?at={QUARTER}&at={QUARTER}")).await;
    assert_eq!((status, body["error"]["field"].as_str()), (400, Some("at")));
}

#[tokio::test]
async fn a_list_before_the_ledger_is_refused_with_the_earliest_time() {
    let past = Past::start().await;
    for kind in ["subscriptions", "payments", "customers?customer=cus_1"] {
        let join = if kind.contains('?') { '&' } else { '?' };
        let (status, body) = past.stack.get(&format!("/records/{kind}{join}at=2026-08-26T12:00:00Z")).await;
        assert_eq!((status, body["error"]["field"].as_str()), (400, Some("at")), "{kind}");
        assert!(body["error"]["remedy"].as_str().unwrap().contains(KNOWN_SINCE), "{body}");
        past.stack.ok(&format!("/records/{kind}{join}at={KNOWN_SINCE}")).await;
    }
}

#[tokio::test]
async fn what_names_no_customer_is_not_listed_by_one_of_then() {
    let past = Past::start().await;
    for kind in ["refunds", "disputes", "invoice_payments"] {
        let (status, body) = past.stack.get(&format!("/records/{kind}?customer=cus_1&at={QUARTER}")).await;
        let error = &body["error"];
        assert_eq!((status, error["field"].as_str()), (400, Some("customer")), "{kind}");
        assert!(error["remedy"].as_str().unwrap().contains("payments"), "{body}");
    }
}

#[tokio::test]
async fn what_was_never_here_is_a_404() {
    let past = Past::start().await;
    for path in ["/records/subscriptions/sub_none", "/records/things/x", "/records/things"] {
        assert_eq!(past.stack.get(&format!("{path}?at={QUARTER}")).await.0, 404, "{path}");
    }
    let (status, body) = past.stack.get(&format!("/events?at={QUARTER}")).await;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("parameter_unknown")));
}
