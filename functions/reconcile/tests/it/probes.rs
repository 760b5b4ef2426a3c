//! An endpoint that Stripe cannot reach, or that was not heard for hours, is sent a probe: its outcome shows
//! what stands in the way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::health::Undelivered;
use shared::probe::{ProbeOutcome, ProbeStage};
use shared::signature::verify;
use test_cloud::fixtures::{self, now};
use tokio::net::TcpListener;

use crate::support::{SECRET, Stack, ago, later};

/// What a server answers, by whether the signature is right and by the body.
type Respond = fn(bool, &Value) -> (u16, Value);

/// A server at the endpoint's address.
struct Server {
    address: SocketAddr,
    /// The bodies that came in, each with whether its signature was right.
    requests: Arc<Mutex<Vec<(bool, String)>>>,
}

impl Server {
    async fn start(respond: Respond) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::clone(&requests);
        let handler = move |headers: HeaderMap, body: Bytes| async move {
            let header = headers.get("stripe-signature").and_then(|header| header.to_str().ok());
            let secret = SECRET.parse().unwrap();
            let signed = verify(header, &body, [&secret], now().into()).is_ok();
            received.lock().unwrap().push((signed, String::from_utf8(body.to_vec()).unwrap()));
            let (status, answer) = respond(signed, &serde_json::from_slice(&body).unwrap());
            (StatusCode::from_u16(status).unwrap(), answer.to_string())
        };
        let app = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, requests }
    }

    /// A stack whose `main` is at this server, and whose Stripe has made an event that did not arrive.
    async fn stack(&self) -> Stack {
        let stack = Stack::bare().await;
        let url = format!("http://{}/webhooks/main", self.address);
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
    let cases: [(Respond, ProbeOutcome); 4] = [
        (stored, ProbeOutcome::Stored),
        (refused, ProbeOutcome::Changed),
        (|_, _| (302, json!({})), ProbeOutcome::Answered { status: 302, code: None }),
        (
            |_, _| (503, json!({ "error": { "code": "temporarily_unavailable" } })),
            ProbeOutcome::Answered { status: 503, code: Some("temporarily_unavailable".into()) },
        ),
    ];
    for (respond, expected) in cases {
        let server = Server::start(respond).await;
        let stack = server.stack().await;
        stack.run(now()).await;
        let probe = stack.probes().await.remove("main").unwrap();
        assert_eq!((probe.report.outcome, probe.at), (expected, now().into()));
        let requests = server.requests.lock().unwrap();
        let [(signed, body)] = requests.as_slice() else { panic!("{requests:?}") };
        assert!(signed, "{body}");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["type"], "billhook.probe");
    }
}

