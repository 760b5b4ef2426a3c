//! What happens to a rotation from outside while it runs.

use shared::unix_time::UnixSeconds;

use super::*;

#[tokio::test]
async fn what_somebody_does_to_the_second_meanwhile_costs_no_event() {
    // Disabled at Stripe: it is enabled before the first goes.
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let (_, rotated) = stack.rotate("").await;
    let second = rotated["rotation"]["stripe_id"].as_str().unwrap();
    let disabled = simulated_stripe::EndpointChange { disabled: Some(true), ..Default::default() };
    stack.stripe.change_endpoint(second, disabled).unwrap();
    stack.compared(at(300)).await;
    stack.ends(400).await;
    assert!(!stack.stripe.endpoints()[0].disabled);
    stack.assert_rotated(&made, "disabled").await;

    // Deleted at Stripe: the first stays, with its secret.
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let (_, rotated) = stack.rotate("").await;
    stack.stripe.delete_endpoint(rotated["rotation"]["stripe_id"].as_str().unwrap()).unwrap();
    stack.compared(at(300)).await;
    stack.maintain(at(400)).await;
    stack.assert_one_endpoint("deleted").await;
    assert_eq!(json!(stack.accepted().await), json!([made["signing_secret"]]));
}

#[tokio::test]
async fn a_rotation_that_cannot_go_on_is_repaired() {
    // The secrets are lost while it runs.
    let stack = Stack::start().await;
    stack.register("").await;
    stack.rotate("").await;
    let name = stack.secrets().remove(0);
    stack.cloud.remove_secret(&name);
    let (status, repaired) = stack.call_at(at(61), "POST", "/endpoints/main/repair", "").await;
    assert_eq!((status, &repaired["replaced"]), (200, &json!(true)), "{repaired}");
    stack.assert_one_endpoint("lost").await;
    // A lost secret begins none.
    let name = stack.secrets().remove(0);
    stack.cloud.remove_secret(&name);
    let (status, answer) = stack.rotate("").await;
    assert_eq!((status, error_code(&answer)), (409, "secret_missing"), "{answer}");
    assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Active);
}

#[tokio::test]
async fn a_key_that_may_not_leaves_the_endpoint_as_it_was() {
    for status in [401, 403] {
        let stack = Stack::start().await;
        stack.register("").await;
        stack.stripe.add_fault(Fault::status(status).on("POST", ENDPOINTS).times(9));
        assert_eq!(stack.rotate("").await.0, 502);
        let row = stack.row("main").await.unwrap();
        assert_eq!((row.state, row.rotation), (EndpointState::Active, None), "{status}");
    }
}

#[tokio::test]
async fn of_two_rotations_at_once_one_is_refused_because_the_other_runs() {
    let stack = Stack::start().await;
    stack.register("").await;
    let (one, other) = tokio::join!(stack.rotate(""), stack.rotate(""));
    let mut answers = [(one.0, error_code(&one.1).to_owned()), (other.0, error_code(&other.1).to_owned())];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), (409, "rotation_in_progress".to_owned())]);
    assert_eq!(stack.stripe.endpoints().len(), 2);
}

#[tokio::test]
async fn deregistered_while_the_second_is_made_leaves_no_orphan() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
    let deregistered = async {
        stack.until_stripe_is_asked("POST").await;
        assert_eq!(stack.deregister("main").await.0, 204);
        stack.stripe.clear_faults();
    };
    stack.stripe.clear_requests();
    let ((status, _), ()) = tokio::join!(stack.rotate(""), deregistered);
    assert!(status >= 400);
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn of_connected_accounts_those_that_sent_are_waited_for_and_those_that_left_are_not() {
    let stack = Stack::start().await;
    let (_, made) = stack.register(r#"{"connect":true}"#).await;
    for account in ["acct_1", "acct_left"] {
        stack.registry().record_connected_account(&account.parse().unwrap(), now()).await.unwrap();
    }
    assert_eq!(stack.rotate("").await.0, 200);
    let keep = async |account: &str, until: UnixSeconds, refused_at: Option<UnixSeconds>| {
        let compared = ReconcileProgress { until, unfinished: None, failed: false, refused_at };
        stack.registry().store_reconcile_progress(&account.parse().unwrap(), &compared).await.unwrap();
    };
    let later = UnixSeconds::from(at(300));
    keep("acct_left", UnixSeconds::new(0), Some(later)).await;
    stack.maintain(at(4_000)).await;
    assert_eq!(stack.stripe.endpoints().len(), 2, "one is not compared");
    keep("acct_1", later, None).await;
    stack.maintain(at(3_500)).await;
    assert_eq!(stack.stripe.endpoints().len(), 2, "an account's first event may be on its way for an hour");
    stack.ends(4_100).await;
    stack.assert_rotated(&made, "connect").await;
}
