//! How a row's state changes: by transitions of the program, and by an admin who replays or discards it.
//!
//! Each change is one write under a condition: the program's, that the row is not final; an admin's, that it
//! is in the state the admin saw; both, that nobody has tried or changed it since (`attempts`, `marked_at`).
//! What a row was before it came to be what it is stays in `history`, so that each change can be explained;
//! for most rows, which are applied at once, that is nothing.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::row::{self, LedgerRow, PastState, SWEEP_GRACE};
use super::{EventState, Ledger, Retention, number};
use crate::aws::{StoreError, error_chain};
use crate::event::{self, ParsedEvent};
use crate::object_key::ObjectKey;
use crate::unix_time::{UnixMillis, UnixSeconds};

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transitioned {
    /// The row says so now.
    Done,
    /// The row is no longer as it was read. Nothing was changed.
    Conflict,
}

/// A state to put a row into, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state.
    pub state: EventState,
    /// Why.
    pub reason: Option<String>,
    /// When it is to be tried next: for `failed`.
    pub due_at: Option<Timestamp>,
}

impl Transition {
    /// A transition that needs no reason.
    pub fn to(state: EventState) -> Self {
        Self { state, reason: None, due_at: None }
    }

    /// A transition with its reason.
    pub fn with_reason(state: EventState, reason: impl Into<String>) -> Self {
        Self { state, reason: Some(reason.into()), due_at: None }
    }
}

/// Who changes a row by hand, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    /// An admin's address, or else the subject of the token.
    pub by: &'a str,
    /// In their own words.
    pub why: Option<&'a str>,
}

/// The part that lists a row under a second object; the payload's own are numbered far above.
pub(super) const ALSO_LISTED: u64 = 1;

