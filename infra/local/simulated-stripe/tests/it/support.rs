//! A client that calls as an SDK does, and a receiver of deliveries.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::Value;
use simulated_stripe::{Options, SimulatedStripe};

/// A time after the samples.
pub(crate) const NOW: i64 = 1_785_100_000;

pub(crate) fn stripe() -> SimulatedStripe {
    SimulatedStripe::start(Options::for_tests().at(NOW)).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn error(&self) -> &Value {
        &self.body["error"]
    }

    /// Returns the ids of a list, in its order.
    pub(crate) fn ids(&self) -> Vec<&str> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
    }
}

/// A client of one simulated Stripe, with its own key.
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
    pub(crate) key: String,
}

impl Api {
    pub(crate) fn new(stripe: &SimulatedStripe) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { client, base: stripe.url().to_owned(), key: stripe.key() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], &[]).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.call(Method::POST, path, form, &[]).await.unwrap()
    }

    pub(crate) async fn post_once(&self, key: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        self.call(Method::POST, path, form, &[("idempotency-key", key)]).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, &[], &[]).await.unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request =
            self.client.request(method.clone(), format!("{}{path}", self.base)).bearer_auth(&self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if method == Method::POST {
            request = request.form(form);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_else(|_| text.into()) })
    }
}

/// A delivery as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    answers: VecDeque<u16>,
    received: Vec<Received>,
}

/// A receiver of deliveries that answers 200, or the statuses it was given.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inbox: Arc<Mutex<Inbox>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/main", listener.local_addr().unwrap());
        let routes = Router::new().fallback(receive).with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, inbox }
    }

    /// Sets the statuses of the next deliveries; those after them get 200.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.inbox.lock().unwrap().answers.extend(statuses);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.lock().unwrap().received.clone()
    }

    /// Returns the types of what arrived, in the order of arrival.
    pub(crate) fn types(&self) -> Vec<String> {
        self.received().iter().map(|received| received.event()["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn receive(State(inbox): State<Arc<Mutex<Inbox>>>, headers: HeaderMap, body: String) -> StatusCode {
    let mut inbox = inbox.lock().unwrap();
    inbox.received.push(Received { headers, body });
    StatusCode::from_u16(inbox.answers.pop_front().unwrap_or(200)).unwrap()
}

/// Waits until a condition holds that another thread brings about.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
