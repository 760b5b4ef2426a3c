//! What the status reads: everything that is kept, in one call for whatever number of endpoints.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::drift_progress::{COMPARISON, DriftProgress};
use super::hourly_counts::{HOUR, HourlyCounts, LagCounts, hour_name};
use super::import_progress::{IMPORT, Import};
use super::payout_progress::{PAYOUTS, PayoutProgress};
use super::reconcile_progress::HEALTH;
use super::stack_id::StackId;
use super::{
    ENDPOINT_ACTIVITY, EndpointActivity, LastProbe, PROBE, RULES, Registry, Rules, SETTINGS, STACK_ID,
    Settings, THE_STACK, row_key,
};
use crate::aws::{StoreError, error_chain};
use crate::batch_get;
use crate::health::HealthSnapshot;
use crate::ledger::EventState;

/// Hours that are shown.
const HOURS: i64 = 24;

/// The rows that the status is made from, besides the endpoints.
#[derive(Debug, Clone)]
pub struct StatusRows {
    /// Once a Stripe key has been set.
    pub settings: Option<Settings>,
    /// What is ignored, and how failures are retried.
    pub rules: Rules,
    /// The stack's id, once it has created an endpoint.
    pub stack_id: Option<String>,
    /// Once reconciliation has run.
    pub health: Option<HealthSnapshot>,
    /// The latest import.
    pub import: Option<Import>,
    /// Once records have been compared with Stripe's objects.
    pub drift: Option<DriftProgress>,
    /// Once payouts have been looked for.
    pub payouts: Option<PayoutProgress>,
    /// The recorded activity of each endpoint.
    pub activity: HashMap<String, EndpointActivity>,
    /// The last probe of each endpoint that was sent one.
    pub probes: HashMap<String, LastProbe>,
    /// The counts of each hour of the last day in which something happened, the earliest first.
    pub hours: Vec<HourlyCounts>,
}

type Item = HashMap<String, AttributeValue>;

impl Registry {
    /// Reads what is kept, for the endpoints of these names.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn status_rows(&self, endpoints: &[&str], now: Timestamp) -> Result<StatusRows, StoreError> {
        let doing = "reading what is kept";
        let hours = (0..=HOURS).rev().map(|ago| hour_name(now - SignedDuration::from_hours(ago)));
        let keys = hours
            .map(|hour| row_key(HOUR, hour))
            .chain(endpoints.iter().map(|name| row_key(ENDPOINT_ACTIVITY, (*name).to_owned())))
            .chain(endpoints.iter().map(|name| row_key(PROBE, (*name).to_owned())))
            .chain(
                [SETTINGS, STACK_ID, HEALTH, IMPORT, COMPARISON, PAYOUTS]
                    .map(|kind| row_key(kind, THE_STACK.to_owned())),
            )
            .chain([row_key(SETTINGS, RULES.to_owned())]);
        let items =
            batch_get::get(&self.client, &self.table, keys.collect(), &[], self.patience, doing).await?;
        let mut rows = StatusRows {
            settings: None,
            rules: Rules::default(),
            stack_id: None,
            health: None,
            import: None,
            drift: None,
            payouts: None,
            activity: HashMap::new(),
            probes: HashMap::new(),
            hours: Vec::new(),
        };
        for item in items {
            match text(&item, "kind").as_str() {
                SETTINGS if text(&item, "name") == RULES => rows.rules = read(item, doing)?,
                SETTINGS => rows.settings = Some(read(item, doing)?),
                STACK_ID => rows.stack_id = Some(read::<StackId>(item, doing)?.id),
                HEALTH => rows.health = read_or_discard(item, doing),
                IMPORT => rows.import = read_or_discard(item, doing),
                COMPARISON => rows.drift = read_or_discard(item, doing),
                PAYOUTS => rows.payouts = read_or_discard(item, doing),
                ENDPOINT_ACTIVITY => {
                    rows.activity.insert(text(&item, "name"), read(item, doing)?);
                }
                PROBE => {
                    let name = text(&item, "name");
                    rows.probes.extend(read_or_discard(item, doing).map(|probe| (name, probe)));
                }
                _ => rows.hours.push(hour(&item, doing)?),
            }
        }
        rows.hours.sort_by_key(|hour| hour.begins);
        Ok(rows)
    }

    /// What reconciliation gathered, once it has run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn health_snapshot(&self) -> Result<Option<HealthSnapshot>, StoreError> {
        let doing = "reading what was gathered";
        let key = row_key(HEALTH, THE_STACK.to_owned());
        let items =
            batch_get::get(&self.client, &self.table, [key].into(), &[], self.patience, doing).await?;
        Ok(items.into_iter().next().and_then(|item| read_or_discard(item, doing)))
    }
}

fn read<T: DeserializeOwned>(item: Item, doing: &'static str) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(StoreError::doing(doing))
}

/// What another version of this program has gathered is gathered anew; it must not keep anything from
/// working.
fn read_or_discard<T: DeserializeOwned>(item: Item, doing: &'static str) -> Option<T> {
    match read(item, doing) {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(error = error_chain(&error), "what was gathered cannot be read");
            None
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

fn hour(item: &Item, doing: &'static str) -> Result<HourlyCounts, StoreError> {
    let begins = format!("{}:00:00Z", text(item, "name")).parse().map_err(StoreError::doing(doing))?;
    let count = |name: &str| item.get(name)?.as_n().ok()?.parse().ok();
    let counts =
        EventState::ALL.into_iter().filter_map(|state| Some((state, count(state.as_str())?))).collect();
    Ok(HourlyCounts { begins, counts, lags: LagCounts::read(count) })
}
