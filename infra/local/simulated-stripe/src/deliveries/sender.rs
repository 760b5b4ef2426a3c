//! Sends deliveries to their receivers.
//!
//! Either in the background, several at once as Stripe does, or one after another when a test asks; both take
//! what is due from the same place, so nothing is sent twice.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use tokio::task::JoinSet;

use super::{Attempt, DueAttempt, record, take_due};
use crate::signature::sign;
use crate::state::SharedState;

/// Returns the client for all receivers. A redirect counts as a failure, and no proxy stands between local
/// programs.
pub(crate) fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(timeout).build()
}

/// Sends all that is due, one after another, and returns the attempts.
pub(crate) async fn deliver_due(shared: &SharedState) -> Vec<Attempt> {
    let all_due = take_due(&mut shared.lock());
    let mut attempts = Vec::with_capacity(all_due.len());
    for due in all_due {
        attempts.push(deliver(shared, due).await);
    }
    attempts
}

/// Sends whatever becomes due, for as long as the simulated Stripe runs.
pub(crate) async fn run(shared: Arc<SharedState>) {
    let mut posting = JoinSet::new();
    loop {
        let pause = {
            let mut state = shared.lock();
            let mut pause = 60;
            if state.options.background_delivery {
                for due in take_due(&mut state) {
                    let shared = Arc::clone(&shared);
                    posting.spawn(async move { deliver(&shared, due).await });
                }
                let next = state.deliveries.next_due();
                pause = next.map_or(pause, |next| (next - state.clock.now()).clamp(1, pause));
            }
            Duration::from_secs(pause.unsigned_abs())
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            // An attempt that ended may have set the time of the next one.
            Some(_) = posting.join_next() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn deliver(shared: &SharedState, due: DueAttempt) -> Attempt {
    let index = due.index;
    let attempt = post(&shared.client, due).await;
    tracing::info!(
        event.id = attempt.event,
        event.kind = attempt.kind,
        endpoint.id = attempt.endpoint,
        status = attempt.status,
        error = attempt.error,
        "delivery attempted"
    );
    record(&mut shared.lock(), index, attempt.clone());
    attempt
}

async fn post(client: &reqwest::Client, due: DueAttempt) -> Attempt {
    let DueAttempt { url, body, secret, mut attempt, .. } = due;
    let signature = sign(&secret, attempt.at, body.as_bytes());
    let sent = client
        .post(url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(USER_AGENT, "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("stripe-signature", signature)
        .body(body)
        .send()
        .await;
    match sent {
        Ok(answer) => {
            attempt.status = Some(answer.status().as_u16());
            attempt.answer = answer.text().await.unwrap_or_default().chars().take(2_000).collect();
        }
        Err(error) => attempt.error = Some(error_chain(&error)),
    }
    attempt
}

/// Returns the error with its causes: reqwest's own text does not say that a connection was refused.
fn error_chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
