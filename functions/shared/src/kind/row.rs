//! What a row of the table of kinds holds.

use serde::Serialize;
use serde_json::Value;

/// Where an account is the customer, `customer` is null (Accounts v2).
pub(super) const CUSTOMER_OR_ACCOUNT: &[&str] = &["customer", "customer_account"];

/// All that Billhook knows of a kind of object at Stripe.
#[derive(Debug)]
pub(super) struct KindRow {
    /// Stripe's word in the `object` field.
    pub(super) object: &'static str,
    /// The word in `GET /records/{kind}`.
    pub(super) plural: &'static str,
    /// What Stripe's ids begin with, before the last `_`; none if the merchant may choose them.
    pub(super) id_prefixes: &'static [&'static str],
    /// Whether an id can be used again once what had it is deleted, which merchants do with those they
    /// choose.
    pub(super) ids_are_used_again: bool,
    /// Whether one says when it was made.
    pub(super) says_when_made: bool,
    /// Below `/v1`: where they are listed, and one is read by its id. None where Stripe has them below their
    /// customer alone.
    pub(super) path: Option<&'static str>,
    /// The last part of the path below `/v1/customers/{id}` at which Stripe lists those of a customer, where
    /// the account's own lists leave these out.
    pub(super) below_customer: Option<&'static str>,
    /// What Stripe calls the right of a restricted key to read them, where that is known.
    pub(super) permission: Option<&'static str>,
    /// The members and ranges by which Stripe's list can be narrowed, as far as they are used; with
    /// `created`, it can be bounded by when they were made. None: the account has no list of them.
    pub(super) list_filters: Option<&'static [&'static str]>,
    /// What the account's list must be asked with so that it leaves nothing out; several sets of parameters
    /// where no single one does that.
    pub(super) list_params: &'static [ListParams],
    /// How one is deleted.
    pub(super) deletion: Deletion,
    /// The documented values of `status`, in the order of a life.
    pub(super) statuses: &'static [&'static str],
    /// Those of `statuses` that Stripe never leaves.
    pub(super) settled: &'static [&'static str],
    /// The member that holds its sum in `currency`.
    pub(super) amount: Option<&'static str>,
    /// The members by which people know one, the best first.
    pub(super) labels: &'static [&'static str],
    /// The members that hold the id of another record.
    pub(super) references: &'static [Reference],
    /// The member that names what it is called after, such as the product of a price.
    pub(super) called_after: Option<Reference>,
    /// The members that may name the customer whom one is listed under, the best first.
    pub(super) customer: &'static [&'static str],
    /// Whether one that is part of something is not listed under its customer as well.
    pub(super) by_payment_alone: bool,
    /// The members that may name what it is part of, the best first.
    pub(super) part_of: &'static [Reference],
    /// The members that may name the invoice whom it is listed under.
    pub(super) invoice: &'static [&'static str],
    /// The lists that belong to it, of which it shows the first items.
    pub(super) lists: &'static [OwnList],
    /// The types of events that carry one, and what each says.
    pub(super) events: &'static [(&'static str, Effect)],
    /// The members whose changes have no event of their own, by what Stripe says of each type and of what its
    /// API lets change. Where no event reports a change of any member, those that events name are the only
    /// ones that have.
    pub(super) silent: &'static [&'static str],
    /// Whether the first versions of Billhook applied its events: an endpoint that was registered then, and
    /// for all that was applied, asks for these and no others.
    pub(super) applied_at_first: bool,
    /// Those of `events` that an endpoint cannot ask for by name.
    pub(super) unlisted_events: &'static [&'static str],
}

impl KindRow {
    /// What most kinds have: one that is never deleted, is listed by when it was made, and names nothing.
    pub(super) const fn new(object: &'static str, plural: &'static str, path: &'static str) -> Self {
        Self {
            object,
            plural,
            id_prefixes: &[],
            ids_are_used_again: false,
            says_when_made: true,
            path: Some(path),
            below_customer: None,
            permission: None,
            list_filters: Some(&["created"]),
            list_params: &[&[]],
            deletion: Deletion::Never,
            statuses: &[],
            settled: &[],
            amount: None,
            labels: &[],
            references: &[],
            called_after: None,
            customer: &[],
            by_payment_alone: false,
            part_of: &[],
            invoice: &[],
            lists: &[],
            events: &[],
            silent: &[],
            applied_at_first: false,
            unlisted_events: &[],
        }
    }
}

/// The parameters that one of Stripe's lists is asked with, by name and value.
pub type ListParams = &'static [(&'static str, &'static str)];

/// A member that holds the id of another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The member; a dot leads into an object.
    pub member: &'static str,
    /// Stripe's word for what it names.
    pub object: &'static str,
}

pub(super) const fn to(member: &'static str, object: &'static str) -> Reference {
    Reference { member, object }
}

/// A list that belongs to an object. The object shows its first ten items, and says in `has_more` whether
/// there are others (Stripe's API reference, "Pagination").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnList {
    /// The member of the object that shows it.
    pub member: &'static str,
    /// Where Stripe lists all of it.
    pub place: ListPlace,
    /// The members of an item that hold the id of another record.
    pub references: &'static [Reference],
}

/// Where Stripe lists all that belongs to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPlace {
    /// `/v1/<path of the kind>/{id}/<member>`
    BelowObject,
    /// `/v1/<path>?<param>={id}`
    Filtered {
        /// Below `/v1`.
        path: &'static str,
        /// The parameter that names the object.
        param: &'static str,
    },
}

/// A list that Stripe lists below its object.
pub(super) const fn list(member: &'static str, references: &'static [Reference]) -> OwnList {
    OwnList { member, place: ListPlace::BelowObject, references }
}

/// What an item names that is sold at a price; until API 2025-02-24 also each line of an invoice.
pub(super) const PRICE_OF_ITEM: &[Reference] = &[
    to("price", "price"),
    to("price.product", "product"),
    to("plan", "plan"),
    to("plan.product", "product"),
];

/// How an object of a kind is deleted at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is not.
    Never,
    /// Stripe goes on showing it, as `{"id", "object", "deleted": true}`.
    StillThere,
    /// It is gone for good.
    Gone,
    /// It is gone for good, while it has this status; in others it cannot be deleted.
    GoneWhile(&'static str),
}

impl Deletion {
    /// Whether one that stood like this may be gone for good, and not only unknown to the key that asks.
    pub fn can_follow(self, object: &Value) -> bool {
        match self {
            Self::Never | Self::StillThere => false,
            Self::Gone => true,
            Self::GoneWhile(status) => object["status"] == status,
        }
    }
}

/// What an event of a type says of the object that it carries (Stripe's API reference, "Types of events").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It was made.
    Creation,
    /// Something of it changed.
    Change,
    /// At least one of these members changed.
    ChangeOf(&'static [&'static str]),
    /// It was made, if the event is of the second in which it was; else one of these members changed. Charges
    /// have no type of their own for being made.
    CreationOrChangeOf(&'static [&'static str]),
    /// It was deleted.
    Deletion,
    /// A payment no longer belongs to its invoice, after which the invoice payment never changes again.
    /// Stripe makes such events since 2026-01-28.preview.
    Detachment,
    /// Nothing of it changed: a time has come.
    Notice,
    /// It does not exist: the event shows what it will be like.
    Preview,
}

/// Whether two texts are the same, for constants.
pub(super) const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}
