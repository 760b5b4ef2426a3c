//! Stripe's API: from a call to its answer.
//!
//! The order of the steps is Stripe's and decides what a client sees: the key, the route, the rights, the
//! idempotency key, and only then the parameters. Faults stand at either end.

pub(crate) mod access;
mod error;
mod events;
pub(crate) mod idempotency;
mod objects;
mod page;
pub(crate) mod params;
pub(crate) mod reply;
mod route;
pub(crate) mod webhook_endpoints;

use std::sync::Arc;
use std::time::Duration;

use error::ApiError;
use idempotency::{KeyUse, ScopedKey};
use params::Params;
use reply::Reply;
use route::Route;
use tokio::sync::watch;

use crate::faults::{self, Effect, Fault, When};
use crate::state::SharedState;

/// One call, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) request_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) key: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// The connected account it acts for; `None` is our own.
    pub(crate) account: Option<String>,
}

/// What a client gets.
pub(crate) enum CallOutcome {
    /// An answer.
    Reply(Reply),
    /// Its connection is closed.
    Cut,
}

impl<T: Into<Reply>> From<T> for CallOutcome {
    fn from(reply: T) -> Self {
        Self::Reply(reply.into())
    }
}

/// Answers a call, with the fault that waits for it, if any.
pub(crate) async fn answer(shared: &Arc<SharedState>, call: &Call) -> CallOutcome {
    // Both under one lock, so that a fault that is taken cannot miss its release.
    let (fault, mut released) = {
        let mut state = shared.lock();
        (faults::take(&mut state.faults, &call.method, &call.path), shared.release.subscribe())
    };
    let (before, after) = match fault {
        Some(Fault { when: When::Before, effect, .. }) => (Some(effect), None),
        Some(Fault { when: When::After, effect, .. }) => (None, Some(effect)),
        None => (None, None),
    };
    match before {
        Some(Effect::Answer(answer)) => return Reply::from(&answer).into(),
        Some(Effect::Cut) => return CallOutcome::Cut,
        Some(Effect::Hold | Effect::DelayMs(_)) | None => {}
    }
    match perform(shared, call, before, after.as_ref(), &mut released).await {
        Err(error) => error.into(),
        Ok(reply) => match after {
            Some(Effect::Cut) => CallOutcome::Cut,
            Some(Effect::Hold | Effect::DelayMs(_)) => {
                wait(after, &mut released).await;
                reply.into()
            }
            Some(Effect::Answer(_)) | None => reply.into(),
        },
    }
}

/// Performs the call; `before` is only ever something to wait for.
async fn perform(
    shared: &Arc<SharedState>,
    call: &Call,
    before: Option<Effect>,
    after: Option<&Effect>,
    released: &mut watch::Receiver<()>,
) -> Result<Reply, ApiError> {
    let route = authorized_route(shared, call)?;
    let running = match &call.idempotency_key {
        Some(key) if call.method == "POST" => {
            let name = ScopedKey { account: call.account.clone(), key: key.clone() };
            let parameters = format!("{} {} {:?}", call.method, call.path, call.params.sorted());
            let mut state = shared.lock();
            let now = state.clock.now();
            match state.idempotency.begin(&name, parameters, now)? {
                KeyUse::Replay(reply, original) => return Ok(reply.replayed(original)),
                KeyUse::First => Some(Running { shared, name }),
            }
        }
        _ => None,
    };
    wait(before, released).await;
    let result = route.run(&mut shared.lock(), call);
    let body = result?;
    shared.wake.notify_one();
    let reply = match after {
        Some(Effect::Answer(answer)) => Reply::from(answer),
        Some(Effect::Cut | Effect::Hold | Effect::DelayMs(_)) | None => Reply::ok(body),
    };
    if let Some(running) = &running {
        shared.lock().idempotency.complete(&running.name, reply.clone(), call.request_id.clone());
    }
    Ok(reply)
}

fn authorized_route(shared: &SharedState, call: &Call) -> Result<Route, ApiError> {
    let state = shared.lock();
    let key = access::authenticate(&state.options, call.key.as_deref())?;
    let route = Route::find(&call.method, &call.path)?;
    if let Some(account) = call.account.as_ref().filter(|account| state.disconnected.contains(account)) {
        return Err(ApiError::no_access(&key.secret, account));
    }
    access::authorize(&state.options, key, route.resource(), call.method != "GET")?;
    Ok(route)
}

async fn wait(effect: Option<Effect>, released: &mut watch::Receiver<()>) {
    match effect {
        Some(Effect::DelayMs(milliseconds)) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Some(Effect::Hold) => {
            // It ends when faults are cleared; a client that gives up drops this future and all after it.
            let _ = released.changed().await;
        }
        Some(Effect::Answer(_) | Effect::Cut) | None => {}
    }
}

/// A call that runs under an idempotency key. However it ends, refused or dropped, the key does not stay in
/// use.
struct Running<'a> {
    shared: &'a SharedState,
    name: ScopedKey,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.lock().idempotency.release(&self.name);
    }
}
