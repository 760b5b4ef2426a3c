//! Remedies that several checks give, each in one form.

use shared::endpoint::EndpointName;

/// In Stripe's dashboard.
pub(super) const DELETE_AT_STRIPE: &str = "delete them in Stripe's dashboard under Developers > Webhooks";

/// Of what is not known without an answer of Stripe.
pub(super) const STRIPE_FIRST: &str =
    "an answer of Stripe: the checks of the Stripe key, and `stripe_answers`, say what stands in its way";

pub(super) fn repair(name: &EndpointName) -> String {
    format!("POST /endpoints/{name}/repair puts it back to what is wanted")
}

pub(super) fn register_again(name: &EndpointName) -> String {
    format!("register it anew: DELETE /endpoints/{name}?confirm={name}, then POST /endpoints")
}
