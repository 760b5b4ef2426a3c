//! Many items of one table by their keys: `BatchGetItem`, with what it leaves out asked for again.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::aws::StoreError;

/// Keys in one call (its API reference).
const AT_ONCE: usize = 100;
/// Calls for what was left out. DynamoDB leaves out what is over 16 MB or throttled.
const ROUNDS: u32 = 5;
/// The wait before the second of them; doubled each time, as the API reference advises.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Reads the items with these keys, consistently, in any order; those that are not there are left out.
/// `names` are the attributes to read; none means all.
pub(crate) async fn get(
    client: &Client,
    table: &str,
    keys: Vec<HashMap<String, AttributeValue>>,
    names: &[&str],
    doing: &'static str,
) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
    let mut items = Vec::new();
    for chunk in keys.chunks(AT_ONCE) {
        let mut asked = Some(request(chunk.to_vec(), names).map_err(StoreError::doing(doing))?);
        for round in 0..ROUNDS {
            let Some(request) = asked.take() else { break };
            if round > 0 {
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(round - 1)).await;
            }
            let call = client.batch_get_item().request_items(table, request).send();
            let answer = call.await.map_err(StoreError::doing(doing))?;
            items.extend(answer.responses.into_iter().flat_map(|mut tables| tables.remove(table)).flatten());
            asked = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table));
        }
        if asked.is_some() {
            return Err(StoreError::new(doing, "DynamoDB left some out again and again"));
        }
    }
    Ok(items)
}

fn request(
    keys: Vec<HashMap<String, AttributeValue>>,
    names: &[&str],
) -> Result<KeysAndAttributes, aws_sdk_dynamodb::error::BuildError> {
    let mut request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
    if !names.is_empty() {
        // Some names are words of DynamoDB's own language, so all go by another.
        request = request.projection_expression(
            names.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", "),
        );
        for name in names {
            request = request.expression_attribute_names(format!("#{name}"), *name);
        }
    }
    request.build()
}
