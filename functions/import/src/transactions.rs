//! Writes balance transactions as records, each with what it belongs to: its charge, refund or dispute, the
//! payment, invoice and customer behind it, and its payout.
//!
//! Stripe lists them with their source expanded, which names the charge, the payment and mostly the customer.
//! The rest is read from the records: a refund's or dispute's charge names the customer, and an invoice
//! payment the invoice. A record that says the same is not written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use shared::account::AccountKey;
use shared::kind::{Kind, reference_id};
use shared::lossy_json;
use shared::object_key::ObjectKey;
use shared::records::{Put, Record, TransactionLinks, joins_invoice};
use shared::unix_time::UnixSeconds;

use crate::deps::Deps;
use crate::error::ImportError;
use crate::upsert::{FetchedObject, RecordCheck, check, new_record};

/// Records written, or payments asked for their invoice, at a time.
const CONCURRENCY: usize = 16;
/// Few processes write one record.
const MAX_ATTEMPTS: u32 = 10;

/// A balance transaction as Stripe listed it.
#[derive(Debug)]
pub(crate) struct ListedTransaction {
    pub(crate) key: ObjectKey,
    /// With its source as an id.
    pub(crate) object: Value,
    /// Its source, expanded where the key may read it.
    source: Value,
}

/// What became of some transactions.
#[derive(Debug, Default)]
pub(crate) struct WrittenTransactions {
    /// How many records were written.
    pub(crate) written: u64,
    /// Those that another payout has; they stay with it.
    pub(crate) of_other_payouts: Vec<String>,
}

impl ListedTransaction {
    /// Reads one of a list; none if it is no balance transaction, or cannot be read.
    pub(crate) fn read(raw: &RawValue, account: &AccountKey) -> Option<Self> {
        let mut object: Value = lossy_json::from_str(raw.get()).ok()?;
        if object["object"] != Kind::BALANCE_TRANSACTION.object() {
            return None;
        }
        let id = object["id"].as_str()?;
        let key = ObjectKey::new(account.connected(), Kind::BALANCE_TRANSACTION.object(), id).ok()?;
        let source = object["source"].take();
        object["source"] = reference_id(&source).map_or(Value::Null, Value::from);
        Some(Self { key, object, source })
    }

    /// What its source names. One that is not expanded is known by its id's prefix.
    fn links(&self) -> TransactionLinks {
        let id = reference_id(&self.source).map(str::to_owned);
        let kind = match self.source["object"].as_str() {
            Some(object) => Kind::from_object_name(object),
            None => id.as_deref().and_then(Kind::from_id_prefix),
        };
        let named = |member: &str| reference_id(&self.source[member]).map(str::to_owned);
        let customer = kind.and_then(|kind| kind.customer(&self.source)).map(str::to_owned);
        let (charge, payment) = (named("charge"), named("payment_intent"));
        let of_payment = TransactionLinks { charge, payment, customer, ..TransactionLinks::default() };
        match kind {
            Some(Kind::CHARGE) => TransactionLinks { charge: id, invoice: named("invoice"), ..of_payment },
            Some(Kind::REFUND) => TransactionLinks { refund: id, ..of_payment },
            Some(Kind::DISPUTE) => TransactionLinks { dispute: id, ..of_payment },
            // What others name, such as the charge of an application fee, can be another account's.
            _ => TransactionLinks::default(),
        }
    }
}

