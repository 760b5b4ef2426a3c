//! It answers in time whatever hangs, and does not guess.

use std::collections::BTreeSet;

use simulated_stripe::Fault;
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::now;

use crate::support::{Stack, failing, with_outcome};

#[tokio::test]
async fn a_stripe_that_hangs_is_reported_in_time() {
    let stack = Stack::start().await.giving_up();
    stack.stripe.add_fault(Fault::hold().times(9));
    let status = stack.status().await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["stripe_answers"]);
}

#[tokio::test]
async fn secrets_manager_that_fails_or_hangs_is_reported_in_time() {
    for fault in [CloudFault::AccessDenied, CloudFault::Hang] {
        let stack = Stack::start().await.giving_up();
        stack.cloud.fail("DescribeSecret", "", 9, fault);
        let only = BTreeSet::from(["secrets_manager_answers".to_owned()]);
        let status = stack.status().await;
        assert_eq!((failing(&status), &status["status"]), (only.clone(), &"error".into()), "{fault:?}");
        assert!(with_outcome(&status, "unknown").contains("secret_present"), "{fault:?}: {status}");
        stack.cloud.clear_faults();
        stack.cloud.fail("GetSecretValue", "", 9, fault);
        let status = stack.status().await;
        assert_eq!((failing(&status), &status["status"]), (only, &"error".into()), "{fault:?}");
        let unknown = with_outcome(&status, "unknown");
        for code in ["stripe_key_present", "stripe_answers", "at_stripe", "url_as_wanted"] {
            assert!(unknown.contains(code), "{code}: {status}");
        }
        stack.cloud.clear_faults();
        assert_eq!(stack.status().await["status"], "active");
    }
}

#[tokio::test]
async fn without_dynamodb_there_is_no_answer_but_503() {
    let stack = Stack::start().await.giving_up();
    for table in ["RegistryTable", "LedgerTable"] {
        for fault in [CloudFault::AccessDenied, CloudFault::Hang] {
            stack.cloud.fail("Query", table, 1_000, fault);
            let (status, answer) = stack.call_at(now(), "/status").await;
            assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
            stack.cloud.clear_faults();
        }
    }
}
