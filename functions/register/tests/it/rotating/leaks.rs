//! After a leak the old secret ends at once; a rotation can be given up; and one that the schedule gives up
//! is in the audit and the status.

use super::*;

impl Stack {
    async fn give_up(&self, seconds: i64) -> (u16, Value) {
        self.call_at(at(seconds), "DELETE", "/endpoints/main/rotate", "").await
    }
}

fn actions(entries: &[shared::audit::AuditEntry], action: &str) -> Vec<(String, String)> {
    let of_it = entries.iter().filter(|entry| entry.action == action);
    of_it.map(|entry| (entry.subject.clone(), entry.result.clone())).collect()
}

#[tokio::test]
async fn at_once_the_old_secret_ends_with_the_answer_and_the_answer_says_what_that_costs() {
    // A new rotation, and one that waits for its end.
    for waits in [false, true] {
        let stack = Stack::start().await;
        let (_, made) = stack.register(r#"{"events":["invoice.paid"]}"#).await;
        if waits {
            assert_eq!(stack.rotate("").await.0, 200);
        }
        let (status, rotated) = stack.rotate(r#"{"at_once":true}"#).await;
        assert_eq!((status, &rotated["state"]), (200, &json!("active")), "{rotated}");
        assert!(rotated["consequence"].as_str().unwrap().contains("reconciliation fetches it"), "{rotated}");
        assert_ne!(rotated["signing_secret"], made["signing_secret"]);
        assert_eq!(json!(stack.accepted().await), json!([rotated["signing_secret"]]));
        stack.assert_rotated(&made, "at once").await;
        // Then it can be disabled.
        assert_eq!(stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await.0, 200);
    }
}

#[tokio::test]
async fn at_once_that_is_cut_off_is_ended_at_once_by_the_schedule() {
    for (method, path) in [("POST", ENDPOINTS), ("POST", "/v1/webhook_endpoints/"), ("DELETE", ENDPOINTS)] {
        for fault in [Fault::hold(), Fault::hold().after()] {
            let stack = Stack::start().await.hasty();
            let (_, made) = stack.register("").await;
            stack.stripe.add_fault(fault.on(method, path));
            assert_eq!(stack.rotate(r#"{"at_once":true}"#).await.0, 503, "{method} {path}");
            stack.stripe.clear_faults();
            for seconds in [61, 122, 183] {
                stack.maintain(at(seconds)).await;
            }
            stack.assert_rotated(&made, path).await;
        }
    }
}

#[tokio::test]
async fn a_rotation_is_given_up_and_the_endpoint_is_as_before() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    assert_eq!(error_code(&stack.give_up(0).await.1), "no_rotation");
    stack.rotate("").await;
    assert_eq!(stack.call_as(As::Viewer, "DELETE", "/endpoints/main/rotate", "").await.0, 403);
    let (status, given_up) = stack.give_up(1).await;
    assert_eq!((status, &given_up["state"]), (200, &json!("active")), "{given_up}");
    assert_eq!((&given_up["stripe_id"], given_up.get("rotation")), (&made["stripe_id"], None));
    assert!(given_up["consequence"].as_str().unwrap().contains("no event is lost"), "{given_up}");
    assert!(given_up.get("signing_secret").is_none());
    stack.assert_one_endpoint("given up").await;
    assert_eq!(json!(stack.accepted().await), json!([made["signing_secret"]]));
    assert_eq!(error_code(&stack.give_up(2).await.1), "no_rotation");
    let entries = stack.audit_entries().await;
    assert!(
        actions(&entries, "endpoint.give_up_rotation").iter().any(|(_, result)| result == "done"),
        "{entries:?}"
    );
    assert!(stack.row("main").await.unwrap().rotation_given_up.is_none(), "somebody wanted it so");
    assert_eq!(stack.rotate("").await.0, 200, "and another can begin");
}

#[tokio::test]
async fn a_rotation_whose_first_endpoint_goes_cannot_be_given_up() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.rotate("").await;
    stack.compared(at(300)).await;
    // Cut off before the first is deleted: from here on only the second may stay.
    stack.stripe.add_fault(Fault::status(500).on("DELETE", "/").times(9));
    stack.maintain(at(61)).await;
    stack.stripe.clear_faults();
    let (status, answer) = stack.give_up(62).await;
    assert_eq!((status, error_code(&answer)), (409, "rotation_in_progress"), "{answer}");
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("no longer be given up"), "{answer}");
    stack.ends(200).await;
    stack.assert_one_endpoint("ended").await;
}

#[tokio::test]
async fn giving_up_that_is_cut_off_goes_on_and_is_never_ended_the_other_way() {
    for by_schedule in [false, true] {
        let stack = Stack::start().await;
        let (_, made) = stack.register("").await;
        stack.rotate("").await;
        stack.compared(at(300)).await;
        stack.stripe.add_fault(Fault::status(500).on("DELETE", "/").times(9));
        assert_eq!(stack.give_up(1).await.0, 503);
        stack.stripe.clear_faults();
        if by_schedule {
            assert_eq!(stack.maintain(at(62)).await["given_up"], json!(["main"]));
        } else {
            assert_eq!(error_code(&stack.rotate("").await.1), "rotation_in_progress");
            assert_eq!(stack.give_up(2).await.0, 200);
        }
        stack.assert_one_endpoint("given up").await;
        assert_eq!(json!(stack.accepted().await), json!([made["signing_secret"]]));
    }
}

#[tokio::test]
async fn one_that_the_schedule_gives_up_is_in_the_audit_and_in_the_row_for_the_status() {
    // The second was deleted at Stripe; or Stripe refuses it when the schedule asks.
    let stack = Stack::start().await;
    stack.register("").await;
    let (_, rotated) = stack.rotate("").await;
    stack.stripe.delete_endpoint(rotated["rotation"]["stripe_id"].as_str().unwrap()).unwrap();
    stack.compared(at(300)).await;
    assert_eq!(stack.maintain(at(400)).await["given_up"], json!(["main"]));
    let given_up = stack.row("main").await.unwrap().rotation_given_up.unwrap();
    assert!(given_up.reason.contains("deleted there"), "{given_up:?}");
    let entries = stack.audit_entries().await;
    let expected = [("schedule".to_owned(), "done".to_owned())];
    assert_eq!(actions(&entries, "endpoint.give_up_rotation"), expected);
    assert_eq!(stack.rotate("").await.0, 200);
    assert!(stack.row("main").await.unwrap().rotation_given_up.is_none(), "another one is under way");

    let stack = Stack::start().await.hasty();
    stack.register("").await;
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
    assert_eq!(stack.rotate("").await.0, 503);
    stack.stripe.clear_faults();
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    assert_eq!(stack.maintain(at(61)).await["taken_back"], json!(["main"]));
    assert!(stack.row("main").await.unwrap().rotation_given_up.unwrap().reason.contains("Stripe refused"));
    let entries = stack.audit_entries().await;
    assert!(
        actions(&entries, "endpoint.rotate").contains(&("schedule".to_owned(), "stripe_error".to_owned())),
        "{entries:?}"
    );
}

#[tokio::test]
async fn one_that_is_due_and_refused_is_noted_and_audited_once() {
    let mut stack = Stack::start().await;
    stack.rotate_days = 1;
    stack.register("").await;
    let day = 24 * 3_600;
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS).times(2));
    for seconds in [day, day + 300] {
        assert_eq!(stack.maintain(at(seconds)).await["taken_back"], json!(["main"]));
        let row = stack.row("main").await.unwrap();
        assert_eq!((row.state, &row.rotation), (EndpointState::Active, &None));
        assert!(row.rotation_given_up.unwrap().reason.contains("Stripe refused"));
        let entries = stack.audit_entries().await;
        let expected = [("schedule".to_owned(), "stripe_error".to_owned())];
        assert_eq!(actions(&entries, "endpoint.rotate"), expected, "said once");
    }
    assert_eq!(stack.maintain(at(day + 600)).await["switched_over"], json!(["main"]));
    assert!(stack.row("main").await.unwrap().rotation_given_up.is_none(), "another one is under way");
}

#[tokio::test]
async fn one_that_an_admin_is_refused_is_told_by_the_answer_alone() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    assert_eq!(stack.rotate("").await.0, 502);
    assert!(stack.row("main").await.unwrap().rotation_given_up.is_none());
}
