//! What each rendering of an object makes anew: addresses, which Stripe signs with random bytes and the
//! second of rendering; and whether its customer is an id or the whole customer, who may have changed.

use serde_json::{Value, json};

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

/// Returns an object with its addresses signed anew, and its customer expanded or not.
pub(super) fn signed(object: &Value, salt: u64) -> Value {
    let mut signed = unsigned(object);
    for (field, unsigned) in ADDRESSES {
        if let Some(value) = signed.get_mut(field).filter(|value| value.is_string()) {
            *value = format!("{unsigned}{salt:016x}").into();
        }
    }
    if let Some(customer) = signed.get_mut("customer").filter(|customer| customer.is_string())
        && salt.is_multiple_of(3)
    {
        *customer = json!({ "id": customer, "object": "customer", "balance": salt % 100 });
    }
    signed
}

/// Returns an object without the signatures of its addresses and with its customer's id, so that two
/// renderings of one state are equal.
pub fn unsigned(object: &Value) -> Value {
    let mut unsigned = object.clone();
    for (field, address) in ADDRESSES {
        if let Some(value) = unsigned.get_mut(field).filter(|value| value.is_string()) {
            *value = address.into();
        }
    }
    if let Some(customer) = unsigned.get_mut("customer").filter(|customer| customer.is_object()) {
        *customer = customer["id"].take();
    }
    unsigned
}
