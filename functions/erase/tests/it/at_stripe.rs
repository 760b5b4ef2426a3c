//! A customer whose deletion no event told: Stripe is asked, and a claim counts where it cannot be.

use serde_json::{Value, json};
use shared::records::Record;
use simulated_stripe::{Fault as StripeFault, Key};
use test_cloud::Fault;
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, error_code, now};

use crate::support::{PERSON, Stack, later, object};

type Arrange = fn(&Stack);

const KEY: &str = "-/customer/cus_1";

/// A stack with a customer who is not deleted, for all that is known there, and who has a subscription.
async fn stack() -> Stack {
    let stack = without_record().await;
    stack.apply("evt_01", "customer.created", -60, &customer()).await;
    stack
}

/// The same without a record of the customer.
async fn without_record() -> Stack {
    let stack = Stack::start().await;
    let subscription = object("subscription", "sub_1", json!({ "customer": "cus_1", "status": "active" }));
    stack.apply("evt_02", "customer.subscription.created", -59, &subscription).await;
    stack
}

fn customer() -> Value {
    object("customer", "cus_1", json!({ "email": "Ann@example.com" }))
}

async fn ask(stack: &Stack, claimed: bool) -> (u16, Value) {
    let mut body = json!({ "customer": "cus_1", "confirm": "cus_1" });
    if claimed {
        body["deleted_at_stripe"] = true.into();
    }
    stack.call("admin", "POST", "/erasures", body).await
}

async fn assert_erased(stack: &Stack) {
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["state"], "finished");
}

async fn assert_nothing_is_erased(stack: &Stack) {
    assert_eq!(stack.run(now()).await, Value::Null);
    assert!(stack.naming(PERSON).await.contains(&"-/subscription/sub_1".to_owned()));
}

async fn record(stack: &Stack) -> Record {
    stack.record(KEY).await
}

#[tokio::test]
async fn a_deletion_that_no_event_told_is_found_by_asking_and_the_record_says_so() {
    for has_record in [true, false] {
        let stack = if has_record { stack().await } else { without_record().await };
        stack.stripe.put_object(None, &json!({ "object": "customer", "id": "cus_1", "deleted": true }));
        let (status, answer) = ask(&stack, false).await;
        assert_eq!((status, &answer["state"]), (202, &json!("running")), "{has_record} {answer}");
        if has_record {
            let record = record(&stack).await;
            assert!(record.deleted && !record.gone_at_stripe);
        }
        assert_erased(&stack).await;
        // The event comes after all, and changes nothing.
        stack.apply("evt_03", "customer.deleted", -58, &customer()).await;
        stack.run(later(24 * 60)).await;
        assert_eq!(stack.naming(PERSON).await, Vec::<String>::new(), "{has_record}");
    }
}

#[tokio::test]
async fn a_customer_whom_stripe_no_longer_has_is_erased_if_the_key_is_of_their_account() {
    for (account, is_erased) in [("acct_1Simulated", true), ("acct_1Other", false)] {
        let stack = stack().await;
        stack.know_account(account).await;
        let (status, answer) = ask(&stack, false).await;
        assert_eq!((status == 202, record(&stack).await.gone_at_stripe), (is_erased, is_erased), "{answer}");
        if is_erased {
            assert_erased(&stack).await;
        } else {
            assert_eq!(error_code(&answer), "customer_not_deleted");
            assert!(answer["error"]["message"].as_str().unwrap().contains("account"), "{answer}");
            assert_nothing_is_erased(&stack).await;
        }
    }
}

#[tokio::test]
async fn no_claim_erases_a_customer_whom_stripe_has() {
    for has_record in [true, false] {
        let stack = if has_record { stack().await } else { without_record().await };
        stack.stripe.put_object(None, &customer());
        for claimed in [false, true] {
            let (status, answer) = ask(&stack, claimed).await;
            assert_eq!((status, error_code(&answer)), (409, "customer_not_deleted"), "{has_record} {answer}");
            assert!(answer["error"]["field"].is_null(), "nothing can be claimed: {answer}");
            assert_nothing_is_erased(&stack).await;
        }
    }
}