impl Ledger {
    /// Puts a row into a state, if it is still open and nobody has tried it since it was read. A final state
    /// sets its expiry.
    ///
    /// # Errors
    /// If the row could not be written, or it is not known whether it was.
    pub async fn transition(
        &self,
        row: &LedgerRow,
        to: &Transition,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Transitioned, StoreError> {
        let mut update = Update::to_state(row, to.state, to.due_at, now);
        update.set_or_remove("reason", to.reason.as_deref().map(text));
        update.remove("by");
        let gone_at = (!to.state.is_open()).then(|| retention.expires_at(now));
        if let Some(at) = gone_at {
            update.set("expires_at", number(at));
        }
        let request = while_open(update.on(self.update(&row.id, 0)), row);
        // A transition whose answer got lost counts as a conflict: whoever made it, the row is in that state.
        let outcome = transitioned(request.send().await, |_| false, "changing the state of an event")?;
        if let (Transitioned::Done, Some(at)) = (outcome, gone_at) {
            self.expire_parts(row, at, now).await;
        }
        Ok(outcome)
    }

    /// Takes a row to try it: counts the attempt and moves its due time, so that nobody else takes it before
    /// `due_at`, and so that an event which kills its process is counted too. Gives the row as it stands
    /// then.
    ///
    /// # Errors
    /// If the row could not be written, or it is not known whether it was.
    pub async fn claim(&self, row: &LedgerRow, due_at: Timestamp) -> Result<Option<LedgerRow>, StoreError> {
        let attempts = row.attempts + 1;
        let taken_by = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        let mut update = Update::default();
        update.set("attempts", number(attempts));
        update.set("due_at", number(due_at.as_millisecond()));
        update.set("taken_by", text(&taken_by));
        let request = while_open(update.on(self.update(&row.id, 0)), row);
        let is_ours = |old: &LedgerRow| old.taken_by.as_deref() == Some(&taken_by);
        Ok(match transitioned(request.send().await, is_ours, "claiming an event")? {
            Transitioned::Done => {
                let mut claimed = row.clone();
                claimed.attempts = attempts;
                claimed.due_at = Some(UnixMillis::from(due_at));
                Some(claimed)
            }
            Transitioned::Conflict => None,
        })
    }

    /// Has a row applied again, whatever became of it, with all its attempts before it. It does not expire
    /// until it is final.
    ///
    /// # Errors
    /// If the row could not be written, or it is not known whether it was. Doing it again is always right.
    pub async fn replay(
        &self,
        row: &LedgerRow,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<Transitioned, StoreError> {
        let doing = "replaying an event";
        self.set_parts_expiry(row, None).await?;
        let mut update = Update::to_state(row, EventState::Pending, Some(now + SWEEP_GRACE), now);
        update.set("attempts", number(0));
        update.set("by", text(actor.by));
        update.set_or_remove("reason", actor.why.map(text));
        update.remove("expires_at");
        if row.event_type.is_none() {
            self.set_parsed_fields(row, &mut update, now).await?;
        }
        let request = while_as_read(update.on(self.update(&row.id, 0)), row);
        transitioned(request.send().await, |old| old.was_changed_by(actor.by, now), doing)
    }

    /// Closes a row without applying it.
    ///
    /// # Errors
    /// If the row could not be written, or it is not known whether it was. Doing it again is always right.
    pub async fn discard(
        &self,
        row: &LedgerRow,
        actor: Actor<'_>,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Transitioned, StoreError> {
        let gone_at = retention.expires_at(now);
        let why = actor.why.map(|why| format!("{}: {why}", row::DISCARDED));
        let mut update = Update::to_state(row, EventState::Ignored, None, now);
        update.set("by", text(actor.by));
        update.set("reason", text(why.as_deref().unwrap_or(row::DISCARDED)));
        update.set("expires_at", number(gone_at));
        let request = while_as_read(update.on(self.update(&row.id, 0)), row);
        let is_ours = |old: &LedgerRow| old.was_changed_by(actor.by, now);
        let outcome = transitioned(request.send().await, is_ours, "discarding an event")?;
        if outcome == Transitioned::Done {
            self.expire_parts(row, gone_at, now).await;
        }
        Ok(outcome)
    }

    /// Lists a row under a second object, as long as a final row is kept: a preview is for a subscription and
    /// for its customer.
    ///
    /// # Errors
    /// If it could not be written. Doing it again is always right.
    pub async fn list_also_under(
        &self,
        row: &LedgerRow,
        object: &ObjectKey,
        retention: Retention,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set("object", AttributeValue::S(object.to_string()));
        update.set("created", number(row.created.unwrap_or(UnixSeconds::new(0))));
        update.set("expires_at", number(retention.expires_at(now)));
        let request = update.on(self.update(&row.id, ALSO_LISTED));
        request.send().await.map_err(StoreError::doing("listing an event under a second object"))?;
        Ok(())
    }

    /// What an earlier version of this program could not read of an event, if this one can.
    async fn set_parsed_fields(
        &self,
        row: &LedgerRow,
        update: &mut Update,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A row of a list comes without its payload.
        let Some(row) = self.get(&row.id, now).await? else { return Ok(()) };
        let Ok(body) = self.body(&row).await? else { return Ok(()) };
        if let ParsedEvent::Event(event) = event::read(&body) {
            update.set("type", text(&event.event_type));
            update.set("created", number(event.created));
            if let Some(object) = event.listed_under() {
                update.set("object", AttributeValue::S(object.to_string()));
            }
        }
        Ok(())
    }

    /// Lets the parts of a payload expire with their row. The row goes first: parts that stay too long cost a
    /// cent, parts that go too early are a lost event. So if the row has been replayed meanwhile, it is taken
    /// back.
    async fn expire_parts(&self, row: &LedgerRow, at: UnixSeconds, now: Timestamp) {
        if row.part_numbers().is_empty() {
            return;
        }
        let done = async {
            self.set_parts_expiry(row, Some(at)).await?;
            let present = self.get(&row.id, now).await?;
            if present.is_none_or(|present| present.expires_at != Some(at)) {
                self.set_parts_expiry(row, None).await?;
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(error = error_chain(&error), event.id = %row.id, "the parts of a payload may not expire with it");
        }
    }

    async fn set_parts_expiry(&self, row: &LedgerRow, at: Option<UnixSeconds>) -> Result<(), StoreError> {
        for part in row.part_numbers() {
            let mut update = Update::default();
            update.set_or_remove("expires_at", at.map(number));
            // Only where there is such a part: an update makes an item where there is none. That one is
            // missing shows when the payload is read.
            let request = update.on(self.update(&row.id, part)).condition_expression("attribute_exists(id)");
            transitioned(request.send().await, |_| false, "changing when a part of an event expires")?;
        }
        Ok(())
    }
}

/// The attributes that an update sets and removes.
#[derive(Debug, Default)]
pub(super) struct Update {
    set: BTreeMap<&'static str, AttributeValue>,
    removed: Vec<&'static str>,
}

impl Update {
    /// The change of a row's state, and what follows from it.
    fn to_state(row: &LedgerRow, to: EventState, due_at: Option<Timestamp>, now: Timestamp) -> Self {
        let mut update = Self::default();
        update.set("state", text(to.as_str()));
        update.set("marked_at", number(now.as_millisecond()));
        match row::open_key(to, &row.id) {
            Some(open) => {
                update.set("open", AttributeValue::S(open));
                update.set("due_at", number(due_at.unwrap_or(now).as_millisecond()));
            }
            None => {
                update.remove("open");
                update.remove("due_at");
            }
        }
        if let Some(history) = row.history_before(to) {
            update.set("history", AttributeValue::L(history.iter().map(PastState::attribute).collect()));
        }
        update
    }

    pub(super) fn set(&mut self, name: &'static str, value: AttributeValue) {
        self.set.insert(name, value);
    }

    pub(super) fn remove(&mut self, name: &'static str) {
        self.removed.push(name);
    }

    pub(super) fn set_or_remove(&mut self, name: &'static str, value: Option<AttributeValue>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    pub(super) fn on(self, mut request: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let assigned: Vec<_> = self.set.keys().map(|name| format!("#{name} = :{name}")).collect();
        let removed: Vec<_> = self.removed.iter().map(|name| format!("#{name}")).collect();
        for name in self.set.keys().chain(&self.removed) {
            request = request.expression_attribute_names(format!("#{name}"), *name);
        }
        for (name, value) in self.set {
            request = request.expression_attribute_values(format!(":{name}"), value);
        }
        let clauses = [("SET", assigned), ("REMOVE", removed)];
        let clauses = clauses.into_iter().filter(|(_, of)| !of.is_empty());
        let expression: Vec<_> = clauses.map(|(verb, of)| format!("{verb} {}", of.join(", "))).collect();
        request.update_expression(expression.join(" "))
    }
}

/// Only while the row is open to the program, and nobody has tried or changed it since it was read.
fn while_open(request: UpdateItemFluentBuilder, row: &LedgerRow) -> UpdateItemFluentBuilder {
    unchanged(request, row, "#was IN (:pending, :failed)")
        .expression_attribute_values(":pending", text(EventState::Pending.as_str()))
        .expression_attribute_values(":failed", text(EventState::Failed.as_str()))
}

/// Only while the row is in the state in which it was read, its payload is there, and nobody has tried or
/// changed it since.
pub(super) fn while_as_read(request: UpdateItemFluentBuilder, row: &LedgerRow) -> UpdateItemFluentBuilder {
    unchanged(request, row, "#was = :was AND attribute_not_exists(erased)")
        .expression_attribute_values(":was", text(row.state.as_str()))
}

/// A state and a number of attempts can come again; the time of the last change does not.
fn unchanged(request: UpdateItemFluentBuilder, row: &LedgerRow, state: &str) -> UpdateItemFluentBuilder {
    let request = request
        .expression_attribute_names("#was", "state")
        .expression_attribute_values(":were", number(row.attempts));
    match row.marked_at {
        None => request.condition_expression(format!(
            "{state} AND attempts = :were AND attribute_not_exists(marked_at)"
        )),
        Some(at) => request
            .condition_expression(format!("{state} AND attempts = :were AND marked_at = :changed"))
            .expression_attribute_values(":changed", number(at)),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(row::truncated(text))
}

/// Reads the answer to a conditional update. One that was done although its answer got lost meets itself when
/// the SDK tries again: `is_ours` decides by what stands there.
pub(super) fn transitioned<T>(
    answer: Result<T, SdkError<UpdateItemError>>,
    is_ours: impl Fn(&LedgerRow) -> bool,
    doing: &'static str,
) -> Result<Transitioned, StoreError> {
    match answer.map_err(SdkError::into_service_error) {
        Ok(_) => Ok(Transitioned::Done),
        Err(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            let old: Option<LedgerRow> = refused.item.and_then(|item| serde_dynamo::from_item(item).ok());
            Ok(if old.as_ref().is_some_and(is_ours) { Transitioned::Done } else { Transitioned::Conflict })
        }
        Err(error) => Err(StoreError::new(doing, error)),
    }
}
