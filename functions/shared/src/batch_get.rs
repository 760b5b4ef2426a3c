//! Many items of one table by their keys: `BatchGetItem`, whole.
//!
//! The keys are a set, because DynamoDB refuses a call that holds one twice. What a call leaves out (above
//! 16 MB in all, above 1 MB of one partition, or throttled) is asked for again for as long as calls bring
//! something; how long when they bring nothing depends on who waits ([`Patience`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::aws::StoreError;

/// Keys in one call (its API reference).
const MAX_KEYS: usize = 100;
/// The wait before what was left out is asked for; doubled while calls bring nothing, as the API reference
/// advises.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// How long calls that bring nothing are repeated before the table counts as unavailable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A person waits: 3.8 s, within the 10 s of the shortest function that people call.
    #[default]
    Interactive,
    /// Nobody waits: 12.8 s, within the 20 s that `process` keeps free behind the last row that it begins.
    Background,
}

impl Patience {
    /// How many calls one after another may bring nothing, and the longest wait between two.
    fn limits(self) -> (u32, Duration) {
        match self {
            // 20 + 40 + … + 1,280 + 1,280 ms.
            Self::Interactive => (8, Duration::from_millis(1_280)),
            // 20 + 40 + … + 2,560 + 3 · 2,560 ms.
            Self::Background => (11, Duration::from_millis(2_560)),
        }
    }

    /// Returns how long to wait after so many calls that brought nothing; none if there is to be no other.
    fn wait(self, stalled: u32) -> Option<Duration> {
        let (max_stalled, longest) = self.limits();
        (stalled < max_stalled).then(|| (FIRST_WAIT * 2_u32.pow(stalled)).min(longest))
    }
}

/// The key of an item: its attributes by name.
pub(crate) type ItemKey = BTreeMap<&'static str, KeyValue>;

/// The value of an attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyValue {
    /// A text.
    Text(String),
    /// A number.
    Number(u64),
}

impl From<KeyValue> for AttributeValue {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::Text(text) => Self::S(text),
            KeyValue::Number(number) => Self::N(number.to_string()),
        }
    }
}

/// Reads the items with these keys, consistently, each once, in any order; those that are not there are left
/// out. `names` are the attributes to read; none means all.
pub(crate) async fn get(
    client: &Client,
    table: &str,
    keys: BTreeSet<ItemKey>,
    names: &[&str],
    patience: Patience,
    doing: &'static str,
) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
    let keys: Vec<ItemKey> = keys.into_iter().collect();
    let mut items = Vec::new();
    for chunk in keys.chunks(MAX_KEYS) {
        let mut wanted = Some(request(chunk, names).map_err(StoreError::doing(doing))?);
        let mut stalled = 0;
        while let Some(request) = wanted.take() {
            let asked = request.keys().len();
            let call = client.batch_get_item().request_items(table, request).send();
            let answer = call.await.map_err(StoreError::doing(doing))?;
            items.extend(answer.responses.into_iter().flat_map(|mut tables| tables.remove(table)).flatten());
            wanted = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table));
            if let Some(left_out) = &wanted {
                stalled = if left_out.keys().len() < asked { 0 } else { stalled + 1 };
                let wait = patience
                    .wait(stalled)
                    .ok_or_else(|| StoreError::new(doing, "DynamoDB left some out again and again"))?;
                tokio::time::sleep(wait).await;
            }
        }
    }
    Ok(items)
}

fn request(
    keys: &[ItemKey],
    names: &[&str],
) -> Result<KeysAndAttributes, aws_sdk_dynamodb::error::BuildError> {
    let attributes =
        |key: &ItemKey| key.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
    let keys = keys.iter().map(attributes).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_while_nothing_comes_and_in_the_background_it_is_given_up_later() {
        for (patience, expected) in [
            (Patience::Interactive, &[20, 40, 80, 160, 320, 640, 1_280, 1_280][..]),
            (Patience::Background, &[20, 40, 80, 160, 320, 640, 1_280, 2_560, 2_560, 2_560, 2_560]),
        ] {
            let waits = (0..).map_while(|stalled| patience.wait(stalled)).map(|wait| wait.as_millis());
            assert_eq!(waits.collect::<Vec<_>>(), expected, "{patience:?}");
        }
    }
}
