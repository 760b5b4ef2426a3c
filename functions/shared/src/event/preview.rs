//! Previews, such as `invoice.upcoming`'s: objects that have no id, or none that names anything, and are
//! found under what they are for.

use serde::Deserialize;

use crate::kind::Kind;

/// An id, or the object it stands for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Expandable {
    /// The id alone.
    Id(String),
    /// The whole object, of which the id is read.
    Object {
        /// Its id.
        id: String,
    },
}

impl Expandable {
    /// The id either way.
    fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

/// What is read of a preview.
#[derive(Deserialize)]
pub(super) struct Preview {
    customer: Option<Expandable>,
    subscription: Option<Expandable>,
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Deserialize)]
struct SubscriptionDetails {
    subscription: Option<Expandable>,
}

impl Preview {
    /// The kinds and ids of what it is for: its subscription, if there is one, and its customer.
    pub(super) fn belongs_to(self) -> Vec<(Kind, String)> {
        let subscription = self.subscription().map(|id| (Kind::SUBSCRIPTION, id));
        let customer = self.customer.map(|customer| (Kind::CUSTOMER, customer.into_id()));
        subscription.into_iter().chain(customer).collect()
    }

    /// Since API 2025-03-31 below `parent`, before it at the top.
    fn subscription(&self) -> Option<String> {
        let below = self
            .parent
            .as_ref()
            .and_then(|parent| parent.subscription_details.as_ref()?.subscription.clone());
        below.or_else(|| self.subscription.clone()).map(Expandable::into_id)
    }
}
