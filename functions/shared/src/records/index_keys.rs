//! What a record is listed under: its kind, its customer, its payment, its invoice.
//!
//! Any reference may be an id, an expanded object or null, and an invoice payment names what paid it one
//! level down (since API 2025-03-31).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::open::OpenReason;
use crate::account::AccountKey;
use crate::kind;
use crate::kind::reference_id as id;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixSeconds;

/// Shards of a kind in index `by_kind`.
pub(super) const KIND_SHARDS: u8 = 4;

/// The keys of a record in the indexes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKeys {
    by_kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_customer: Option<String>,
    /// Whether that is whom the object named once; now it names none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    former_customer: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_payment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_invoice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_payout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<OpenReason>,
    sort: String,
}

impl IndexKeys {
    /// Takes the other's place in lists if that is the earlier one: the place of what does not say when it
    /// was made is a guess, and never too early.
    pub(super) fn use_earlier_position(&mut self, other: &Self) {
        if other.sort < self.sort {
            self.sort.clone_from(&other.sort);
        }
    }

    pub(super) fn sort(&self) -> &str {
        &self.sort
    }

    /// Stays listed under the customer of the other, unless it is listed under one itself.
    pub(super) fn keep_customer(&mut self, other: &Self) {
        if self.by_customer.is_none() && other.by_customer.is_some() {
            self.by_customer.clone_from(&other.by_customer);
            self.former_customer = true;
        }
    }

    /// Lists it under a customer whom it named once, unless it is listed under one.
    pub(super) fn list_under_former_customer(&mut self, key: &ObjectKey, customer: &str) {
        if self.by_customer.is_none() {
            self.by_customer = Some(owner(key.account_key(), customer));
            self.former_customer = true;
        }
    }

    pub(super) fn has_customer(&self) -> bool {
        self.by_customer.is_some()
    }

    pub(super) fn is_of_former_customer(&self) -> bool {
        self.former_customer
    }

    /// Lists a balance transaction under its payout.
    pub(super) fn list_under_payout(&mut self, key: &ObjectKey, payout: Option<&str>) {
        self.by_payout = payout.map(|payout| owner(key.account_key(), payout));
    }

    pub(super) fn names_payment(&self) -> bool {
        self.by_payment.is_some()
    }

    /// Reads an object's references. It is sorted by when it was made: `created`, or `date` in invoices of
    /// before API 2019-03-14. What says neither (a deleted customer in three fields) is sorted by `as_of`,
    /// unless another event of it says more.
    pub(super) fn new(key: &ObjectKey, object: &Value, as_of: UnixSeconds) -> Self {
        let created = made_at(object).unwrap_or(as_of);
        let shard = Sha256::digest(key.id())[0] % KIND_SHARDS;
        let owned = |id: Option<&str>| id.map(|id| owner(key.account_key(), id));
        let kind = key.kind();
        let named = |member: &str| id(kind::member(object, member)?);
        let part_of = kind.and_then(|kind| kind.part_of().iter().find_map(|whole| named(whole.member)));
        let customer = kind
            .filter(|kind| part_of.is_none() || !kind.is_listed_by_payment_alone())
            .and_then(|kind| kind.customer_members().iter().find_map(|member| named(member)));
        let invoice = kind.and_then(|kind| kind.invoice_members().iter().find_map(|member| named(member)));
        Self {
            by_kind: kind_key(key.object(), shard),
            by_customer: owned(customer),
            former_customer: false,
            by_payment: owned(part_of),
            by_invoice: owned(invoice),
            by_payout: None,
            open: None,
            sort: format!(
                "{}#{}",
                position_of_second(key.object(), created),
                owner(key.account_key(), key.id())
            ),
        }
    }
}

/// When Stripe made an object, by the object itself: `created`, or `date` in invoices of before API
/// 2019-03-14 and in invoice items; none if it says neither.
pub fn made_at(object: &Value) -> Option<UnixSeconds> {
    object["created"].as_i64().or(object["date"].as_i64()).map(UnixSeconds::new)
}

