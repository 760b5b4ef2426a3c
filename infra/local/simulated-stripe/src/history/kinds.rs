//! The eight kinds of object: how each is born, where it can go, and how each version writes it.

mod charge;
mod customer;
mod dispute;
mod invoice;
mod invoice_payment;
mod payment_intent;
mod refund;
mod subscription;

use serde_json::{Value, json};

use super::change::Change;
use super::{Plan, Version};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
}

/// An event that reports no change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Notice {
    /// Of this type, with the object as it stands.
    Of(&'static str),
    /// Of this type, about something else that is no record.
    About(&'static str, Value),
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Customer,
        Self::Subscription,
        Self::Invoice,
        Self::InvoicePayment,
        Self::PaymentIntent,
        Self::Charge,
        Self::Refund,
        Self::Dispute,
    ];

    /// As in `"object": "…"`.
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
        }
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
        };
        format!("{prefix}_{number}")
    }

    /// A new object, as the newest version writes it, and the types that tell of it.
    pub(super) fn born(self, id: &str, plan: &Plan) -> (Value, &'static [&'static str]) {
        let (mut object, types) = match self {
            Self::Customer => customer::born(),
            Self::Subscription => subscription::born(plan.birth, plan.begins),
            Self::Invoice => invoice::born(plan.birth),
            Self::InvoicePayment => invoice_payment::born(plan.birth),
            Self::PaymentIntent => payment_intent::born(plan.birth),
            Self::Charge => charge::born(plan.birth),
            Self::Refund => refund::born(plan.birth),
            Self::Dispute => dispute::born(plan.birth),
        };
        object["object"] = self.object().into();
        object["id"] = id.into();
        object["created"] = plan.begins.into();
        object["livemode"] = false.into();
        object["metadata"] = json!({});
        (object, types)
    }

    /// What can happen to an object now.
    pub(super) fn changes(self, object: &Value, value: u8) -> Vec<Change> {
        match self {
            Self::Customer => customer::changes(value),
            Self::Subscription => subscription::changes(object, value),
            Self::Invoice => invoice::changes(object, value),
            // Only its payment is told.
            Self::InvoicePayment => Vec::new(),
            Self::PaymentIntent => payment_intent::changes(object, value),
            Self::Charge => charge::changes(object, value),
            Self::Refund => refund::changes(object, value),
            Self::Dispute => dispute::changes(object, value),
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
        }
    }

    /// The object as a version writes it.
    pub(super) fn render(self, version: Version, object: &Value) -> Value {
        let mut object = object.clone();
        if !version.is_old() {
            return object;
        }
        match self {
            Self::Subscription => subscription::in_the_old_way(&mut object),
            Self::Invoice => invoice::in_the_old_way(&mut object),
            Self::PaymentIntent | Self::Charge => object["invoice"] = "in_1".into(),
            Self::Dispute => object["balance_transaction"] = object["balance_transactions"][0]["id"].clone(),
            Self::Customer | Self::InvoicePayment | Self::Refund => {}
        }
        object
    }
}

/// The text in `status`.
fn status(object: &Value) -> &str {
    object["status"].as_str().unwrap_or_default()
}
