//! The kinds of object that are kept as records: one row of a table each, and what follows from it.
//!
//! A kind is added by a row: its events are applied and asked for, its objects are imported, compared, listed
//! and described. Code of its own has only what no table can say, such as the state of a payment.
//!
//! The facts are those of Stripe's API reference and of its official library (stripe-node 23.1).

mod balance;
mod billing;
mod catalog;
mod payments;
mod row;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::row::{Deletion, Effect, ListParams, ListPlace, OwnList, Reference};
use self::row::{KindRow, same_text};

/// All kinds, in the order in which they are shown.
const TABLE: &[&KindRow] = &[
    &billing::CUSTOMER,
    &billing::SUBSCRIPTION,
    &billing::INVOICE,
    &billing::INVOICE_PAYMENT,
    &payments::PAYMENT_INTENT,
    &payments::CHARGE,
    &payments::REFUND,
    &payments::DISPUTE,
    &payments::EARLY_FRAUD_WARNING,
    &payments::REVIEW,
    &payments::CHECKOUT_SESSION,
    &payments::PAYMENT_METHOD,
    &payments::SETUP_INTENT,
    &payments::MANDATE,
    &billing::INVOICE_ITEM,
    &billing::CREDIT_NOTE,
    &billing::QUOTE,
    &billing::SUBSCRIPTION_SCHEDULE,
    &billing::TAX_ID,
    &billing::CREDIT_GRANT,
    &billing::CREDIT_BALANCE_TRANSACTION,
    &billing::CUSTOMER_BALANCE_TRANSACTION,
    &catalog::PRODUCT,
    &catalog::PRICE,
    &catalog::PLAN,
    &catalog::COUPON,
    &catalog::PROMOTION_CODE,
    &catalog::TAX_RATE,
    &catalog::PAYMENT_LINK,
    &catalog::METER,
    &balance::PAYOUT,
    &balance::BALANCE_TRANSACTION,
    &balance::TOPUP,
    &balance::TRANSFER,
    &balance::APPLICATION_FEE,
];

/// How many there are.
#[allow(clippy::cast_possible_truncation, reason = "the next line holds that it does not happen")]
const COUNT: u8 = TABLE.len() as u8;
const _: () = assert!(TABLE.len() < u8::MAX as usize);

/// What an event of each type says of the object that it carries.
static EFFECTS: LazyLock<BTreeMap<&'static str, Effect>> =
    LazyLock::new(|| TABLE.iter().flat_map(|row| row.events).copied().collect());

/// A kind of object that is kept as a record. Written as in `GET /records/{kind}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub struct Kind(u8);

impl Kind {
    /// `customer`
    pub const CUSTOMER: Self = Self::named("customer");
    /// `invoice`
    pub const INVOICE: Self = Self::named("invoice");
    /// `invoice_payment`, which joins an invoice and a payment since API 2025-03-31
    pub const INVOICE_PAYMENT: Self = Self::named("invoice_payment");
    /// `payment_intent`, called a payment here
    pub const PAYMENT: Self = Self::named("payment_intent");
    /// `charge`
    pub const CHARGE: Self = Self::named("charge");
    /// `refund`
    pub const REFUND: Self = Self::named("refund");
    /// `dispute`
    pub const DISPUTE: Self = Self::named("dispute");
    /// `payout`
    pub const PAYOUT: Self = Self::named("payout");
    /// `balance_transaction`
    pub const BALANCE_TRANSACTION: Self = Self::named("balance_transaction");
    /// `customer_balance_transaction`
    pub const CUSTOMER_BALANCE_TRANSACTION: Self = Self::named("customer_balance_transaction");
    /// `subscription`
    pub const SUBSCRIPTION: Self = Self::named("subscription");

    /// The kind of a row of the table; without one the program is not compiled.
    const fn named(object: &str) -> Self {
        let mut index: u8 = 0;
        while !same_text(TABLE[index as usize].object, object) {
            index += 1;
        }
        Self(index)
    }

