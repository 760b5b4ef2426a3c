//! What only invoices show: what paid them or is to, and the subscription they are for. Both have moved in Stripe's API.
//!
//! Since API 2025-03-31 an invoice payment joins invoice and payment, and names both, but is found under the payment only. So it is
//! looked for under the customer's payments, from the moment the invoice was paid back to when it was made, so far as the work is
//! bounded; the one wanted is mostly among the first.

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::object_key::Kind;
use shared::records::Record;

use crate::Deps;
use crate::customer;
use crate::joined::naming;
use crate::view::{Read, id};

/// Payments, and charges, under which an invoice payment is looked for at a time.
const LOOKED_AT: usize = 25;
/// And in all.
const MOST: usize = 200;
/// And how many at once.
const AT_ONCE: usize = 8;

/// What only invoices show.
#[derive(Serialize)]
pub(crate) struct InvoiceView {
    /// Ids of PaymentIntents, and of charges without one.
    payments: Vec<String>,
    subscription: Option<String>,
}

pub(crate) async fn view(deps: &Deps, invoice: &Read, now: Timestamp) -> Result<InvoiceView, StoreError> {
    let mut payments = named(&invoice.object);
    // Old invoices name their payment themselves, or say with null that there is none.
    if invoice.object.get("payment_intent").or(invoice.object.get("charge")).is_none() {
        payments.extend(found(deps, invoice, now).await?);
    }
    let mut seen = std::collections::BTreeSet::new();
    payments.retain(|payment| seen.insert(payment.clone()));
    Ok(InvoiceView { payments, subscription: subscription(&invoice.object).map(str::to_owned) })
}

fn subscription(invoice: &Value) -> Option<&str> {
    id(&invoice["subscription"]).or_else(|| id(&invoice["parent"]["subscription_details"]["subscription"]))
}

/// What the invoice itself names: one payment up to API 2025-02-24, all of them since then, if they are expanded.
fn named(invoice: &Value) -> Vec<String> {
    let one = id(&invoice["payment_intent"]).or_else(|| id(&invoice["charge"]));
    let expanded = invoice["payments"]["data"].as_array().into_iter().flatten().filter_map(paying);
    one.into_iter().chain(expanded).map(str::to_owned).collect()
}

/// What an invoice payment names, unless it was given up.
fn paying(invoice_payment: &Value) -> Option<&str> {
    let payment = &invoice_payment["payment"];
    let named = id(&payment["payment_intent"]).or_else(|| id(&payment["charge"]));
    named.filter(|_| invoice_payment["status"] != "canceled")
}

/// What invoice payments join with the invoice.
async fn found(deps: &Deps, invoice: &Read, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let Some(customer) = id(&invoice.object["customer"]) else { return Ok(Vec::new()) };
    let Ok(customer) = invoice.record.key.beside(Kind::Customer, customer) else { return Ok(Vec::new()) };
    let paid_at = invoice.object["status_transitions"]["paid_at"].as_i64();
    let until = paid_at.unwrap_or(now.as_second()).saturating_add(1);
    let made = invoice.object["created"].as_i64().or(invoice.object["date"].as_i64()).unwrap_or(0);
    let mut all = Vec::new();
    for kind in [Kind::Payment, Kind::Charge] {
        let place = |at: i64| format!("{}#{at:012}#", kind.object());
        let (mut from, mut looked_at) = (Some(place(until)), 0);
        while from.as_ref().is_some_and(|from| *from >= place(made)) && looked_at < MOST {
            let listing = customer::naming(&customer, kind);
            let page = deps.records.list(&listing, from, LOOKED_AT, |_| true).await?;
            from = page.next;
            looked_at += page.records.len();
            let paid = page.records.into_iter().map(async |record| paid(deps, invoice, record).await);
            let paid: Vec<_> = futures::stream::iter(paid).buffered(AT_ONCE).try_collect().await?;
            all.extend(paid.into_iter().flatten());
        }
    }
    Ok(all)
}

/// The id of a payment, or of a charge without one, if it paid the invoice or is to.
async fn paid(deps: &Deps, invoice: &Read, record: Record) -> Result<Option<String>, StoreError> {
    let owner = Read::new(record)?;
    if owner.kind == Kind::Charge && id(&owner.object["payment_intent"]).is_some() {
        return Ok(None);
    }
    let key = &owner.record.key;
    let payments = naming(deps, key, key.id(), Some(Kind::InvoicePayment)).await?;
    let of_invoice = |object: &Value| id(&object["invoice"]) == Some(invoice.record.key.id());
    let joined = of_invoice(&owner.object)
        || payments.iter().any(|joint| of_invoice(&joint.object) && paying(&joint.object).is_some());
    Ok(joined.then(|| key.id().to_owned()))
}
