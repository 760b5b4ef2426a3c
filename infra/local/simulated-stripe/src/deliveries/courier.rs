//! Posting deliveries to their receivers.
//!
//! Either by itself in the background, several at once as Stripe does, or one after another when a test asks; both take
//! what is due from the same place, so nothing is posted twice.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use tokio::task::JoinSet;

use super::{Attempt, Job, record, take_due};
use crate::signature::sign;
use crate::world::Shared;

/// The client for all receivers. A redirect counts as a failure, and no proxy stands between local programs.
pub(crate) fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(timeout).build()
}

/// Posts all that is due, one after another, and tells what came of each.
pub(crate) async fn deliver_due(shared: &Shared) -> Vec<Attempt> {
    let jobs = take_due(&mut shared.world());
    let mut attempts = Vec::with_capacity(jobs.len());
    for job in jobs {
        attempts.push(deliver(shared, job).await);
    }
    attempts
}

/// Posts whatever becomes due, for as long as the simulated Stripe runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut posting = JoinSet::new();
    loop {
        let pause = {
            let mut world = shared.world();
            let mut pause = 60;
            if world.options.delivers_by_itself {
                for job in take_due(&mut world) {
                    let shared = Arc::clone(&shared);
                    posting.spawn(async move { deliver(&shared, job).await });
                }
                let due = world.deliveries.next_due();
                pause = due.map_or(pause, |due| (due - world.clock.now()).clamp(1, pause));
            }
            Duration::from_secs(pause.unsigned_abs())
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            // A try that ended may have set the time of the next one.
            Some(_) = posting.join_next() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn deliver(shared: &Shared, job: Job) -> Attempt {
    let index = job.index;
    let attempt = post(&shared.client, job).await;
    tracing::info!(
        event.id = attempt.event,
        event.kind = attempt.kind,
        endpoint.id = attempt.endpoint,
        status = attempt.status,
        error = attempt.error,
        "delivery tried"
    );
    record(&mut shared.world(), index, attempt.clone());
    attempt
}

async fn post(client: &reqwest::Client, job: Job) -> Attempt {
    let Job { url, body, secret, mut attempt, .. } = job;
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
        Err(error) => attempt.error = Some(whole_story(&error)),
    }
    attempt
}

/// The error with its causes: reqwest's own text does not say that a connection was refused.
fn whole_story(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
