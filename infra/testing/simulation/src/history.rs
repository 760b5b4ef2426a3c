//! Histories: the events that Stripe sends about one object over its life, and the object in the end.
//!
//! A history is a pure function of its plan, and a plan is made of small drawn numbers. So a property test
//! can draw and shrink histories, and a large run can draw them from a seed.
//!
//! They are realistic: each kind of object takes only the states that Stripe's do (`object_kind`), each
//! change is sent in the events that Stripe writes (`event`), in the API version of that time
//! (`api_version`). And they are as hard as Stripe's can be: many changes share a second, one change comes in
//! two events, an event may not say what it replaced, a value returns to what it was, and ids do not follow
//! the order, addresses are signed anew in each rendering, and values come and go in any map.

mod api_version;
mod change;
mod event;
mod object_kind;
mod rendering;

use serde_json::{Value, json};

pub use self::api_version::ApiVersion;
use self::change::{Existence, ObjectChange};
pub use self::event::{ExpectedOutcome, HistoryEvent};
pub use self::object_kind::ObjectKind;
pub use self::rendering::unsigned;

/// What is drawn for a history.
#[derive(Debug, Clone)]
pub struct HistoryPlan {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Makes its id, together with the kind.
    pub number: usize,
    /// The connected account it belongs to; `None` is our own.
    pub account: Option<&'static str>,
    /// When it is created, in unix seconds.
    pub created_at: i64,
    /// Selects among the initial states of its kind.
    pub variant: u8,
    /// The version in which events are rendered at first.
    pub version: ApiVersion,
    /// From which the ids of events are made.
    pub seed: u64,
    /// The changes that may follow.
    pub steps: Vec<PlannedStep>,
}

/// One change that may happen to an object.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Seconds since the step before.
    pub after: u8,
    /// Selects among the changes that are possible then.
    pub choice: u8,
    /// What a plain value becomes: 0, 1 or 2.
    pub value: u8,
    /// Selects in which of its event types the change is sent, and whether they say what it replaced.
    pub event_types: u8,
    /// Whether an event without a change follows.
    pub has_notice: bool,
    /// The version in which events are rendered from now on, if it changes.
    pub version: Option<ApiVersion>,
}

/// The history of one object.
#[derive(Debug, Clone)]
pub struct ObjectHistory {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Its account.
    pub account: Option<&'static str>,
    /// Its id.
    pub id: String,
    /// The events about it, in the order in which they happened.
    pub events: Vec<HistoryEvent>,
    state: Value,
    existence: Existence,
}

impl ObjectHistory {
    /// Returns the history that a plan makes.
    pub fn new(plan: &HistoryPlan) -> Self {
        Self::with_limit(plan, usize::MAX)
    }

    /// Returns the history that a plan makes, ended by the step that reaches `limit` events.
    pub fn with_limit(plan: &HistoryPlan, limit: usize) -> Self {
        let id = plan.kind.id(plan.number);
        let (state, event_types) = plan.kind.initial(&id, plan);
        let mut history = Self {
            kind: plan.kind,
            account: plan.account,
            id,
            events: Vec::new(),
            state,
            existence: Existence::Exists,
        };
        let (mut at, mut version) = (plan.created_at, plan.version);
        let creation = ObjectChange::new(json!({})).own(&event_types);
        history.send(plan, &creation, None, at, version, 0);
        for step in &plan.steps {
            let ends = history.is_deleted() && !(plan.kind.ids_are_used_again() && step.choice % 2 == 0);
            if history.events.len() >= limit || ends {
                break;
            }
            at += i64::from(step.after);
            version = step.version.unwrap_or(version);
            if history.is_deleted() {
                history.make_again(plan, step, at, version);
            } else {
                history.apply(plan, step, at, version);
            }
        }
        history
    }

    /// Returns a history of our own account from given events, with the object in the end.
    pub fn from_events(kind: ObjectKind, end: &Value, events: Vec<HistoryEvent>) -> Self {
        let id = end["id"].as_str().unwrap_or_default().to_owned();
        Self { kind, account: None, id, events, state: end.clone(), existence: Existence::Exists }
    }

    /// Makes another object under the id of the one that was deleted.
    fn make_again(&mut self, plan: &HistoryPlan, step: &PlannedStep, at: i64, version: ApiVersion) {
        let again = HistoryPlan { created_at: at, variant: step.event_types, ..plan.clone() };
        let (state, event_types) = plan.kind.initial(&self.id, &again);
        (self.state, self.existence) = (state, Existence::Exists);
        self.send(plan, &ObjectChange::new(json!({})).own(&event_types), None, at, version, 0);
    }

    fn apply(&mut self, plan: &HistoryPlan, step: &PlannedStep, at: i64, version: ApiVersion) {
        let possible = self.kind.changes(&self.state, step.value % 3);
        if let Some(change) = possible.get(usize::from(step.choice) % possible.len().max(1)) {
            let before = self.state.clone();
            change.apply(&mut self.state);
            self.existence = change.existence;
            if before != self.state || self.is_deleted() || change.is_always_sent {
                self.send(plan, change, Some(&before), at, version, step.event_types);
            }
        }
        if step.has_notice && !self.is_deleted() {
            let notices = self.kind.notices(&self.id, &self.state);
            if let Some(notice) = notices.get(usize::from(step.value) % notices.len().max(1)) {
                self.events.push(event::from_notice(self, plan.seed, notice, at, version));
            }
        }
    }

    fn send(
        &mut self,
        plan: &HistoryPlan,
        change: &ObjectChange,
        before: Option<&Value>,
        at: i64,
        version: ApiVersion,
        selection: u8,
    ) {
        for (event_type, has_previous) in change.event_types(selection) {
            let before = before.filter(|_| has_previous);
            self.events.push(event::from_change(self, plan.seed, event_type, before, at, version));
        }
    }

    /// Returns the object in the end, in a version. `None` if it is gone, so that Stripe no longer knows it.
    pub fn end_in(&self, version: ApiVersion) -> Option<Value> {
        match self.existence {
            Existence::Exists => Some(self.kind.render(version, &self.state)),
            Existence::Deleted => {
                Some(json!({ "id": self.id, "object": self.kind.object(), "deleted": true }))
            }
            Existence::Gone => None,
        }
    }

    /// Whether it ends deleted.
    pub fn is_deleted(&self) -> bool {
        self.existence != Existence::Exists
    }
}
