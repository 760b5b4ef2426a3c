//! Deliveries: which endpoint gets which event, when it is tried again, and what came of it.
//!
//! Each event and endpoint that match make one automatic delivery, which goes on until it is answered 2xx or its tries
//! are used up. A resend by hand, or a repeat that was asked for, is tried once and changes nothing about the automatic
//! one: at Stripe too, only an automatic try that succeeds ends the retries.

pub(crate) mod courier;
mod retry;

use serde::{Deserialize, Serialize};

use crate::events::Event;
use crate::world::World;

/// How deliveries are bent out of shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    /// How often each delivery is sent: 1, or more for duplicates.
    pub repeat: u32,
    /// How many seconds after the event it becomes due.
    pub delay: i64,
    /// Sends what is due in an order shuffled by this seed.
    pub shuffle: Option<u64>,
    /// Types (exact, or `prefix.*`) that are listed but never sent.
    pub drop: Vec<String>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { repeat: 1, delay: 0, shuffle: None, drop: Vec::new() }
    }
}

/// One try at a delivery, and what came of it.
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

/// A try that is to be made now.
pub(crate) struct Job {
    index: usize,
    url: String,
    body: String,
    secret: String,
    /// Filled in as it goes.
    attempt: Attempt,
}

/// All deliveries, and the log of tries.
#[derive(Default)]
pub(crate) struct Deliveries {
    all: Vec<Delivery>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) habits: Habits,
}

impl Deliveries {
    /// To how many endpoints this event has yet to be delivered, those included where it failed for good.
    pub(crate) fn pending(&self, event: &str) -> usize {
        let open = |delivery: &&Delivery| {
            delivery.event == event && delivery.automatic && delivery.progress != Progress::Succeeded
        };
        self.all.iter().filter(open).count()
    }

    pub(crate) fn resend(&mut self, event: &str, endpoint: &str, now: i64) {
        self.push(event, endpoint, false, now);
    }

    /// When the next one becomes due.
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

/// Makes the deliveries of a new event. Endpoints added later do not get it.
pub(crate) fn enqueue(world: &mut World, event: &Event) {
    let habits = world.deliveries.habits.clone();
    if habits.drop.iter().any(|pattern| matches_type(pattern, &event.kind)) {
        return;
    }
    let due = world.clock.now() + habits.delay;
    let wanting =
        world.endpoints.iter().filter(|endpoint| endpoint.wants(&event.kind, event.account.is_some()));
    for endpoint in wanting {
        for copy in 0..habits.repeat {
            world.deliveries.push(&event.id, &endpoint.id, copy == 0, due);
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
pub(crate) fn take_due(world: &mut World) -> Vec<Job> {
    let now = world.clock.now();
    let mut due: Vec<(i64, usize)> = Vec::new();
    for (index, delivery) in world.deliveries.all.iter().enumerate() {
        if let Progress::Waiting { due: at } = delivery.progress
            && at <= now
        {
            due.push((at, index));
        }
    }
    due.sort_unstable();
    if let Some(seed) = world.deliveries.habits.shuffle {
        shuffle(&mut due, seed);
    }
    due.into_iter().filter_map(|(_, index)| job(world, index, now)).collect()
}

/// `None` where the endpoint is gone or disabled: then there are no more tries of this event.
fn job(world: &mut World, index: usize, now: i64) -> Option<Job> {
    let delivery = &mut world.deliveries.all[index];
    let endpoint =
        world.endpoints.iter().find(|endpoint| endpoint.id == delivery.endpoint && !endpoint.disabled);
    let (Some(endpoint), Some(event)) = (endpoint, world.events.get(&delivery.event)) else {
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
    let pending = world.deliveries.pending(&event.id);
    let body = event.delivered(endpoint.api_version.as_deref(), pending);
    Some(Job { index, url: endpoint.url.clone(), body, secret: endpoint.secret.clone(), attempt })
}

/// Notes what came of a try, and when the next one is due.
pub(crate) fn record(world: &mut World, index: usize, attempt: Attempt) {
    let mode = world.options.mode;
    let now = world.clock.now();
    let delivery = &mut world.deliveries.all[index];
    delivery.progress = if attempt.is_success() {
        Progress::Succeeded
    } else {
        let next = retry::next(mode, delivery.tries, delivery.first_due, now).filter(|_| delivery.automatic);
        next.map_or(Progress::Failed, |due| Progress::Waiting { due })
    };
    world.deliveries.attempts.push(attempt);
}

/// Fisher and Yates, with numbers that depend only on the seed.
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