/// What the positions in lists of what was made in a second begin with.
pub(super) fn position_of_second(object: &str, second: UnixSeconds) -> String {
    format!("{object}#{:012}", second.get())
}

pub(super) fn kind_key(object: &str, shard: u8) -> String {
    format!("{object}#{shard}")
}

pub(super) fn owner(account: &AccountKey, id: &str) -> String {
    format!("{account}/{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(object: &str, fields: Value) -> (Option<String>, Option<String>) {
        let keys = IndexKeys::new(
            &ObjectKey::new(Some("acct_1"), object, "x_1").unwrap(),
            &fields,
            UnixSeconds::new(7),
        );
        (keys.by_customer, keys.by_payment)
    }

    #[test]
    fn references_are_read_as_ids_and_expanded() {
        let both = (Some("acct_1/cus_1".to_owned()), Some("acct_1/pi_1".to_owned()));
        assert_eq!(keys("charge", json!({"customer": "cus_1", "payment_intent": {"id": "pi_1"}})), both);
        assert_eq!(keys("charge", json!({"customer": {"id": "cus_1"}, "payment_intent": "pi_1"})), both);
        assert_eq!(keys("charge", json!({"customer": null, "payment_intent": ""})), (None, None));
    }

    #[test]
    fn what_has_no_payment_is_listed_under_its_charge() {
        let under = |id: &str| (None, Some(format!("acct_1/{id}")));
        assert_eq!(keys("refund", json!({"charge": "ch_1", "payment_intent": null})), under("ch_1"));
        assert_eq!(keys("dispute", json!({"charge": "ch_1", "payment_intent": "pi_1"})), under("pi_1"));
        assert_eq!(
            keys("invoice_payment", json!({"payment": {"type": "charge", "charge": "ch_1"}})),
            under("ch_1")
        );
    }

    #[test]
    fn a_refund_of_a_cash_balance_is_listed_under_its_customer_and_no_other_refund_is() {
        let customer = Some("acct_1/cus_1".to_owned());
        assert_eq!(
            keys("refund", json!({"customer": "cus_1", "payment_intent": null, "charge": null})),
            (customer, None)
        );
        for names_its_payment in [
            json!({"customer": "cus_1", "payment_intent": "x"}),
            json!({"customer": {"id": "cus_1"}, "charge": "x"}),
        ] {
            assert_eq!(keys("refund", names_its_payment), (None, Some("acct_1/x".to_owned())));
        }
    }

    #[test]
    fn what_joins_an_invoice_with_its_payment_is_listed_under_the_invoice() {
        let by_invoice = |object: &str, fields: Value| {
            let key = ObjectKey::new(None, object, "x_1").unwrap();
            IndexKeys::new(&key, &fields, UnixSeconds::new(7)).by_invoice
        };
        for object in ["invoice_payment", "payment_intent", "charge"] {
            for invoice in [json!("in_1"), json!({"id": "in_1"})] {
                assert_eq!(by_invoice(object, json!({"invoice": invoice})), Some("-/in_1".to_owned()));
            }
            assert_eq!(by_invoice(object, json!({"invoice": null})), None);
        }
        assert_eq!(by_invoice("subscription", json!({"invoice": "in_1"})), None);
    }

    #[test]
    fn an_object_is_sorted_by_when_it_was_made_or_else_by_its_event() {
        let key = ObjectKey::new(None, "customer", "cus_1").unwrap();
        let invoice = ObjectKey::new(None, "invoice", "in_1").unwrap();
        for made in ["created", "date"] {
            assert_eq!(
                IndexKeys::new(&invoice, &json!({ made: 5 }), UnixSeconds::new(7)).sort,
                "invoice#000000000005#-/in_1"
            );
        }
        assert_eq!(
            IndexKeys::new(&key, &json!({"deleted": true}), UnixSeconds::new(7)).sort,
            "customer#000000000007#-/cus_1"
        );
    }
}
