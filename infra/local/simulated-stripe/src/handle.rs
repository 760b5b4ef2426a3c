//! The handle of a running simulated Stripe: it starts it, commands it and reads it, and stops it when dropped.
//!
//! It runs on a thread of its own with its own runtime. So it answers also while a test blocks its only thread or has
//! paused its time, and when the handle is dropped nothing of it is left: the port is free and connections are closed.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::api::webhook_endpoints::Endpoint;
use crate::commands::{ClockChange, EndpointChange, NotFound};
use crate::deliveries::{Attempt, Habits, courier};
use crate::emit::{Emit, EmitError, Fate};
use crate::faults::Fault;
use crate::options::{Key, Options};
use crate::requests::RequestSeen;
use crate::server;
use crate::story::Story;
use crate::world::Shared;

/// A running simulated Stripe.
pub struct SimulatedStripe {
    shared: Arc<Shared>,
    url: String,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedStripe {
    /// Starts one; it answers as soon as this returns.
    pub fn start(options: Options) -> io::Result<Self> {
        let client = courier::client(options.delivery_timeout).map_err(io::Error::other)?;
        let listener = server::bind(options.port)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let shared = Shared::new(options, client);
        let (stop, stopped) = oneshot::channel::<()>();
        let running = Arc::clone(&shared);
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new().name("simulated-stripe".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = courier::run(Arc::clone(&running)) => {}
                    failed = server::serve(listener, running) => tracing::error!(?failed, "stopped serving"),
                }
            });
            // Not waiting for name look-ups that may still run.
            runtime.shutdown_background();
        })?;
        Ok(Self { shared, url, runtime: handle, stop: Some(stop), thread: Some(thread) })
    }

    /// The API's base address, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first of the keys that are let in.
    #[must_use]
    pub fn key(&self) -> String {
        self.shared.world().options.keys.first().map(|key| key.secret.clone()).unwrap_or_default()
    }

    /// Replaces the keys that are let in.
    pub fn set_keys(&self, keys: Vec<Key>) {
        self.shared.world().options.keys = keys;
    }

    /// Lets a connected account leave the platform: calls for it are refused from now on.
    pub fn disconnect(&self, account: &str) {
        self.shared.world().disconnected.push(account.to_owned());
    }

    /// Makes an event, from a type (`"invoice.paid"`) or an [`Emit`], and gives it as it is listed.
    pub fn emit(&self, wanted: impl Into<Emit>) -> Result<Value, EmitError> {
        self.shared.emit(wanted.into())
    }

    /// Makes an event of its whole text, which is delivered byte for byte.
    pub fn emit_text(&self, text: &str) -> Result<Value, EmitError> {
        self.shared.emit_text(text, Fate::Delivered)
    }

    /// Makes the linked events of one customer, and gives their ids.
    #[must_use]
    pub fn story(&self) -> Story {
        self.shared.story(None)
    }

    /// The same on a connected account.
    #[must_use]
    pub fn story_of(&self, account: &str) -> Story {
        self.shared.story(Some(account))
    }

    /// Keeps an object without any event.
    pub fn put_object(&self, account: Option<&str>, object: &Value) {
        self.shared.world().objects.put(account, object);
    }

    /// Forgets an object without any event; whether there was one.
    pub fn remove_object(&self, account: Option<&str>, id: &str) -> bool {
        self.shared.world().objects.remove(account, id)
    }

    /// The current state of an object.
    #[must_use]
    pub fn object(&self, account: Option<&str>, id: &str) -> Option<Value> {
        self.shared.world().objects.get(account, id).map(|stored| stored.value.clone())
    }

    /// Posts all that is due by the simulated clock, one after another, and tells what came of each try.
    pub async fn deliver_due(&self) -> Vec<Attempt> {
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move { courier::deliver_due(&shared).await }).await.unwrap_or_default()
    }

    /// All tries so far.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared.world().deliveries.attempts.clone()
    }

    /// Sends an event to an endpoint once more, as a person would on the dashboard.
    pub fn resend(&self, event: &str, endpoint: &str) -> Result<(), NotFound> {
        self.shared.resend(event, endpoint)
    }

    /// Repeats, delays, shuffles or drops deliveries from now on.
    pub fn set_habits(&self, habits: Habits) {
        self.shared.set_habits(habits);
    }

    /// Switches delivery in the background on or off.
    pub fn deliver_by_itself(&self, by_itself: bool) {
        self.shared.deliver_by_itself(by_itself);
    }

    /// The simulated time, in unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.world().clock.now()
    }

    /// Moves the clock by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.shared.move_clock(&ClockChange { advance: Some(seconds), ..ClockChange::default() });
    }

    /// Lets the `Date` header differ from the clock by so many seconds.
    pub fn skew_date(&self, seconds: i64) {
        self.shared.move_clock(&ClockChange { date_skew: Some(seconds), ..ClockChange::default() });
    }

    /// Lets the next calls that match go wrong.
    pub fn fault(&self, fault: Fault) {
        self.shared.add_fault(fault);
    }

    /// Forgets all faults, and lets held calls go on.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// All API calls so far.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.shared.world().requests.clone()
    }

    /// Forgets the calls so far.
    pub fn clear_requests(&self) {
        self.shared.world().requests.clear();
    }

    /// All endpoints, with their secrets, oldest first.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.shared.world().endpoints.clone()
    }

    /// Adds an endpoint as a person would on the dashboard.
    #[must_use]
    pub fn add_endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        self.shared.add_endpoint(url, events)
    }

    /// Changes an endpoint behind the API's back.
    pub fn change_endpoint(&self, id: &str, change: EndpointChange) -> Result<Endpoint, NotFound> {
        self.shared.change_endpoint(id, change)
    }

    /// Deletes an endpoint behind the API's back.
    pub fn delete_endpoint(&self, id: &str) -> Result<(), NotFound> {
        self.shared.delete_endpoint(id)
    }
}

impl Drop for SimulatedStripe {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends at its next step; a panic in it has been shown already.
            let _ = thread.join();
        }
    }
}
