//! The current state of every object: what Stripe answers when it is asked for one.
//!
//! An event replaces its object whole. A deleted customer stays as `{"id","object","deleted":true}`, a deleted invoice
//! is gone, and a subscription that ended is still there: these differ in Stripe too.

use serde_json::{Value, json};

/// A kind of object that can be fetched and listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// As in `"object": "…"`.
    pub(crate) name: &'static str,
    /// As in the path.
    pub(crate) plural: &'static str,
    /// As in the message about a missing one.
    pub(crate) words: &'static str,
    /// The fields by which a list can be narrowed.
    pub(crate) filters: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind { name: "customer", plural: "customers", words: "customer", filters: &["email"] },
    Kind {
        name: "subscription",
        plural: "subscriptions",
        words: "subscription",
        filters: &["customer", "collection_method", "status"],
    },
    Kind {
        name: "invoice",
        plural: "invoices",
        words: "invoice",
        filters: &["customer", "collection_method", "status"],
    },
    Kind {
        name: "invoice_payment",
        plural: "invoice_payments",
        words: "invoice payment",
        filters: &["invoice", "status"],
    },
    Kind {
        name: "payment_intent",
        plural: "payment_intents",
        words: "payment_intent",
        filters: &["customer"],
    },
    Kind { name: "charge", plural: "charges", words: "charge", filters: &["customer", "payment_intent"] },
    Kind { name: "refund", plural: "refunds", words: "refund", filters: &["charge", "payment_intent"] },
    Kind { name: "dispute", plural: "disputes", words: "dispute", filters: &["charge", "payment_intent"] },
];

impl Kind {
    pub(crate) fn of_plural(plural: &str) -> Option<Self> {
        KINDS.iter().copied().find(|kind| kind.plural == plural)
    }

    fn of(object: &Value) -> Option<Self> {
        KINDS.iter().copied().find(|kind| object["object"] == kind.name)
    }
}

/// One object of an account (`None`: our own).
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) account: Option<String>,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) value: Value,
}

impl Stored {
    pub(crate) fn is_deleted(&self) -> bool {
        self.value["deleted"] == true
    }
}

/// All objects, in the order in which they came to be.
#[derive(Default)]
pub(crate) struct Objects {
    stored: Vec<Stored>,
}

impl Objects {
    /// Keeps what an event of this type says about its object.
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

    /// Keeps an object as it is. One without an id (a preview) or of no kind that can be fetched is passed over.
    pub(crate) fn put(&mut self, account: Option<&str>, object: &Value) {
        let (Some(id), Some(kind)) = (object["id"].as_str(), Kind::of(object)) else { return };
        match self.stored.iter_mut().find(|stored| stored.account.as_deref() == account && stored.id == id) {
            Some(stored) => stored.value = object.clone(),
            None => self.stored.push(Stored {
                account: account.map(str::to_owned),
                id: id.to_owned(),
                kind,
                value: object.clone(),
            }),
        }
    }

    /// Forgets an object; whether there was one.
    pub(crate) fn remove(&mut self, account: Option<&str>, id: &str) -> bool {
        let before = self.stored.len();
        self.stored.retain(|stored| stored.account.as_deref() != account || stored.id != id);
        self.stored.len() < before
    }

    pub(crate) fn get(&self, account: Option<&str>, id: &str) -> Option<&Stored> {
        self.stored.iter().find(|stored| stored.account.as_deref() == account && stored.id == id)
    }

    /// All of one kind, newest first.
    pub(crate) fn newest_first(&self, account: Option<&str>, kind: Kind) -> Vec<&Stored> {
        let mut found: Vec<_> = self
            .stored
            .iter()
            .rev()
            .filter(|stored| stored.account.as_deref() == account && stored.kind == kind)
            .collect();
        // A stable sort: of two made in one second the later one stays first.
        found.sort_by_key(|stored| std::cmp::Reverse(stored.value["created"].as_i64()));
        found
    }
}
