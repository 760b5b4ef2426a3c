//! Remedies that several checks give, each in one form.

use shared::endpoint::EndpointName;

/// Of what is certainly this stack's.
pub(super) const DELETE_LEFT_OVER: &str = "delete them in Stripe's dashboard under Developers > Webhooks: they carry the id of this stack, so no other uses them";

/// Of what may be somebody's. Only whoever made an endpoint knows whether it is needed.
pub(super) const ASK_WHOSE: &str = "do not delete them unasked: their descriptions and metadata in Stripe's dashboard, under Developers > Webhooks, help to find who made each; that one can give it the address it is meant for, or remove it. Nothing is lost by leaving them";

/// Of what is not known without an answer of Stripe.
pub(super) const STRIPE_FIRST: &str =
    "an answer of Stripe: the checks of the Stripe key, and `stripe_answers`, say what stands in its way";

pub(super) fn repair(name: &EndpointName) -> String {
    format!("POST /endpoints/{name}/repair puts it back to what is wanted")
}

pub(super) fn register_again(name: &EndpointName) -> String {
    format!("register it anew: DELETE /endpoints/{name}?confirm={name}, then POST /endpoints")
}
