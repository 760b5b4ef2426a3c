//! An endpoint that Stripe cannot reach is sent a probe, which tells what stands in the way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::health::Undelivered;
use shared::probe::{ProbeOutcome, ProbeStage};
use shared::signature::verify;
use tokio::net::TcpListener;

use crate::support::{SECRET, Stack, ago, later, now};

/// What a door answers, by whether the signature is right and by the body.
type Answer = fn(bool, &Value) -> (u16, Value);

/// What stands at the endpoint's address.
struct Door {
    at: SocketAddr,
    /// The bodies that came in, rightly signed or not.
    came: Arc<Mutex<Vec<(bool, String)>>>,
}

impl Door {
    /// Answers what `answer` says of whether the signature is right and of the body.
    async fn open(answer: Answer) -> Self {
        let came = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let kept = Arc::clone(&came);
        let handler = move |headers: HeaderMap, body: Bytes| async move {
            let header = headers.get("stripe-signature").and_then(|header| header.to_str().ok());
            let secret = SECRET.parse().unwrap();
            let signed = verify(header, &body, [&secret], now().as_second()).is_ok();
            kept.lock().unwrap().push((signed, String::from_utf8(body.to_vec()).unwrap()));
            let (status, answer) = answer(signed, &serde_json::from_slice(&body).unwrap());
            (StatusCode::from_u16(status).unwrap(), answer.to_string())
        };
        let app = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { at, came }
    }

    /// A stack whose `main` stands there and whose Stripe has made an event that did not arrive.
    async fn stack(&self) -> Stack {
        let stack = Stack::bare().await;
        let url = format!("http://{}/webhooks/main", self.at);
        stack.register_at(&url, "main", &["invoice.paid"], false, ago(2 * 1_440)).await;
        stack.undelivered("invoice.paid", ago(20));
        stack
    }
}

fn stored(_: bool, body: &Value) -> (u16, Value) {
    (200, json!({ "received": true, "event": body["id"], "outcome": "stored" }))
}

fn refused(_: bool, _: &Value) -> (u16, Value) {
    (400, json!({ "error": { "code": "signature_mismatch" } }))
}

#[tokio::test]
async fn a_probe_is_signed_like_stripes_and_its_answer_is_kept() {
    let answers: [(Answer, ProbeOutcome); 4] = [
        (stored, ProbeOutcome::Stored),
        (refused, ProbeOutcome::Changed),
        (|_, _| (302, json!({})), ProbeOutcome::Answered { status: 302, code: None }),
        (
            |_, _| (503, json!({ "error": { "code": "temporarily_unavailable" } })),
            ProbeOutcome::Answered { status: 503, code: Some("temporarily_unavailable".into()) },
        ),
    ];
    for (answer, expected) in answers {
        let door = Door::open(answer).await;
        let stack = door.stack().await;
        stack.run(now()).await;
        assert_eq!(stack.facts().await.probes.get("main"), Some(&expected));
        let came = door.came.lock().unwrap();
        let [(signed, body)] = came.as_slice() else { panic!("{came:?}") };
        assert!(signed, "{body}");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["type"], "billhook.probe");
    }
}

#[tokio::test]
async fn no_probe_is_sent_to_an_endpoint_that_deliveries_reach() {
    let door = Door::open(stored).await;
    let stack = door.stack().await;
    stack.run(now()).await;
    stack.run(later(5)).await;
    assert_eq!(door.came.lock().unwrap().len(), 2, "as long as none comes in");
    stack.registry().record_delivery(&"main".parse().unwrap(), 0, later(7)).await.unwrap();
    stack.run(later(10)).await;
    assert_eq!(door.came.lock().unwrap().len(), 2);
    assert!(stack.facts().await.probes.is_empty());
}

#[tokio::test]
async fn an_address_where_nothing_listens_or_answers_is_told() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = Door { at: gone.local_addr().unwrap(), came: Arc::default() };
    drop(gone);
    let stack = door.stack().await;
    assert_eq!(stack.run(now()).await["filled"], 1, "what was missing is here all the same");
    let probed = stack.facts().await.probes["main"].clone();
    assert!(matches!(&probed, ProbeOutcome::NoAnswer { at: ProbeStage::Connection, .. }), "{probed:?}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_sends_no_probe_and_stops_nothing() {
    let door = Door::open(stored).await;
    let stack = door.stack().await;
    stack.cloud.remove_secret("stack/endpoints/main/1");
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.facts().await.probes.is_empty() && door.came.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_delivered_is_told_of_each_endpoint_that_wants_it() {
    let stack = Stack::bare().await;
    for (name, events) in [
        ("bills", vec!["invoice.paid"]),
        ("both", vec!["invoice.paid", "customer.created"]),
        ("others", vec!["charge.failed"]),
    ] {
        stack.register(name, &events, false, ago(1_440)).await;
    }
    stack.undelivered("invoice.paid", ago(20));
    stack.undelivered("customer.created", ago(21));
    stack.run(now()).await;
    let of = |count| Undelivered { newest: ago(20).as_second(), count };
    let expected = [("bills".to_owned(), of(1)), ("both".to_owned(), of(2))].into();
    assert_eq!(stack.facts().await.undelivered, expected);
    stack.run(later(1)).await;
    assert_eq!(stack.facts().await.undelivered, expected, "also when the ledger has them, from wherever");
    // One that is registered anew has missed nothing yet.
    stack.register_anew("bills", later(2)).await;
    stack.run(later(5)).await;
    assert_eq!(stack.facts().await.undelivered, [("both".to_owned(), of(2))].into());
}