/// Writes transactions of one account, which Stripe listed as of a second; `payout` is the one that they were
/// listed for.
pub(crate) async fn write(
    deps: &Deps,
    listed: &[ListedTransaction],
    payout: Option<&str>,
    as_of: UnixSeconds,
) -> Result<WrittenTransactions, ImportError> {
    let keys: Vec<ObjectKey> = listed.iter().map(|transaction| transaction.key.clone()).collect();
    let records = deps.records.get_all(&keys).await?;
    let records: HashMap<ObjectKey, Record> =
        records.into_iter().map(|record| (record.key.clone(), record)).collect();
    let links = links(deps, listed).await?;
    let mut outcome = WrittenTransactions::default();
    let mut writes = Vec::new();
    for (transaction, links) in listed.iter().zip(links) {
        let record = records.get(&transaction.key);
        let stored = record.and_then(|record| record.links.as_ref()?.payout.as_deref());
        if stored.is_some() && payout.is_some() && stored != payout {
            outcome.of_other_payouts.push(transaction.key.id().to_owned());
        }
        let payout = stored.or(payout).map(str::to_owned);
        let links = TransactionLinks { payout, ..links };
        writes.push(write_one(deps, transaction, links, record.cloned(), as_of));
    }
    let written: Vec<bool> =
        futures::stream::iter(writes).buffer_unordered(CONCURRENCY).try_collect().await?;
    outcome.written = written.into_iter().filter(|written| *written).count() as u64;
    Ok(outcome)
}

/// Returns whether the record was written.
async fn write_one(
    deps: &Deps,
    transaction: &ListedTransaction,
    links: TransactionLinks,
    mut record: Option<Record>,
    as_of: UnixSeconds,
) -> Result<bool, ImportError> {
    let raw = transaction.object.to_string();
    let key = transaction.key.clone();
    let fetched = FetchedObject { key, raw: &raw, object: &transaction.object, as_of };
    for _ in 0..MAX_ATTEMPTS {
        let new = match &record {
            Some(old) if check(old, &fetched) == RecordCheck::UpToDate => old.clone(),
            old => new_record(&fetched, old.as_ref())?,
        };
        // What was known before and cannot be found now, such as of a charge that is gone, stays.
        let links = merged(links.clone(), record.as_ref().and_then(|old| old.links.clone()));
        let new = new.with_links(links);
        if record.as_ref() == Some(&new) {
            return Ok(false);
        }
        let put = match &record {
            None => deps.records.put_if_newer(&new).await?,
            Some(old) => deps.records.replace(old, &new).await?,
        };
        match put {
            Put::Done => return Ok(true),
            // After a lost response the SDK writes again and finds its own record.
            Put::Conflict(stored) if *stored == new => return Ok(true),
            Put::Conflict(stored) => record = Some(*stored),
        }
    }
    Err(ImportError::Contended(transaction.key.to_string()))
}

fn merged(new: TransactionLinks, old: Option<TransactionLinks>) -> TransactionLinks {
    let old = old.unwrap_or_default();
    TransactionLinks {
        payout: old.payout.or(new.payout),
        charge: new.charge.or(old.charge),
        refund: new.refund.or(old.refund),
        dispute: new.dispute.or(old.dispute),
        payment: new.payment.or(old.payment),
        invoice: new.invoice.or(old.invoice),
        customer: new.customer.or(old.customer),
    }
}