    /// All kinds, in the order in which they are shown.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..COUNT).map(Self)
    }

    fn row(self) -> &'static KindRow {
        TABLE[usize::from(self.0)]
    }

    /// Stripe's word in the `object` field.
    pub fn object(self) -> &'static str {
        self.row().object
    }

    /// The word in `GET /records/{kind}`.
    pub fn plural(self) -> &'static str {
        self.row().plural
    }

    /// The path below `/v1` at which Stripe lists them, and reads one by its id; none for what Stripe has
    /// below its customer alone.
    pub fn path(self) -> Option<&'static str> {
        self.row().path
    }

    /// The last part of the path below `/v1/customers/{id}` at which Stripe lists those of a customer, if the
    /// account's own lists leave these out.
    pub fn below_customer(self) -> Option<&'static str> {
        self.row().below_customer
    }

    /// What Stripe calls the right of a restricted key to read them, `rak_…`, where that is known: from what
    /// Stripe's refusals name. Refunds go with charges, and what belongs to an invoice with invoices.
    pub fn permission(self) -> Option<&'static str> {
        self.row().permission
    }

    /// Whether an import of everything lists them: Stripe does, and a restricted key can have the right. The
    /// others are imported where an admin names them, and their events are applied all the same.
    pub fn is_imported_by_default(self) -> bool {
        self.is_listed() && self.permission().is_some()
    }

    /// Whether Stripe lists them: all of an account, or those of each customer.
    pub fn is_listed(self) -> bool {
        !self.account_lists().is_empty() || self.below_customer().is_some()
    }

    /// By what Stripe's list can be narrowed, as far as it is used.
    pub fn list_filters(self) -> &'static [&'static str] {
        self.row().list_filters.unwrap_or_default()
    }

    /// Whether Stripe's list can be bounded by when they were made. One that cannot goes from the newest to
    /// the oldest.
    pub fn is_listed_by_created(self) -> bool {
        self.list_filters().contains(&"created")
    }

    /// The lists of an account that together have all that no customer's list has: the parameters that each
    /// is asked with. None are there for what Stripe lists each customer alone, or nowhere.
    pub fn account_lists(self) -> &'static [ListParams] {
        let row = self.row();
        if row.list_filters.is_some() { row.list_params } else { &[] }
    }

    /// How one is deleted.
    pub fn deletion(self) -> Deletion {
        self.row().deletion
    }

    /// The values of `status` that Stripe documents, in the order of a life.
    pub fn statuses(self) -> &'static [&'static str] {
        self.row().statuses
    }

    /// Whether Stripe never leaves this status.
    pub fn is_settled(self, status: &str) -> bool {
        self.row().settled.contains(&status)
    }

    /// The member that holds its sum in `currency`.
    pub fn amount(self) -> Option<&'static str> {
        self.row().amount
    }

    /// The members by which people know one, the best first; a dot leads into an object.
    pub fn labels(self) -> &'static [&'static str] {
        self.row().labels
    }

    /// The members that hold the id of another record.
    pub fn references(self) -> &'static [Reference] {
        self.row().references
    }

    /// The member that names what one is called after, such as the product of a price.
    pub fn called_after(self) -> Option<Reference> {
        self.row().called_after
    }

    /// The members that may name the customer whom one is listed under, the best first.
    pub fn customer_members(self) -> &'static [&'static str] {
        self.row().customer
    }

    /// The customer whom an object of the kind names; `None` for none, and for a customer.
    pub fn customer(self, object: &Value) -> Option<&str> {
        let named = |path: &&str| reference_id(member(object, path)?);
        self.customer_members().iter().find_map(named)
    }

    /// Whether one that is part of a payment is not listed under its customer as well: a list of the
    /// customer's goes over the payments.
    pub fn is_listed_by_payment_alone(self) -> bool {
        self.row().by_payment_alone
    }

    /// The members that may name what one is part of, such as a payment or a charge, the best first.
    pub fn part_of(self) -> &'static [Reference] {
        self.row().part_of
    }

    /// Whether a customer's records of the kind are found over their payments and charges: those name the
    /// customer, and the records name them.
    pub fn is_listed_by_payments(self) -> bool {
        let is_of_payments = self.part_of().iter().any(|whole| whole.object == Self::PAYMENT.object());
        is_of_payments && (self.customer_members().is_empty() || self.is_listed_by_payment_alone())
    }

    /// Whether one can be a customer's, or is one.
    pub fn can_be_a_customers(self) -> bool {
        self == Self::CUSTOMER || self.is_listed_by_payments() || !self.customer_members().is_empty()
    }

    /// Whether objects of another kind can be part of one.
    pub fn has_parts(self) -> bool {
        Self::all().any(|other| other.part_of().iter().any(|whole| whole.object == self.object()))
    }

    /// The members that may name the invoice whom one is listed under.
    pub fn invoice_members(self) -> &'static [&'static str] {
        self.row().invoice
    }

    /// The lists that belong to one, of which it shows the first items.
    pub fn own_lists(self) -> &'static [OwnList] {
        self.row().lists
    }

    /// The first of [`Kind::own_lists`] of which an object does not have all items.
    pub fn cut_list(self, object: &Value) -> Option<&'static OwnList> {
        self.own_lists().iter().find(|list| object[list.member]["has_more"] == true)
    }

    /// The types of events that carry one and are applied, in the order of the table.
    pub fn event_types(self) -> impl Iterator<Item = &'static str> {
        self.row().events.iter().map(|(event_type, _)| *event_type)
    }

    /// Whether Stripe makes an event of a change of this member. A kind without an event that reports a
    /// change of any member (`quote.updated` does not exist) has one only of what its events name.
    pub fn has_event_of_change(self, member: &str) -> bool {
        let effects = || self.row().events.iter().map(|(_, effect)| *effect);
        if member == "deleted" {
            return effects().any(|effect| effect == Effect::Deletion);
        }
        let reports = |effect| match effect {
            Effect::Change => true,
            Effect::ChangeOf(members) | Effect::CreationOrChangeOf(members) => members.contains(&member),
            Effect::Detachment => member == "status",
            Effect::Creation | Effect::Deletion | Effect::Notice | Effect::Preview => false,
        };
        !self.row().silent.contains(&member) && effects().any(reports)
    }

    /// Whether the first versions of Billhook applied its events.
    pub fn was_applied_at_first(self) -> bool {
        self.row().applied_at_first
    }

    /// Those of [`Kind::event_types`] that an endpoint cannot ask for by name. They come to one that asks
    /// for `*`.
    pub fn unlisted_event_types(self) -> &'static [&'static str] {
        self.row().unlisted_events
    }

    /// What Stripe's ids of the kind begin with, before the last `_`; none if the merchant chooses them.
    pub fn id_prefixes(self) -> &'static [&'static str] {
        self.row().id_prefixes
    }

    /// Whether an id can be used again once what had it is deleted. What has it then says when it was made
    /// (`created`). Ids that Stripe makes are used once, and so is a customer's that a merchant chose: Stripe
    /// goes on showing the deleted customer under it.
    pub fn ids_are_used_again(self) -> bool {
        self.row().ids_are_used_again
    }

    /// Whether one says when it was made (`created`, or `date`).
    pub fn says_when_made(self) -> bool {
        self.row().says_when_made
    }

    /// The kind of what Stripe calls `object`, if it is kept as a record.
    pub fn from_object_name(object: &str) -> Option<Self> {
        Self::all().find(|kind| kind.object() == object)
    }

    /// The kind of `GET /records/{plural}`.
    pub fn from_plural(plural: &str) -> Option<Self> {
        Self::all().find(|kind| kind.plural() == plural)
    }

    /// The kind that an id's prefix tells. Only a help for people who look an id up: a key is never made from
    /// it, because merchants may choose a customer's id themselves.
    pub fn from_id_prefix(id: &str) -> Option<Self> {
        let of_prefix = |prefix: &str| Self::all().find(|kind| kind.id_prefixes().contains(&prefix));
        // `sub_sched_…` is none of `sub_…`.
        let long = id.rsplit_once('_').and_then(|(prefix, _)| of_prefix(prefix));
        long.or_else(|| of_prefix(id.split_once('_')?.0))
    }
}

