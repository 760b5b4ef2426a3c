//! The handle of a running simulated Stripe: starts, commands and reads it, and stops it when dropped.
//!
//! The server has a thread and a runtime of its own. So it answers also while a test blocks its only thread
//! or has paused its time, and when the handle is dropped nothing is left: the port is free and connections
//! are closed.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::api::webhook_endpoints::Endpoint;
use crate::commands::{ClockChange, EndpointChange, NotFound};
use crate::customer_lifecycle::CustomerLifecycle;
use crate::deliveries::{Attempt, DeliveryBehavior, sender};
use crate::emit::{BalanceChange, EventError, Fate, NewEvent};
use crate::faults::Fault;
use crate::options::{Key, Options};
use crate::request_log::LoggedRequest;
use crate::server;
use crate::state::SharedState;

/// A running simulated Stripe.
pub struct SimulatedStripe {
    shared: Arc<SharedState>,
    url: String,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedStripe {
    /// Starts one, which answers as soon as this returns.
    pub fn start(options: Options) -> io::Result<Self> {
        let client = sender::client(options.delivery_timeout).map_err(io::Error::other)?;
        let listener = server::bind(options.port)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let shared = SharedState::new(options, client);
        let (stop, stopped) = oneshot::channel::<()>();
        let running = Arc::clone(&shared);
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new().name("simulated-stripe".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = sender::run(Arc::clone(&running)) => {}
                    failed = server::serve(listener, running) => tracing::error!(?failed, "stopped serving"),
                }
            });
            // Not waiting for name look-ups that may still run.
            runtime.shutdown_background();
        })?;
        Ok(Self { shared, url, runtime: handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the API's base address, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the first of the valid keys.
    #[must_use]
    pub fn key(&self) -> String {
        self.shared.lock().options.keys.first().map(|key| key.secret.clone()).unwrap_or_default()
    }

    /// Sets how many items a page of a list has at most from now on.
    pub fn set_longest_page(&self, longest: usize) {
        self.shared.lock().options.longest_page = longest;
    }

    /// Replaces the valid keys.
    pub fn set_keys(&self, keys: Vec<Key>) {
        self.shared.lock().options.keys = keys;
    }

    /// Connects an account to the platform: it is listed from now on.
    pub fn connect(&self, account: &str) {
        self.shared.lock().connected.push(account.to_owned());
    }

    /// Lets a connected account leave the platform: calls for it are refused from now on.
    pub fn disconnect(&self, account: &str) {
        self.shared.lock().disconnected.push(account.to_owned());
    }

    /// Emits an event, from a type (`"invoice.paid"`) or a [`NewEvent`], and returns it as it is listed.
    pub fn emit(&self, new: impl Into<NewEvent>) -> Result<Value, EventError> {
        self.shared.emit(new.into())
    }

    /// Emits an event given as text, which is delivered byte for byte.
    pub fn emit_text(&self, text: &str) -> Result<Value, EventError> {
        self.shared.emit_text(text, Fate::Delivered)
    }

    /// Emits the linked events of one customer's life cycle, and returns their ids.
    #[must_use]
    pub fn customer_lifecycle(&self) -> CustomerLifecycle {
        self.shared.customer_lifecycle(None)
    }

    /// Does the same on a connected account.
    #[must_use]
    pub fn customer_lifecycle_on(&self, account: &str) -> CustomerLifecycle {
        self.shared.customer_lifecycle(Some(account))
    }

    /// Adds to a customer's balance: a transaction, of which Stripe makes no event, and `customer.updated`.
    /// Returns the transaction's id and the event.
    ///
    /// # Errors
    /// If there is no such customer.
    pub fn change_balance(&self, change: &BalanceChange) -> Result<(String, Value), EventError> {
        self.shared.change_balance(change)
    }

    /// Stores an object without any event.
    pub fn put_object(&self, account: Option<&str>, object: &Value) {
        self.shared.lock().objects.put(account, object);
    }

    /// Removes an object without any event, and returns whether there was one.
    pub fn remove_object(&self, account: Option<&str>, id: &str) -> bool {
        self.shared.lock().objects.remove(account, id)
    }

    /// Returns the current state of an object.
    #[must_use]
    pub fn object(&self, account: Option<&str>, id: &str) -> Option<Value> {
        self.shared.lock().objects.get(account, id).map(|stored| stored.value.clone())
    }

    /// Sends all that is due by the simulated clock, one after another, and returns the attempts.
    pub async fn deliver_due(&self) -> Vec<Attempt> {
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move { sender::deliver_due(&shared).await }).await.unwrap_or_default()
    }

    /// Returns all attempts so far.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared.lock().deliveries.attempts.clone()
    }

    /// Sends an event to an endpoint once more, as a person would on the dashboard.
    pub fn resend(&self, event: &str, endpoint: &str) -> Result<(), NotFound> {
        self.shared.resend(event, endpoint)
    }

    /// Repeats, delays, shuffles or drops deliveries from now on.
    pub fn set_delivery_behavior(&self, behavior: DeliveryBehavior) {
        self.shared.set_delivery_behavior(behavior);
    }

    /// Switches delivery in the background on or off.
    pub fn set_background_delivery(&self, enabled: bool) {
        self.shared.set_background_delivery(enabled);
    }

    /// Returns the simulated time, in unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.lock().clock.now()
    }

    /// Moves the clock by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.shared.move_clock(&ClockChange { advance: Some(seconds), ..ClockChange::default() });
    }

    /// Lets the `Date` header differ from the clock by so many seconds.
    pub fn skew_date(&self, seconds: i64) {
        self.shared.move_clock(&ClockChange { date_skew: Some(seconds), ..ClockChange::default() });
    }

    /// Injects a fault into the next calls that match.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.add_fault(fault);
    }

    /// Removes all faults, and lets held calls go on.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// Returns all API calls so far.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.lock().requests.clone()
    }

    /// Drops the log of API calls so far.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Returns all endpoints, with their secrets, oldest first.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.shared.lock().endpoints.clone()
    }

    /// Adds an endpoint as a person would on the dashboard.
    #[must_use]
    pub fn add_endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        self.shared.add_endpoint(url, events)
    }

    /// Changes an endpoint without the API.
    pub fn change_endpoint(&self, id: &str, change: EndpointChange) -> Result<Endpoint, NotFound> {
        self.shared.change_endpoint(id, change)
    }

    /// Deletes an endpoint without the API.
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
