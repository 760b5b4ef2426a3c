//! The first items of a `Query`, page by page.
//!
//! A page of DynamoDB may hold fewer items than were asked for, or none: it ends where 1 MB has been looked
//! at. That it names no `LastEvaluatedKey` is the only sign that nothing is left.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};

use crate::aws::StoreError;

/// Returns the first items that a query finds, at most `wanted`; fewer only if there are no more.
pub(crate) async fn first(
    query: QueryFluentBuilder,
    wanted: usize,
    doing: &'static str,
) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
    let mut items = Vec::new();
    pages(query, wanted, doing, |page| items.append(page.items.get_or_insert_default())).await?;
    Ok(items)
}

/// Returns how many items a query finds, counted up to `enough`.
pub(crate) async fn count(
    query: QueryFluentBuilder,
    enough: usize,
    doing: &'static str,
) -> Result<usize, StoreError> {
    let mut count = 0;
    let query = query.select(Select::Count);
    pages(query, enough, doing, |page| count += usize::try_from(page.count).unwrap_or(0)).await?;
    Ok(count)
}

/// Reads pages until they have brought so many items, or there are no more.
async fn pages(
    query: QueryFluentBuilder,
    wanted: usize,
    doing: &'static str,
    mut take: impl FnMut(&mut QueryOutput),
) -> Result<(), StoreError> {
    let (mut left, mut from) = (wanted, None);
    while left > 0 {
        let call = query.clone().limit(i32::try_from(left).unwrap_or(i32::MAX)).set_exclusive_start_key(from);
        let mut page = call.send().await.map_err(StoreError::doing(doing))?;
        left = left.saturating_sub(usize::try_from(page.count).unwrap_or(0));
        take(&mut page);
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }
    Ok(())
}
