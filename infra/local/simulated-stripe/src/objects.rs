//! The current state of every object: what Stripe answers when it is asked for one.
//!
//! An event replaces its object whole. A deleted customer stays as `{"id","object","deleted":true}`, a
//! deleted invoice is gone, and a subscription that ended is still there: these differ in Stripe too.

use serde_json::{Value, json};

use crate::ids;

/// A kind of object that can be fetched and listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectKind {
    /// As in `"object": "…"`.
    pub(crate) name: &'static str,
    /// As in the path.
    pub(crate) plural: &'static str,
    /// As in the message about a missing one.
    pub(crate) noun: &'static str,
    /// The fields by which a list can be narrowed.
    pub(crate) filters: &'static [&'static str],
}

const KINDS: &[ObjectKind] = &[
    ObjectKind { name: "customer", plural: "customers", noun: "customer", filters: &["email"] },
    ObjectKind {
        name: "subscription",
        plural: "subscriptions",
        noun: "subscription",
        filters: &["customer", "collection_method", "status"],
    },
    ObjectKind {
        name: "invoice",
        plural: "invoices",
        noun: "invoice",
        filters: &["customer", "collection_method", "status"],
    },
    ObjectKind {
        name: "invoice_payment",
        plural: "invoice_payments",
        noun: "invoice payment",
        filters: &["invoice", "status"],
    },
    ObjectKind {
        name: "payment_intent",
        plural: "payment_intents",
        noun: "payment_intent",
        filters: &["customer"],
    },
    ObjectKind {
        name: "charge",
        plural: "charges",
        noun: "charge",
        filters: &["customer", "payment_intent"],
    },
    ObjectKind { name: "refund", plural: "refunds", noun: "refund", filters: &["charge", "payment_intent"] },
    ObjectKind {
        name: "dispute",
        plural: "disputes",
        noun: "dispute",
        filters: &["charge", "payment_intent"],
    },
];

impl ObjectKind {
    pub(crate) fn from_plural(plural: &str) -> Option<Self> {
        KINDS.iter().copied().find(|kind| kind.plural == plural)
    }

    fn from_object(object: &Value) -> Option<Self> {
        KINDS.iter().copied().find(|kind| object["object"] == kind.name)
    }
}

/// One object of an account (`None`: our own).
#[derive(Clone, Debug)]
pub(crate) struct StoredObject {
    pub(crate) account: Option<String>,
    pub(crate) id: String,
    pub(crate) kind: ObjectKind,
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
        match event_type {
            "customer.deleted" => {
                let rest = json!({ "id": object["id"], "object": "customer", "deleted": true });
                self.put(account, &rest);
            }
            "invoice.deleted" => {
                self.remove(account, object["id"].as_str().unwrap_or_default());
            }
            _ => self.put(account, object),
        }
    }

    /// Stores an object as it is. One without an id (a preview) or of no kind that can be fetched is ignored.
    pub(crate) fn put(&mut self, account: Option<&str>, object: &Value) {
        let (Some(id), Some(kind)) = (object["id"].as_str(), ObjectKind::from_object(object)) else { return };
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
    pub(crate) fn newest_first(&self, account: Option<&str>, kind: ObjectKind) -> Vec<&StoredObject> {
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
