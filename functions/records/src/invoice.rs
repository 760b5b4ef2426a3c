//! What only invoices show: the payments that paid them or are to, and their subscription.
//!
//! Both have moved in Stripe's API. Since API 2025-03-31 an invoice payment joins invoice and payment and
//! names both, and it alone says so: it is found by the invoice that it names.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::kind::{Kind, reference_id};
use shared::records::{RecordListing, joins_invoice};

use crate::deps::Deps;
use crate::view::LoadedRecord;

/// What only invoices show.
#[derive(Serialize)]
pub(crate) struct InvoiceView {
    /// Ids of PaymentIntents, and of charges without one.
    payments: Vec<String>,
    subscription: Option<String>,
}

pub(crate) async fn view(deps: &Deps, invoice: &LoadedRecord) -> Result<InvoiceView, StoreError> {
    let mut payments = payments_in(&invoice.object);
    // Old invoices name their payment themselves, or say with null that there is none.
    if invoice.object.get("payment_intent").or(invoice.object.get("charge")).is_none() {
        payments.extend(find_payments(deps, invoice).await?);
    }
    let mut seen = BTreeSet::new();
    payments.retain(|payment| seen.insert(payment.clone()));
    Ok(InvoiceView { payments, subscription: subscription(&invoice.object).map(str::to_owned) })
}

fn subscription(invoice: &Value) -> Option<&str> {
    reference_id(&invoice["subscription"])
        .or_else(|| reference_id(&invoice["parent"]["subscription_details"]["subscription"]))
}

/// The payments that the invoice itself names: one up to API 2025-02-24, since then all that are expanded.
fn payments_in(invoice: &Value) -> Vec<String> {
    let expanded = invoice["payments"]["data"].as_array().into_iter().flatten().filter_map(payment_in);
    payment_or_charge(invoice).into_iter().chain(expanded).map(str::to_owned).collect()
}

/// The payment that an invoice payment names, as long as it joins the two.
fn payment_in(invoice_payment: &Value) -> Option<&str> {
    payment_or_charge(&invoice_payment["payment"]).filter(|_| joins_invoice(invoice_payment))
}

fn payment_or_charge(object: &Value) -> Option<&str> {
    reference_id(&object["payment_intent"]).or_else(|| reference_id(&object["charge"]))
}

/// Finds the payments that invoice payments join with the invoice, and those of old API versions, which name
/// it themselves: PaymentIntents first, then charges without one.
async fn find_payments(deps: &Deps, invoice: &LoadedRecord) -> Result<Vec<String>, StoreError> {
    let key = &invoice.record.key;
    let listing = RecordListing::Invoice { account: key.account_key().clone(), invoice: key.id().to_owned() };
    let found = deps.records.all(&listing).await?;
    let found = found.into_iter().map(LoadedRecord::new).collect::<Result<Vec<_>, _>>()?;
    let (charges, intents): (Vec<&str>, Vec<&str>) =
        found.iter().filter_map(payment_of).partition(|payment| is_charge(payment));
    Ok(intents.into_iter().chain(charges).map(str::to_owned).collect())
}

/// Whether an id is a charge's; Stripe makes these itself.
fn is_charge(id: &str) -> bool {
    Kind::from_id_prefix(id) == Some(Kind::CHARGE)
}

/// Returns the id of the payment, or of the charge without one, that a record which names an invoice is or
/// names.
fn payment_of(record: &LoadedRecord) -> Option<&str> {
    match record.kind {
        Kind::INVOICE_PAYMENT => payment_in(&record.object),
        Kind::PAYMENT => Some(record.record.key.id()),
        Kind::CHARGE => {
            reference_id(&record.object["payment_intent"]).or_else(|| Some(record.record.key.id()))
        }
        _ => None,
    }
}
