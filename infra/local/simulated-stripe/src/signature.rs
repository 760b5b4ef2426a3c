//! Stripe's signature of a delivery.
//!
//! The key is the whole secret as text, `whsec_` included, and the message is the time, a dot and the raw
//! body. Nothing is decoded from base64, unlike other schemes whose secrets look the same.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns the `Stripe-Signature` header for this body, signed at this time (unix seconds) with this secret.
#[must_use]
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}
