//! The list of payments: PaymentIntents, and charges without one, which are payments too (imports, old
//! integrations).
//!
//! The two kinds lie apart in the indexes, so two lists are merged by what they are sorted by: when Stripe
//! made the object, then account and id. Most charges have a PaymentIntent and are left out; those that are
//! older than the page's last PaymentIntent are not looked at.

use shared::aws::StoreError;
use shared::kind::Kind;
use shared::records::{Record, RecordListing, RecordPage};

use crate::deps::Deps;

/// Charges that are listed at once.
const CHARGES_PAGE: usize = 50;
/// Charges that one request looks at, before it returns a short page.
const MAX_CHARGES: usize = 1_000;

/// Lists at most `limit` payments that `wanted` says yes to, the latest made first, after `from`: a position
/// in the list of PaymentIntents, or of a charge in its words. `listing` returns the records of a kind.
///
/// # Errors
/// If an index or the records cannot be read.
pub(crate) async fn list_payments(
    deps: &Deps,
    listing: impl Fn(Kind) -> RecordListing,
    from: Option<String>,
    limit: usize,
    wanted: impl Fn(&Record) -> bool,
) -> Result<RecordPage, StoreError> {
    let intents = deps.records.list(&listing(Kind::PAYMENT), from.clone(), limit, &wanted).await?;
    let mut records = intents.records;
    // Each list is known down to a position in it; one that is known to its end, to none.
    let intents_to = intents.next.as_deref().map(|position| place(position).to_owned());
    let mut charges_to = from.as_deref().map(|position| place(position).to_owned());
    let (mut looked_at, mut found) = (0, 0);
    loop {
        let from = charges_to.as_deref().map(|place| position(Kind::CHARGE, place));
        let page = deps.records.list(&listing(Kind::CHARGE), from, CHARGES_PAGE, |_| true).await?;
        looked_at += page.records.len();
        for charge in page.records {
            if !charge.names_payment() && wanted(&charge) {
                records.push(charge);
                found += 1;
            }
        }
        charges_to = page.next.as_deref().map(|position| place(position).to_owned());
        let is_known = match (&charges_to, &intents_to) {
            (None, _) => true,
            (Some(charges), Some(intents)) => charges <= intents,
            (Some(_), None) => false,
        };
        if is_known || found >= limit || looked_at >= MAX_CHARGES {
            break;
        }
    }
    // What lies below the higher of the two positions may have others before it.
    let known_to = intents_to.max(charges_to);
    records.retain(|record| known_to.as_deref().is_none_or(|known| place(record.list_position()) >= known));
    records.sort_by(|a, b| place(b.list_position()).cmp(place(a.list_position())));
    let next = if records.len() > limit {
        records.truncate(limit);
        records.last().map(|last| position(Kind::PAYMENT, place(last.list_position())))
    } else {
        known_to.map(|known| position(Kind::PAYMENT, &known))
    };
    Ok(RecordPage { records, next })
}

/// The position in the list of payments of a record that is one of them.
pub(crate) fn payment_position(record: &Record) -> String {
    position(Kind::PAYMENT, place(record.list_position()))
}

/// What follows the kind in a list position.
fn place(position: &str) -> &str {
    position.split_once('#').map_or("", |(_, place)| place)
}

fn position(kind: Kind, place: &str) -> String {
    format!("{}#{place}", kind.object())
}
