//! The current state of every object: what Stripe answers when it is asked for one.
//!
//! An event replaces its object whole. A deleted customer stays as `{"id","object","deleted":true}`, a
//! deleted invoice is gone, and a subscription that ended is still there: these differ in Stripe too. What
//! kinds there are, and how one is deleted, is in the product's table of kinds.

use serde_json::{Value, json};
use shared::kind::{Deletion, Effect, Kind, effect};

use crate::ids;

/// One object of an account (`None`: our own).
#[derive(Clone, Debug)]
pub(crate) struct StoredObject {
    pub(crate) account: Option<String>,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) value: Value,
}

impl StoredObject {
    pub(crate) fn is_deleted(&self) -> bool {
        self.value["deleted"] == true
    }
}

/// All objects, in the order in which they were created.
#[derive(Default)]
pub(crate) struct Objects {
    stored: Vec<StoredObject>,
}

impl Objects {
    /// Stores what an event of this type says about its object.
    pub(crate) fn apply(&mut self, event_type: &str, account: Option<&str>, object: &Value) {
        let kind = kind_of(object);
        match kind.filter(|_| effect(event_type) == Some(Effect::Deletion)).map(Kind::deletion) {
            None => self.put(account, object),
            Some(Deletion::StillThere) => {
                let rest = json!({ "id": object["id"], "object": object["object"], "deleted": true });
                self.put(account, &rest);
            }
            Some(Deletion::Never | Deletion::Gone | Deletion::GoneWhile(_)) => {
                self.remove(account, object["id"].as_str().unwrap_or_default());
            }
        }
    }

    /// Stores an object as it is. One without an id (a preview) or of no kind that can be fetched is ignored.
    pub(crate) fn put(&mut self, account: Option<&str>, object: &Value) {
        let (Some(id), Some(kind)) = (object["id"].as_str(), kind_of(object)) else { return };
        match self.stored.iter_mut().find(|stored| stored.account.as_deref() == account && stored.id == id) {
            Some(stored) => stored.value = object.clone(),
            None => self.stored.push(StoredObject {
                account: account.map(str::to_owned),
                id: id.to_owned(),
                kind,
                value: object.clone(),
            }),
        }
    }

    /// Removes an object, and returns whether there was one.
    pub(crate) fn remove(&mut self, account: Option<&str>, id: &str) -> bool {
        let before = self.stored.len();
        self.stored.retain(|stored| stored.account.as_deref() != account || stored.id != id);
        self.stored.len() < before
    }

    pub(crate) fn get(&self, account: Option<&str>, id: &str) -> Option<&StoredObject> {
        self.stored.iter().find(|stored| stored.account.as_deref() == account && stored.id == id)
    }

    /// Returns all of one kind, the newest second first; within one, in no order that means anything.
    pub(crate) fn newest_first(&self, account: Option<&str>, kind: Kind) -> Vec<&StoredObject> {
        let mut found: Vec<_> = self
            .stored
            .iter()
            .filter(|stored| stored.account.as_deref() == account && stored.kind == kind)
            .collect();
        let second = |stored: &StoredObject| stored.value["created"].as_i64();
        found.sort_by_key(|stored| (std::cmp::Reverse(second(stored)), ids::place_in_second(&stored.id)));
        found
    }
}

/// The kind of an object that can be fetched and listed.
fn kind_of(object: &Value) -> Option<Kind> {
    Kind::from_object_name(object["object"].as_str()?)
}
