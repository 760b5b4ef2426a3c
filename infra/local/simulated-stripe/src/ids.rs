//! Fresh ids and secrets in Stripe's form.
//!
//! They are random, not counted, because a local stack keeps its store while the simulated Stripe is started
//! again: an id that came twice would look like an event sent twice.

use uuid::Uuid;

/// Returns a new id: the prefix and 24 letters and digits, as in `fresh("evt_1")`.
pub(crate) fn fresh(prefix: &str) -> String {
    let mut id = format!("{prefix}{}", Uuid::new_v4().simple());
    id.truncate(prefix.len() + 24);
    id
}

/// Returns the place of an object in a list among those of its second: fixed, and no matter when it was made.
/// (FNV-1a.)
pub(crate) fn place_in_second(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Returns a new signing secret: `whsec_` and 32 more.
pub(crate) fn signing_secret() -> String {
    format!("whsec_{}", Uuid::new_v4().simple())
}