/// What an event of a type says of the object that it carries; none if the type is not applied.
pub fn effect(event_type: &str) -> Option<Effect> {
    EFFECTS.get(event_type).copied()
}

/// A member of an object; a dot leads into an object.
pub fn member<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |object, name| object.get(name))
}

/// The id of a reference to another object, which Stripe renders as an id, as the object itself (expanded) or
/// as null.
pub fn reference_id(reference: &Value) -> Option<&str> {
    reference.as_str().or_else(|| reference["id"].as_str()).filter(|id| !id.is_empty())
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plural())
    }
}

impl From<Kind> for &'static str {
    fn from(kind: Kind) -> Self {
        kind.plural()
    }
}

/// A word that names no kind of record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of record")]
pub struct UnknownKind(String);

impl TryFrom<String> for Kind {
    type Error = UnknownKind;

    fn try_from(plural: String) -> Result<Self, Self::Error> {
        Self::from_plural(&plural).ok_or(UnknownKind(plural))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_is_found_by_its_words() {
        for kind in Kind::all() {
            let found = (Kind::from_object_name(kind.object()), Kind::from_plural(kind.plural()));
            assert_eq!(found, (Some(kind), Some(kind)));
        }
    }

    #[test]
    fn no_word_path_prefix_or_event_type_stands_for_two_kinds() {
        let all = |words: &mut dyn Iterator<Item = &'static str>| {
            let words: Vec<_> = words.collect();
            let once: BTreeSet<_> = words.iter().collect();
            assert_eq!(once.len(), words.len(), "{words:?}");
        };
        all(&mut Kind::all().map(Kind::object));
        all(&mut Kind::all().map(Kind::plural));
        all(&mut Kind::all().filter_map(Kind::path));
        all(&mut Kind::all().flat_map(Kind::id_prefixes).copied());
        all(&mut Kind::all().flat_map(Kind::event_types));
    }