#[tokio::test]
async fn where_stripe_cannot_be_asked_a_claim_counts_and_is_in_the_audit() {
    let cases: [(&str, Arrange); 4] = [
        ("may not", Stack::forbid_reading_customers),
        ("refused", |stack| stack.stripe.set_keys(vec![Key::full("sk_test_another")])),
        ("none", |stack| stack.cloud.remove_secret(STRIPE_KEY_SECRET)),
        // It knows no such customer, and nobody knows which account it is.
        ("unknown account", |_| {}),
    ];
    for (case, arrange) in cases {
        for (has_record, code) in [(true, "customer_not_deleted"), (false, "customer_not_known")] {
            let stack = if has_record { stack().await } else { without_record().await };
            arrange(&stack);
            let (status, answer) = ask(&stack, false).await;
            assert_eq!((status, error_code(&answer)), (409, code), "{case} {answer}");
            assert_eq!(answer["error"]["field"], "deleted_at_stripe", "{case}");
            let remedy = answer["error"]["remedy"].as_str().unwrap();
            assert!(
                remedy.contains("Stripe key") && remedy.contains("\"deleted_at_stripe\": true"),
                "{remedy}"
            );
            assert_nothing_is_erased(&stack).await;
            assert_eq!(ask(&stack, true).await.0, 202, "{case}");
            let (entries, _) =
                fixtures::audit(&stack.cloud.direct_aws()).list(None, 10, now()).await.unwrap();
            let done = entries.iter().find(|entry| entry.result == "done").unwrap();
            assert_eq!(done.after.as_ref().unwrap()["deleted_at_stripe"], true);
            if has_record {
                let record = record(&stack).await;
                assert!(record.gone_at_stripe && !record.deleted, "nobody has seen that they are deleted");
            }
            assert_erased(&stack).await;
        }
    }
}

#[tokio::test]
async fn a_claim_is_a_yes_or_a_no() {
    let stack = stack().await;
    let body = json!({ "customer": "cus_1", "confirm": "cus_1", "deleted_at_stripe": "yes" });
    let (status, answer) = stack.call("admin", "POST", "/erasures", body).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("deleted_at_stripe")), "{answer}");
}

#[tokio::test]
async fn an_event_that_shows_the_customer_after_a_claim_stops_the_erasure() {
    let stack = stack().await;
    stack.forbid_reading_customers();
    assert_eq!(ask(&stack, true).await.0, 202);
    // It was made before, and says nothing new.
    stack.apply("evt_00", "customer.updated", -70, &customer()).await;
    assert!(record(&stack).await.gone_at_stripe);
    stack.apply("evt_03", "customer.updated", -5, &customer()).await;
    assert!(!record(&stack).await.gone_at_stripe);
    stack.run(now()).await;
    assert_eq!(stack.erasure("cus_1").await["state"], "stopped");
    assert!(stack.naming(PERSON).await.contains(&"-/subscription/sub_1".to_owned()));
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_or_answers_something_else_decides_nothing() {
    let elses = json!({ "object": "customer", "id": "cus_2", "deleted": true });
    for (fault, status, code) in [
        (StripeFault::status(500), 503, "stripe_no_answer"),
        (StripeFault::cut(), 503, "stripe_no_answer"),
        (StripeFault::status(200).body(elses), 503, "stripe_no_answer"),
        (StripeFault::status(200).body(json!("<html>")), 503, "stripe_no_answer"),
        (StripeFault::status(400), 502, "stripe_error"),
    ] {
        let stack = stack().await;
        stack.stripe.add_fault(fault.on("GET", "/v1/customers/cus_1").times(100));
        for claimed in [false, true] {
            let (answered, answer) = ask(&stack, claimed).await;
            assert_eq!((answered, error_code(&answer)), (status, code), "{claimed} {answer}");
            assert!(answer["error"]["remedy"].is_string(), "{answer}");
        }
        assert!(record(&stack).await.is_at_stripe());
        assert_nothing_is_erased(&stack).await;
    }
}

#[tokio::test]
async fn a_mark_whose_answer_is_lost_is_made_and_one_that_fails_is_an_outage() {
    let stack = stack().await;
    stack.know_account("acct_1Simulated").await;
    stack.cloud.fail("PutItem", "RecordsTable", 1, Fault::AccessDenied);
    let (status, answer) = ask(&stack, false).await;
    assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"));
    stack.cloud.fail("PutItem", "RecordsTable", 1, Fault::DoneAndCut);
    assert_eq!(ask(&stack, false).await.0, 202);
    assert!(record(&stack).await.gone_at_stripe);
}
