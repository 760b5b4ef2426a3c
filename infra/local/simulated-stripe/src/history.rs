//! Histories: what Stripe tells of an object's life, and how the object stands in the end.
//!
//! A life is a pure function of its plan, and a plan is made of small drawn numbers. So a property test can draw and shrink lives,
//! and a long run can draw them from a seed.
//!
//! They are honest: each kind goes only where Stripe's objects go (`kinds`), each change is told in events as Stripe writes them
//! (`telling`), in the version of the day (`version`). And they are as unkind as Stripe can be: many changes share a second, one
//! change is told twice, an event may not say what it replaced, a value comes back to where it was, and ids say nothing of the
//! order.

mod change;
mod kinds;
mod telling;
mod version;

use serde_json::{Value, json};

use self::change::{Change, Outcome};
pub use self::kinds::Kind;
pub use self::telling::{Expected, Told};
pub use self::version::Version;

/// What is drawn of a life.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The kind of object.
    pub kind: Kind,
    /// Makes its id, together with the kind.
    pub number: usize,
    /// The connected account it is of; `None` is our own.
    pub account: Option<&'static str>,
    /// When it begins, in unix seconds.
    pub begins: i64,
    /// Which of the ways to begin that its kind has.
    pub birth: u8,
    /// The version that events are rendered in at first.
    pub version: Version,
    /// From which the ids of events are made.
    pub seed: u64,
    /// What happens.
    pub steps: Vec<Step>,
}

/// One thing that may happen to an object.
#[derive(Debug, Clone)]
pub struct Step {
    /// Seconds since the one before.
    pub after: u8,
    /// Which of the changes that are possible now.
    pub pick: u8,
    /// What a plain value becomes: 0, 1 or 2.
    pub value: u8,
    /// In which of its event types the change is told, and whether they say what it replaced.
    pub told: u8,
    /// Does an event come along that reports no change?
    pub noticed: bool,
    /// The version that events are rendered in from now on, if it changes.
    pub version: Option<Version>,
}

/// An object's life.
#[derive(Debug, Clone)]
pub struct Life {
    /// The kind of object.
    pub kind: Kind,
    /// Its account.
    pub account: Option<&'static str>,
    /// Its id.
    pub id: String,
    /// What Stripe tells of it, in the order in which it happened.
    pub events: Vec<Told>,
    state: Value,
    end: Outcome,
}

impl Life {
    /// The life that a plan makes.
    pub fn of(plan: &Plan) -> Self {
        Self::up_to(plan, usize::MAX)
    }

    /// The same, ended by the step that reaches `most` events.
    pub fn up_to(plan: &Plan, most: usize) -> Self {
        let id = plan.kind.id(plan.number);
        let (state, born) = plan.kind.born(&id, plan);
        let mut life = Self {
            kind: plan.kind,
            account: plan.account,
            id,
            events: Vec::new(),
            state,
            end: Outcome::Changed,
        };
        let (mut at, mut version) = (plan.begins, plan.version);
        let first = Change::of(json!({})).own(born);
        life.tell(plan, &first, None, at, version, 0);
        for step in &plan.steps {
            if life.events.len() >= most || life.end != Outcome::Changed {
                break;
            }
            at += i64::from(step.after);
            version = step.version.unwrap_or(version);
            life.live(plan, step, at, version);
        }
        life
    }

    /// A life of our own account that is told by hand, and ends so.
    pub fn told(kind: Kind, end: &Value, events: Vec<Told>) -> Self {
        let id = end["id"].as_str().unwrap_or_default().to_owned();
        Self { kind, account: None, id, events, state: end.clone(), end: Outcome::Changed }
    }

    fn live(&mut self, plan: &Plan, step: &Step, at: i64, version: Version) {
        let possible = self.kind.changes(&self.state, step.value % 3);
        if let Some(change) = possible.get(usize::from(step.pick) % possible.len().max(1)) {
            let before = self.state.clone();
            change.make(&mut self.state);
            self.end = change.outcome;
            if before != self.state || change.outcome != Outcome::Changed || change.is_told_anyway {
                self.tell(plan, change, Some(&before), at, version, step.told);
            }
        }
        if step.noticed && self.end == Outcome::Changed {
            let notices = self.kind.notices(&self.id, &self.state);
            if let Some(notice) = notices.get(usize::from(step.value) % notices.len().max(1)) {
                self.events.push(telling::notice(self, plan.seed, notice, at, version));
            }
        }
    }

    fn tell(
        &mut self,
        plan: &Plan,
        change: &Change,
        before: Option<&Value>,
        at: i64,
        version: Version,
        told: u8,
    ) {
        for (event_type, says) in change.types(told) {
            let told = telling::change(self, plan.seed, event_type, before.filter(|_| says), at, version);
            self.events.push(told);
        }
    }

    /// How it stands in the end, in a version. None if it is gone, so that Stripe no longer knows it.
    pub fn end_in(&self, version: Version) -> Option<Value> {
        match self.end {
            Outcome::Changed => Some(self.kind.render(version, &self.state)),
            Outcome::Deleted => Some(json!({ "id": self.id, "object": self.kind.object(), "deleted": true })),
            Outcome::Gone => None,
        }
    }

    /// Does it end deleted?
    pub fn is_deleted(&self) -> bool {
        self.end != Outcome::Changed
    }
}