#[tokio::test]
async fn no_probe_is_sent_to_an_endpoint_that_deliveries_reach() {
    let server = Server::start(stored).await;
    let stack = server.stack().await;
    stack.run(now()).await;
    stack.run(later(5)).await;
    assert_eq!(server.requests.lock().unwrap().len(), 2, "as long as none comes in");
    stack.registry().record_delivery(&"main".parse().unwrap(), 0, later(7)).await.unwrap();
    stack.run(later(10)).await;
    assert_eq!(server.requests.lock().unwrap().len(), 2);
    assert_eq!(stack.probes().await["main"].at, later(5).into(), "the last one is kept");
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_the_probes_outcome() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server { address: gone.local_addr().unwrap(), requests: Arc::default() };
    drop(gone);
    let stack = server.stack().await;
    assert_eq!(stack.run(now()).await["filled"], 1, "what was missing is here all the same");
    let probed = stack.probes().await["main"].report.outcome.clone();
    assert!(matches!(&probed, ProbeOutcome::NoAnswer { at: ProbeStage::Connection, .. }), "{probed:?}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_sends_no_probe_and_stops_nothing() {
    let server = Server::start(stored).await;
    let stack = server.stack().await;
    stack.cloud.remove_secret("stack/endpoints/main/1");
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.probes().await.is_empty() && server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_delivered_is_reported_of_each_endpoint_that_wants_it() {
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
    let missed = |count| Undelivered { newest: ago(20).into(), count };
    let expected = [("bills".to_owned(), missed(1)), ("both".to_owned(), missed(2))].into();
    assert_eq!(stack.snapshot().await.undelivered, expected);
    stack.run(later(1)).await;
    assert_eq!(stack.snapshot().await.undelivered, expected, "also when the ledger has them, from wherever");
    // One that is registered anew has missed nothing yet.
    stack.register_anew("bills", later(2)).await;
    stack.run(later(5)).await;
    assert_eq!(stack.snapshot().await.undelivered, [("both".to_owned(), missed(2))].into());
}

#[tokio::test]
async fn an_endpoint_that_was_not_heard_for_hours_is_sent_a_probe_until_one_is_stored() {
    let failing = Server::start(refused).await;
    let stack = Stack::bare().await;
    let url = format!("http://{}/webhooks/main", failing.address);
    stack.register_at(&url, "main", &["invoice.paid"], false, ago(2 * 1_440)).await;
    let sent = |server: &Server| server.requests.lock().unwrap().len();
    for (minutes, expected) in [(0, 1), (5, 2)] {
        stack.run(later(minutes)).await;
        assert_eq!(sent(&failing), expected, "as long as none is stored");
    }
    let mended = Server::start(stored).await;
    let row = stack.registry().endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    let mut moved = row.clone();
    moved.spec.url = format!("http://{}/webhooks/main", mended.address);
    stack.registry().replace(&row, &mut moved).await.unwrap();
    for (minutes, expected) in [(10, 1), (15, 1), (10 + 360, 1), (10 + 361, 2)] {
        stack.run(later(minutes)).await;
        assert_eq!(sent(&mended), expected, "after {minutes} minutes");
    }
    // A delivery says more than a probe, for six hours.
    stack.hear(later(400)).await;
    for (minutes, expected) in [(400 + 360, 2), (400 + 361, 3), (400 + 380, 3)] {
        stack.run(later(minutes)).await;
        assert_eq!(sent(&mended), expected, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn what_something_else_took_is_missed_though_stripe_believes_it_delivered() {
    let server = Server::start(|_, _| (200, json!("<html>"))).await;
    let stack = Stack::bare().await;
    let url = format!("http://{}/webhooks/main", server.address);
    stack.register_at(&url, "main", &["invoice.paid"], false, ago(2 * 1_440)).await;
    stack.hear(ago(60)).await;
    stack.missed("invoice.paid", ago(20));
    stack.run(now()).await;
    let snapshot = stack.snapshot().await;
    assert!(snapshot.undelivered.is_empty());
    assert_eq!(snapshot.arrivals["main"].newest_fetched(), Some(ago(20).into()));
    let outcome = stack.probes().await["main"].report.outcome.clone();
    assert_eq!(outcome, ProbeOutcome::Answered { status: 200, code: None });
}

#[tokio::test]
async fn how_events_came_is_counted_once_by_endpoint_and_type() {
    let stack = Stack::bare().await;
    stack.register("main", &["invoice.paid", "customer.created"], false, ago(2 * 1_440)).await;
    stack.register("other", &["customer.created"], false, ago(2 * 1_440)).await;
    stack.hear(now()).await;
    // Of what came by itself the ledger has a row without a source.
    let delivered = stack.missed("customer.created", ago(30));
    let body = fixtures::event(
        &delivered,
        "customer.created",
        ago(30).as_second(),
        &json!({
            "object": "customer", "id": "cus_1",
        }),
    );
    fixtures::receive(&stack.ledger(), &body, ago(29)).await;
    stack.missed("invoice.paid", ago(25));
    stack.missed("invoice.paid", ago(20));
    for minutes in [0, 5, 10] {
        stack.run(later(minutes)).await;
        let arrivals = stack.snapshot().await.arrivals;
        let main = arrivals["main"].total();
        assert_eq!((main["invoice.paid"].fetched, main["invoice.paid"].delivered), (2, 0));
        assert_eq!((main["customer.created"].fetched, main["customer.created"].delivered), (0, 1));
        assert!(arrivals["other"].total().is_empty(), "it is not known whether it came there too");
    }
    stack.missed("invoice.paid", later(8));
    stack.run(later(15)).await;
    assert_eq!(stack.snapshot().await.arrivals["main"].total()["invoice.paid"].fetched, 3);
}
