//! The kinds of object: their initial states, their changes, and how each API version renders them.

mod charge;
mod customer;
mod dispute;
mod invoice;
mod invoice_payment;
mod of_table;
mod payment_intent;
mod refund;
mod subscription;

use serde_json::{Value, json};
use shared::kind::Kind;

use super::change::ObjectChange;
use super::{ApiVersion, HistoryPlan};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// `customer`
    Customer,
    /// `subscription`
    Subscription,
    /// `invoice`
    Invoice,
    /// `invoice_payment`
    InvoicePayment,
    /// `payment_intent`
    PaymentIntent,
    /// `charge`
    Charge,
    /// `refund`
    Refund,
    /// `dispute`
    Dispute,
    /// Any other of the product's table of kinds.
    OfTable(Kind),
}

/// An event without a change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Notice {
    /// Of this type, with the object as it is.
    SameObject(&'static str),
    /// Of this type, about another object that has no record.
    OtherObject(&'static str, Value),
}

impl ObjectKind {
    /// Those that are simulated closely.
    pub const SIMULATED: [Self; 8] = [
        Self::Customer,
        Self::Subscription,
        Self::Invoice,
        Self::InvoicePayment,
        Self::PaymentIntent,
        Self::Charge,
        Self::Refund,
        Self::Dispute,
    ];

    /// All kinds that events carry.
    pub fn all() -> Vec<Self> {
        let is_simulated = |kind: &Kind| Self::SIMULATED.iter().any(|known| known.object() == kind.object());
        let others = Kind::all().filter(|kind| !is_simulated(kind) && kind.event_types().next().is_some());
        Self::SIMULATED.into_iter().chain(others.map(Self::OfTable)).collect()
    }

    /// Returns the name in `"object": "…"`.
    pub fn object(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Subscription => "subscription",
            Self::Invoice => "invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::PaymentIntent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::OfTable(kind) => kind.object(),
        }
    }

    /// Whether another object can be made under the id of one that is deleted.
    pub(super) fn ids_are_used_again(self) -> bool {
        Kind::from_object_name(self.object()).is_some_and(Kind::ids_are_used_again)
    }

    pub(super) fn id(self, number: usize) -> String {
        let prefix = match self {
            Self::Customer => "cus",
            Self::Subscription => "sub",
            Self::Invoice => "in",
            Self::InvoicePayment => "inpay",
            Self::PaymentIntent => "pi",
            Self::Charge => "ch",
            Self::Refund => "re",
            Self::Dispute => "du",
            Self::OfTable(kind) => kind.id_prefixes().first().copied().unwrap_or(kind.object()),
        };
        format!("{prefix}_{number}")
    }

    /// Returns a new object, as the newest version renders it, and the types of its first events.
    pub(super) fn initial(self, id: &str, plan: &HistoryPlan) -> (Value, Vec<&'static str>) {
        let (mut object, types) = match self {
            Self::Customer => customer::initial(),
            Self::Subscription => subscription::initial(plan.variant, plan.created_at),
            Self::Invoice => invoice::initial(plan.variant),
            Self::InvoicePayment => invoice_payment::initial(plan.variant),
            Self::PaymentIntent => payment_intent::initial(plan.variant),
            Self::Charge => charge::initial(plan.variant),
            Self::Refund => refund::initial(plan.variant),
            Self::Dispute => dispute::initial(plan.variant),
            Self::OfTable(kind) => of_table::initial(kind, plan.variant),
        };
        object["object"] = self.object().into();
        object["id"] = id.into();
        object["created"] = plan.created_at.into();
        object["livemode"] = false.into();
        object["metadata"] = json!({});
        (object, types)
    }

    /// Returns the changes that are possible now.
    pub(super) fn changes(self, object: &Value, value: u8) -> Vec<ObjectChange> {
        match self {
            Self::Customer => customer::changes(value),
            Self::Subscription => subscription::changes(object, value),
            Self::Invoice => invoice::changes(object, value),
            Self::InvoicePayment => invoice_payment::changes(object),
            Self::PaymentIntent => payment_intent::changes(object, value),
            Self::Charge => charge::changes(object, value),
            Self::Refund => refund::changes(object, value),
            Self::Dispute => dispute::changes(object, value),
            Self::OfTable(kind) => of_table::changes(kind, object, value),
        }
    }

    pub(super) fn notices(self, id: &str, object: &Value) -> Vec<Notice> {
        match self {
            Self::Customer => customer::notices(id),
            Self::Subscription => subscription::notices(id, object),
            Self::Invoice => invoice::notices(object),
            Self::InvoicePayment | Self::PaymentIntent | Self::Charge | Self::Refund | Self::Dispute => {
                Vec::new()
            }
            Self::OfTable(kind) => of_table::notices(kind),
        }
    }

    /// Returns the object as a version renders it.
    pub(super) fn render(self, version: ApiVersion, object: &Value) -> Value {
        let mut object = object.clone();
        if !version.is_legacy() {
            return object;
        }
        match self {
            Self::Subscription => subscription::to_legacy(&mut object),
            Self::Invoice => invoice::to_legacy(&mut object),
            Self::PaymentIntent | Self::Charge => object["invoice"] = "in_1".into(),
            Self::Dispute => object["balance_transaction"] = object["balance_transactions"][0]["id"].clone(),
            Self::Customer | Self::InvoicePayment | Self::Refund | Self::OfTable(_) => {}
        }
        object
    }
}

/// Returns the text in `status`.
fn status(object: &Value) -> &str {
    object["status"].as_str().unwrap_or_default()
}
