//! Deliveries: which endpoint gets which event, when it is tried again, and the log of attempts.
//!
//! Each pair of an event and an endpoint that match is one automatic delivery, which goes on until it is
//! answered 2xx or its tries are used up. A resend by hand, or a repeat by [`DeliveryBehavior`], is tried
//! once and changes nothing about the automatic one: at Stripe too, only an automatic attempt that succeeds
//! ends the retries.

mod retry;
pub(crate) mod sender;

use serde::{Deserialize, Serialize};

use crate::events::Event;
use crate::state::StripeState;

/// How deliveries differ from one per event, at once and in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryBehavior {
    /// How often each delivery is sent: 1, or more for duplicates.
    pub repeat: u32,
    /// How many seconds after the event it becomes due.
    pub delay: i64,
    /// Sends what is due in an order shuffled by this seed.
    pub shuffle: Option<u64>,
    /// Types (exact, or `prefix.*`) that are listed but never sent.
    pub drop: Vec<String>,
}

impl Default for DeliveryBehavior {
    fn default() -> Self {
        Self { repeat: 1, delay: 0, shuffle: None, drop: Vec::new() }
    }
}

/// One attempt at a delivery, and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// `evt_…`
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `we_…`
    pub endpoint: String,
    /// Where it went.
    pub url: String,
    /// When, in unix seconds of the simulated clock: the `t` of its signature.
    pub at: i64,
    /// Whether it belongs to the automatic delivery, not to a resend or a repeat.
    pub automatic: bool,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The answer's body, cut after 2,000 characters.
    pub answer: String,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl Attempt {
    /// Whether the receiver acknowledged it.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting {
        due: i64,
    },
    Posting,
    Succeeded,
    /// Its tries are used up, or its endpoint was disabled or gone when it was to be tried again.
    Failed,
}

#[derive(Clone, Debug)]
struct Delivery {
    event: String,
    endpoint: String,
    automatic: bool,
    first_due: i64,
    tries: u32,
    progress: Progress,
}

/// An attempt that is to be made now.
pub(crate) struct DueAttempt {
    index: usize,
    url: String,
    body: String,
    secret: String,
    /// Completed by the answer.
    attempt: Attempt,
}

/// All deliveries, and the log of attempts.
#[derive(Default)]
pub(crate) struct Deliveries {
    all: Vec<Delivery>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) behavior: DeliveryBehavior,
}

impl Deliveries {
    /// Returns to how many endpoints this event has yet to be delivered, including those where it failed for
    /// good.
    pub(crate) fn pending(&self, event: &str) -> usize {
        let open = |delivery: &&Delivery| {
            delivery.event == event && delivery.automatic && delivery.progress != Progress::Succeeded
        };
        self.all.iter().filter(open).count()
    }

    pub(crate) fn resend(&mut self, event: &str, endpoint: &str, now: i64) {
        self.push(event, endpoint, false, now);
    }

    /// Returns when the next one becomes due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let due = |delivery: &Delivery| match delivery.progress {
            Progress::Waiting { due } => Some(due),
            Progress::Posting | Progress::Succeeded | Progress::Failed => None,
        };
        self.all.iter().filter_map(due).min()
    }

    fn push(&mut self, event: &str, endpoint: &str, automatic: bool, due: i64) {
        self.all.push(Delivery {
            event: event.to_owned(),
            endpoint: endpoint.to_owned(),
            automatic,
            first_due: due,
            tries: 0,
            progress: Progress::Waiting { due },
        });
    }
}

/// Adds the deliveries of a new event. Endpoints added later do not get it.
pub(crate) fn enqueue(state: &mut StripeState, event: &Event) {
    let behavior = state.deliveries.behavior.clone();
    if behavior.drop.iter().any(|pattern| matches_type(pattern, &event.kind)) {
        return;
    }
    let due = state.clock.now() + behavior.delay;
    let is_connected = event.account.is_some();
    let subscribed =
        state.endpoints.iter().filter(|endpoint| endpoint.is_subscribed_to(&event.kind, is_connected));
    for endpoint in subscribed {
        for copy in 0..behavior.repeat {
            state.deliveries.push(&event.id, &endpoint.id, copy == 0, due);
        }
    }
}

fn matches_type(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}

/// Takes all that is due, in the order in which it is to be sent.
pub(crate) fn take_due(state: &mut StripeState) -> Vec<DueAttempt> {
    let now = state.clock.now();
    let mut due: Vec<(i64, usize)> = Vec::new();
    for (index, delivery) in state.deliveries.all.iter().enumerate() {
        if let Progress::Waiting { due: at } = delivery.progress
            && at <= now
        {
            due.push((at, index));
        }
    }
    due.sort_unstable();
    if let Some(seed) = state.deliveries.behavior.shuffle {
        shuffle(&mut due, seed);
    }
    due.into_iter().filter_map(|(_, index)| due_attempt(state, index, now)).collect()
}

/// Returns the attempt of a delivery; `None` where the endpoint is gone or disabled: then the delivery ends.
fn due_attempt(state: &mut StripeState, index: usize, now: i64) -> Option<DueAttempt> {
    let delivery = &mut state.deliveries.all[index];
    let endpoint =
        state.endpoints.iter().find(|endpoint| endpoint.id == delivery.endpoint && !endpoint.disabled);
    let (Some(endpoint), Some(event)) = (endpoint, state.events.get(&delivery.event)) else {
        delivery.progress = Progress::Failed;
        return None;
    };
    delivery.progress = Progress::Posting;
    delivery.tries += 1;
    let attempt = Attempt {
        event: event.id.clone(),
        kind: event.kind.clone(),
        endpoint: endpoint.id.clone(),
        url: endpoint.url.clone(),
        at: now,
        automatic: delivery.automatic,
        status: None,
        answer: String::new(),
        error: None,
    };
    let pending = state.deliveries.pending(&event.id);
    let body = event.delivered(endpoint.api_version.as_deref(), pending);
    Some(DueAttempt { index, url: endpoint.url.clone(), body, secret: endpoint.secret.clone(), attempt })
}

/// Logs the result of an attempt, and sets when the next one is due.
pub(crate) fn record(state: &mut StripeState, index: usize, attempt: Attempt) {
    let mode = state.options.mode;
    let now = state.clock.now();
    let delivery = &mut state.deliveries.all[index];
    delivery.progress = if attempt.is_success() {
        Progress::Succeeded
    } else {
        let next = retry::next(mode, delivery.tries, delivery.first_due, now).filter(|_| delivery.automatic);
        next.map_or(Progress::Failed, |due| Progress::Waiting { due })
    };
    state.deliveries.attempts.push(attempt);
}

/// Shuffles by Fisher and Yates, with numbers that depend only on the seed.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let other = usize::try_from(mixed % (last as u64 + 1)).unwrap_or(0);
        items.swap(last, other);
    }
}
