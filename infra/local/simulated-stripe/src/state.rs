//! The whole state of the simulated Stripe, under one lock.
//!
//! The lock is held for one step at a time and never across an await: an API call is one step, taking what is
//! due is one, recording an attempt is one. So what a test reads is always a state between two steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::api::idempotency::Idempotency;
use crate::api::webhook_endpoints::Endpoint;
use crate::clock::Clock;
use crate::deliveries::Deliveries;
use crate::events::Events;
use crate::faults::Fault;
use crate::objects::Objects;
use crate::options::Options;
use crate::request_log::LoggedRequest;

/// The state of the account, its clock, and the faults to inject.
pub(crate) struct StripeState {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) events: Events,
    pub(crate) objects: Objects,
    pub(crate) deliveries: Deliveries,
    pub(crate) idempotency: Idempotency,
    /// Accounts that were connected to the platform, the first one first.
    pub(crate) connected: Vec<String>,
    /// Connected accounts that have left the platform.
    pub(crate) disconnected: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) requests: Vec<LoggedRequest>,
}

/// The state, and the signals between the tasks that share it.
pub(crate) struct SharedState {
    state: Mutex<StripeState>,
    /// Notified when something may have become due.
    pub(crate) wake: Notify,
    /// Changed when held calls may go on.
    pub(crate) release: watch::Sender<()>,
    pub(crate) client: reqwest::Client,
}

impl SharedState {
    pub(crate) fn new(options: Options, client: reqwest::Client) -> Arc<Self> {
        let state = StripeState {
            clock: Clock::new(options.clock),
            options,
            endpoints: Vec::new(),
            events: Events::default(),
            objects: Objects::default(),
            deliveries: Deliveries::default(),
            idempotency: Idempotency::default(),
            connected: Vec::new(),
            disconnected: Vec::new(),
            faults: Vec::new(),
            requests: Vec::new(),
        };
        let (release, _) = watch::channel(());
        Arc::new(Self { state: Mutex::new(state), wake: Notify::new(), release, client })
    }

    /// Locks the state. A step that panicked (a bug) does not make all later ones fail.
    pub(crate) fn lock(&self) -> MutexGuard<'_, StripeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