/// What each transaction belongs to, but for its payout: as its source says, and what the records say of its
/// charge and payment.
async fn links(deps: &Deps, listed: &[ListedTransaction]) -> Result<Vec<TransactionLinks>, ImportError> {
    let mut links: Vec<_> = listed.iter().map(ListedTransaction::links).collect();
    let account = listed.iter().map(|transaction| &transaction.key).next();
    let Some(account) = account else { return Ok(links) };
    let sibling = |kind, id: &String| account.sibling(kind, id).ok();
    // Of a source that is not expanded the record says what it names.
    let unknown = links.iter().filter(|links| links.payment.is_none() || links.customer.is_none());
    let keys: BTreeSet<ObjectKey> = unknown
        .flat_map(|links| {
            [
                links.charge.as_ref().and_then(|id| sibling(Kind::CHARGE, id)),
                links.refund.as_ref().and_then(|id| sibling(Kind::REFUND, id)),
                links.dispute.as_ref().and_then(|id| sibling(Kind::DISPUTE, id)),
                links.payment.as_ref().and_then(|id| sibling(Kind::PAYMENT, id)),
            ]
        })
        .flatten()
        .collect();
    let objects = objects(deps, keys.into_iter().collect()).await?;
    let charges: BTreeSet<ObjectKey> =
        objects.values().filter_map(|object| sibling(Kind::CHARGE, &named(object, "charge")?)).collect();
    let charges = charges.into_iter().filter(|key| !objects.contains_key(key)).collect();
    let charges = self::objects(deps, charges).await?;
    let object = |kind, id: &Option<String>| {
        let key = sibling(kind, id.as_ref()?)?;
        objects.get(&key).or_else(|| charges.get(&key))
    };
    for links in &mut links {
        for (kind, id) in [(Kind::REFUND, links.refund.clone()), (Kind::DISPUTE, links.dispute.clone())] {
            if let Some(part) = object(kind, &id) {
                fill(&mut links.charge, || named(part, "charge"));
                fill(&mut links.payment, || named(part, "payment_intent"));
                fill(&mut links.customer, || kind.customer(part).map(str::to_owned));
            }
        }
        if let Some(charge) = object(Kind::CHARGE, &links.charge) {
            fill(&mut links.payment, || named(charge, "payment_intent"));
            fill(&mut links.customer, || Kind::CHARGE.customer(charge).map(str::to_owned));
            fill(&mut links.invoice, || named(charge, "invoice"));
        }
        if let Some(payment) = object(Kind::PAYMENT, &links.payment) {
            fill(&mut links.customer, || Kind::PAYMENT.customer(payment).map(str::to_owned));
            fill(&mut links.invoice, || named(payment, "invoice"));
        }
    }
    let without_invoice = links.iter().filter(|links| links.invoice.is_none());
    let paid_with: BTreeSet<ObjectKey> = without_invoice.filter_map(|links| owner(account, links)).collect();
    let invoices = invoices(deps, paid_with).await?;
    for links in &mut links {
        let owner = owner(account, links);
        fill(&mut links.invoice, || invoices.get(&owner?).cloned());
    }
    Ok(links)
}

/// What an invoice payment names: the payment, or a charge without one.
fn owner(account: &ObjectKey, links: &TransactionLinks) -> Option<ObjectKey> {
    match (&links.payment, &links.charge) {
        (Some(payment), _) => account.sibling(Kind::PAYMENT, payment).ok(),
        (None, Some(charge)) => account.sibling(Kind::CHARGE, charge).ok(),
        (None, None) => None,
    }
}

/// The invoices that payments paid, as invoice payments say.
async fn invoices(
    deps: &Deps,
    owners: BTreeSet<ObjectKey>,
) -> Result<BTreeMap<ObjectKey, String>, ImportError> {
    let reads = owners.into_iter().map(async |owner| {
        let parts = deps.records.naming(&owner).await?;
        let joints = parts.iter().filter(|part| part.key.kind() == Some(Kind::INVOICE_PAYMENT));
        let joints = joints.filter_map(Record::parsed).filter(joins_invoice);
        let invoice = joints.filter_map(|joint| named(&joint, "invoice")).next();
        Ok::<_, ImportError>(invoice.map(|invoice| (owner, invoice)))
    });
    let found: Vec<Option<_>> = futures::stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn objects(deps: &Deps, keys: Vec<ObjectKey>) -> Result<HashMap<ObjectKey, Value>, ImportError> {
    let records = deps.records.get_all(&keys).await?;
    Ok(records.into_iter().filter_map(|record| Some((record.key.clone(), record.parsed()?))).collect())
}

fn named(object: &Value, member: &str) -> Option<String> {
    reference_id(&object[member]).map(str::to_owned)
}

fn fill(place: &mut Option<String>, value: impl FnOnce() -> Option<String>) {
    if place.is_none() {
        *place = value();
    }
}
