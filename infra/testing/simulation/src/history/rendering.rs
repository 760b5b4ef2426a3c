//! What each rendering of an object makes anew: addresses, which Stripe signs with random bytes and the
//! second of rendering.

use serde_json::Value;

/// A charge's receipt, not signed.
pub(super) const UNSIGNED_RECEIPT: &str = "https://pay.stripe.com/receipts/payment/";
/// An invoice's page, not signed.
pub(super) const UNSIGNED_INVOICE: &str = "https://invoice.stripe.com/i/acct_1/test_";
/// An invoice as a PDF, not signed.
pub(super) const UNSIGNED_PDF: &str = "https://pay.stripe.com/invoice/acct_1/test_/pdf?s=";

const ADDRESSES: [(&str, &str); 3] = [
    ("receipt_url", UNSIGNED_RECEIPT),
    ("hosted_invoice_url", UNSIGNED_INVOICE),
    ("invoice_pdf", UNSIGNED_PDF),
];

/// Returns an object with its addresses signed anew.
pub(super) fn signed(object: &Value, salt: u64) -> Value {
    let mut signed = unsigned(object);
    for (field, unsigned) in ADDRESSES {
        if let Some(value) = signed.get_mut(field).filter(|value| value.is_string()) {
            *value = format!("{unsigned}{salt:016x}").into();
        }
    }
    signed
}

/// Returns an object without the signatures of its addresses, so that two renderings of one state are equal.
pub fn unsigned(object: &Value) -> Value {
    let mut unsigned = object.clone();
    for (field, address) in ADDRESSES {
        if let Some(value) = unsigned.get_mut(field).filter(|value| value.is_string()) {
            *value = address.into();
        }
    }
    unsigned
}