    #[test]
    fn what_an_account_lists_has_a_path_and_a_list_below_customers_names_its_customer() {
        for kind in Kind::all() {
            assert!(kind.path().is_some() || kind.account_lists().is_empty(), "{kind:?}");
            assert!(kind.below_customer().is_none() || !kind.customer_members().is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn each_reference_leads_to_a_kind() {
        for kind in Kind::all() {
            let of_items = kind.own_lists().iter().flat_map(|list| list.references);
            for reference in kind.references().iter().chain(kind.part_of()).chain(of_items) {
                assert!(Kind::from_object_name(reference.object).is_some(), "{kind:?} {reference:?}");
            }
        }
    }

    #[test]
    fn a_settled_status_is_one_that_stripe_documents() {
        for kind in Kind::all() {
            let row = kind.row();
            assert!(row.settled.iter().all(|status| row.statuses.contains(status)), "{kind:?}");
        }
    }

    #[test]
    fn a_change_has_an_event_where_a_type_reports_it() {
        let has_event =
            |object: &str, member: &str| Kind::from_object_name(object).unwrap().has_event_of_change(member);
        for (object, member) in [
            ("invoice", "description"),
            ("quote", "status"),
            ("coupon", "name"),
            ("payment_intent", "status"),
            ("payment_intent", "last_payment_error"),
            ("invoiceitem", "deleted"),
            ("customer", "deleted"),
            ("application_fee", "amount_refunded"),
        ] {
            assert!(has_event(object, member), "{object} {member}");
        }
        for (object, member) in [
            ("invoice", "webhooks_delivered_at"),
            ("customer", "next_invoice_sequence"),
            ("quote", "description"),
            ("invoiceitem", "amount"),
            ("coupon", "times_redeemed"),
            ("payment_intent", "metadata"),
            ("setup_intent", "allowed_payment_method_types"),
            ("quote", "deleted"),
            ("balance_transaction", "status"),
        ] {
            assert!(!has_event(object, member), "{object} {member}");
        }
    }

    #[test]
    fn a_longer_prefix_goes_before_a_shorter_one() {
        assert_eq!(Kind::from_id_prefix("sub_1"), Some(Kind::SUBSCRIPTION));
        assert_eq!(Kind::from_id_prefix("cus_a_b"), Some(Kind::CUSTOMER));
        assert_eq!(Kind::from_id_prefix("acme/42"), None);
    }
}
