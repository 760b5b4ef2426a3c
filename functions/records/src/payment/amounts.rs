//! Amounts of Stripe's objects: integers in the currency's smallest unit.

use serde_json::Value;

/// Returns an amount of an object, 0 if it is missing.
pub(super) fn amount(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or(0)
}

/// Adds amounts. A sum beyond the largest integer stays there instead of overflowing.
pub(super) fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}
