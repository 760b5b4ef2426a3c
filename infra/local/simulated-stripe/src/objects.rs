//! The current state of every object: what Stripe answers when it is asked for one.
//!
//! An event replaces its object whole. A deleted customer stays as `{"id","object","deleted":true}`, a
//! deleted invoice is gone, and a subscription that ended is still there: these differ in Stripe too. What
//! kinds there are, and how one is deleted, is in the product's table of kinds.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

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

/// The member of a stored balance transaction that names its payout. Stripe does not show it: it lists the
/// transactions of a payout.
pub(crate) const PAYOUT_OF_TRANSACTION: &str = "_payout";

/// An object's account and id.
type Name = (Option<String>, String);

/// All objects.
#[derive(Default)]
pub(crate) struct Objects {
    stored: HashMap<Name, StoredObject>,
    /// The ids of each kind, as they are listed.
    lists: HashMap<(Option<String>, Kind), BTreeSet<ListPlace>>,
}

/// The newest second first; within one, in no order that means anything.
type ListPlace = (Reverse<Option<i64>>, u32, String);

fn list_place(object: &StoredObject) -> ListPlace {
    (Reverse(object.value["created"].as_i64()), ids::place_in_second(&object.id), object.id.clone())
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
        let (account, id) = (account.map(str::to_owned), id.to_owned());
        self.remove(account.as_deref(), &id);
        let object = StoredObject { account: account.clone(), id: id.clone(), kind, value: object.clone() };
        self.lists.entry((account.clone(), kind)).or_default().insert(list_place(&object));
        self.stored.insert((account, id), object);
    }

    /// Removes an object, and returns whether there was one.
    pub(crate) fn remove(&mut self, account: Option<&str>, id: &str) -> bool {
        let Some(object) = self.stored.remove(&name(account, id)) else { return false };
        if let Some(list) = self.lists.get_mut(&(object.account.clone(), object.kind)) {
            list.remove(&list_place(&object));
        }
        true
    }

    pub(crate) fn get(&self, account: Option<&str>, id: &str) -> Option<&StoredObject> {
        self.stored.get(&name(account, id))
    }

    /// Returns all of one kind, the newest second first; within one, in no order that means anything.
    pub(crate) fn newest_first(&self, account: Option<&str>, kind: Kind) -> Vec<&StoredObject> {
        let list = self.lists.get(&(account.map(str::to_owned), kind)).into_iter().flatten();
        list.filter_map(|(_, _, id)| self.get(account, id)).collect()
    }
}

fn name(account: Option<&str>, id: &str) -> Name {
    (account.map(str::to_owned), id.to_owned())
}

/// The kind of an object that can be fetched and listed.
fn kind_of(object: &Value) -> Option<Kind> {
    Kind::from_object_name(object["object"].as_str()?)
}
