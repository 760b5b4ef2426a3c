//! What only invoices show: the payments that paid them or are to, and their subscription.
//!
//! Both have moved in Stripe's API. Since API 2025-03-31 an invoice payment joins invoice and payment and
//! names both, but is listed under the payment only. So it is searched for under the customer's payments,
//! from when the invoice was paid back to when it was created, up to a limit; the one wanted is mostly among
//! the first.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::object_key::{Kind, ObjectKey};
use shared::records::Record;

use crate::customer;
use crate::deps::Deps;
use crate::payment::parts::records_naming;
use crate::view::{LoadedRecord, reference_id};

/// Payments, or charges, that are listed at once.
const PAGE: usize = 25;
/// Payments, and charges, that are searched in all.
const MAX_SEARCHED: usize = 200;
/// Payments, or charges, that are searched at once.
const CONCURRENT_READS: usize = 8;

/// What only invoices show.
#[derive(Serialize)]
pub(crate) struct InvoiceView {
    /// Ids of PaymentIntents, and of charges without one.
    payments: Vec<String>,
    subscription: Option<String>,
}

pub(crate) async fn view(
    deps: &Deps,
    invoice: &LoadedRecord,
    now: Timestamp,
) -> Result<InvoiceView, StoreError> {
    let mut payments = payments_in(&invoice.object);
    // Old invoices name their payment themselves, or say with null that there is none.
    if invoice.object.get("payment_intent").or(invoice.object.get("charge")).is_none() {
        payments.extend(find_payments(deps, invoice, now).await?);
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

/// The payment that an invoice payment names, unless that was canceled.
fn payment_in(invoice_payment: &Value) -> Option<&str> {
    payment_or_charge(&invoice_payment["payment"]).filter(|_| invoice_payment["status"] != "canceled")
}

fn payment_or_charge(object: &Value) -> Option<&str> {
    reference_id(&object["payment_intent"]).or_else(|| reference_id(&object["charge"]))
}

/// Searches for the payments that invoice payments join with the invoice.
async fn find_payments(
    deps: &Deps,
    invoice: &LoadedRecord,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let customer = reference_id(&invoice.object["customer"]);
    let customer = customer.and_then(|id| invoice.record.key.sibling(Kind::Customer, id).ok());
    let Some(customer) = customer else { return Ok(Vec::new()) };
    let paid_at = invoice.object["status_transitions"]["paid_at"].as_i64();
    let until = paid_at.unwrap_or(now.as_second()).saturating_add(1);
    let created = invoice.object["created"].as_i64().or(invoice.object["date"].as_i64()).unwrap_or(0);
    let mut payments = Vec::new();
    for kind in [Kind::Payment, Kind::Charge] {
        let position = |second: i64| format!("{}#{second:012}#", kind.object());
        let (mut from, mut searched) = (Some(position(until)), 0);
        while from.as_ref().is_some_and(|from| *from >= position(created)) && searched < MAX_SEARCHED {
            let listing = customer::listing(&customer, kind);
            let page = deps.records.list(&listing, from, PAGE, |_| true).await?;
            from = page.next;
            searched += page.records.len();
            let invoice = &invoice.record.key;
            let checks = page.records.into_iter().map(async |record| payment_of(deps, invoice, record).await);
            let found: Vec<_> =
                futures::stream::iter(checks).buffered(CONCURRENT_READS).try_collect().await?;
            payments.extend(found.into_iter().flatten());
        }
    }
    Ok(payments)
}

/// Returns the id of a payment, or of a charge without one, if it paid the invoice or is to.
async fn payment_of(deps: &Deps, invoice: &ObjectKey, record: Record) -> Result<Option<String>, StoreError> {
    let payment = LoadedRecord::new(record)?;
    if payment.kind == Kind::Charge && reference_id(&payment.object["payment_intent"]).is_some() {
        return Ok(None);
    }
    let key = &payment.record.key;
    let invoice_payments = records_naming(deps, key, Some(Kind::InvoicePayment)).await?;
    let names_invoice = |object: &Value| reference_id(&object["invoice"]) == Some(invoice.id());
    let is_joined = names_invoice(&payment.object)
        || invoice_payments
            .iter()
            .any(|joint| names_invoice(&joint.object) && payment_in(&joint.object).is_some());
    Ok(is_joined.then(|| key.id().to_owned()))
}
