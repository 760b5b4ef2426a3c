//! What the status reads: everything that is kept, in one call for whatever number of endpoints.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::comparing::{COMPARISON, Comparison};
use super::hours::{HOUR, Hour, hour_name};
use super::importing::{IMPORT, Import};
use super::reconciling::FACTS;
use super::{HEARD, Heard, Registry, SETTINGS, Settings, THE_STACK};
use crate::aws::{StoreError, chain};
use crate::batch;
use crate::facts::Facts;
use crate::ledger::State;

/// Hours that are shown.
const HOURS: i64 = 24;

/// The rows that the status is made from, besides the endpoints.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Once a Stripe key has been set.
    pub settings: Option<Settings>,
    /// Once reconciliation has run.
    pub facts: Option<Facts>,
    /// The latest import.
    pub import: Option<Import>,
    /// Once records have been compared with Stripe's objects.
    pub comparison: Option<Comparison>,
    /// What receive has noted of each endpoint.
    pub heard: HashMap<String, Heard>,
    /// The counts of each hour of the last day in which something happened, the earliest first.
    pub hours: Vec<Hour>,
}

type Item = HashMap<String, AttributeValue>;

impl Registry {
    /// Reads what is kept, for the endpoints of these names.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn kept(&self, endpoints: &[&str], now: Timestamp) -> Result<Kept, StoreError> {
        let doing = "reading what is kept";
        let hours = (0..=HOURS).rev().map(|ago| hour_name(now - SignedDuration::from_hours(ago)));
        let one = |kind: &str, name: String| (kind.to_owned(), name);
        let keys = hours
            .map(|hour| one(HOUR, hour))
            .chain(endpoints.iter().map(|name| one(HEARD, (*name).to_owned())))
            .chain([SETTINGS, FACTS, IMPORT, COMPARISON].map(|kind| one(kind, THE_STACK.to_owned())));
        let keys = keys.map(|(kind, name)| {
            HashMap::from([
                ("kind".to_owned(), AttributeValue::S(kind)),
                ("name".to_owned(), AttributeValue::S(name)),
            ])
        });
        let items = batch::get(&self.client, &self.table, keys.collect(), &[], doing).await?;
        let mut kept = Kept {
            settings: None,
            facts: None,
            import: None,
            comparison: None,
            heard: HashMap::new(),
            hours: Vec::new(),
        };
        for item in items {
            match text(&item, "kind").as_str() {
                SETTINGS => kept.settings = Some(read(item, doing)?),
                FACTS => kept.facts = read_if_ours(item, doing),
                IMPORT => kept.import = read_if_ours(item, doing),
                COMPARISON => kept.comparison = read_if_ours(item, doing),
                HEARD => {
                    kept.heard.insert(text(&item, "name"), read(item, doing)?);
                }
                _ => kept.hours.push(hour(&item, doing)?),
            }
        }
        kept.hours.sort_by_key(|hour| hour.begins);
        Ok(kept)
    }

    /// What reconciliation gathered, once it has run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn facts(&self) -> Result<Option<Facts>, StoreError> {
        let doing = "reading what was gathered";
        let key = [("kind", FACTS), ("name", THE_STACK)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let items = batch::get(&self.client, &self.table, vec![HashMap::from(key)], &[], doing).await?;
        Ok(items.into_iter().next().and_then(|item| read_if_ours(item, doing)))
    }
}

fn read<T: DeserializeOwned>(item: Item, doing: &'static str) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(StoreError::while_(doing))
}

/// What another version of this program has gathered is gathered anew; it must not keep anything from working.
fn read_if_ours<T: DeserializeOwned>(item: Item, doing: &'static str) -> Option<T> {
    match read(item, doing) {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(error = chain(&error), "what was gathered cannot be read");
            None
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

fn hour(item: &Item, doing: &'static str) -> Result<Hour, StoreError> {
    let begins = format!("{}:00:00Z", text(item, "name")).parse().map_err(StoreError::while_(doing))?;
    let count = |state: State| item.get(state.as_str())?.as_n().ok()?.parse().ok();
    let counts = State::ALL.into_iter().filter_map(|state| Some((state, count(state)?))).collect();
    Ok(Hour { begins, counts })
}
