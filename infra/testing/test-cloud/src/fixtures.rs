//! What the tests of several functions set up and call alike: the time, the tables, who calls, events,
//! endpoints.

mod chosen_ids;
mod endpoints;
mod events;
mod requests;
mod text;

use jiff::Timestamp;
use shared::access::{Access, Role};
use shared::audit::Audit;
use shared::aws::{AwsEnv, CallLimits};
use shared::ledger::{Ledger, Retention};
use shared::records::Records;
use shared::registry::{Registry, Settings};
use shared::unix_time::UnixMillis;

pub use self::chosen_ids::{CHOSEN_IDS, path_forms};
pub use self::endpoints::{endpoint_row, store_endpoint};
pub use self::events::{doorbell, event, ledger_row, receive, sweep};
pub use self::requests::{
    API_ID, api_event, delivery, error_code, http_request, sign_in, status_and_body, trigger_answer,
};
pub use self::text::unsorted_text;

/// The name of the secret with the Stripe key.
pub const STRIPE_KEY_SECRET: &str = "stripe-key";

/// Returns the time of most tests: a noon.
#[allow(clippy::expect_used, reason = "it is a time")]
pub fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

/// Returns the ledger's retention: ninety days.
#[allow(clippy::expect_used, reason = "it is a retention")]
pub fn retention() -> Retention {
    "90".parse().expect("a retention")
}

/// Returns who may do what: the groups `admin` and `viewer`, through the API [`API_ID`].
pub fn access() -> Access {
    Access {
        api_id: API_ID.into(),
        groups_claim: "cognito:groups".into(),
        admin_group: "admin".into(),
        viewer_group: "viewer".into(),
        highest: Role::Admin,
    }
}

/// Returns the ledger of this AWS.
pub fn ledger(aws: &AwsEnv) -> Ledger {
    Ledger::new(aws.dynamodb(CallLimits::PATIENT), "LedgerTable")
}

/// Returns the records of this AWS.
pub fn records(aws: &AwsEnv) -> Records {
    Records::new(aws.dynamodb(CallLimits::PATIENT), "RecordsTable")
}

/// Returns the registry of this AWS.
pub fn registry(aws: &AwsEnv) -> Registry {
    Registry::new(aws.dynamodb(CallLimits::PATIENT), "RegistryTable")
}

/// Returns the audit of this AWS.
pub fn audit(aws: &AwsEnv) -> Audit {
    Audit::new(aws.dynamodb(CallLimits::PATIENT), "AuditTable")
}

/// Stores the settings of a stack whose Stripe key was set at this time.
///
/// # Panics
/// If they cannot be stored.
#[allow(clippy::expect_used, reason = "a test that cannot have its stack has to fail at once")]
pub async fn store_settings(registry: &Registry, at: impl Into<UnixMillis>) {
    let at = at.into();
    let mut settings = Settings {
        since: at,
        stripe_key_hint: "sk_test_…ated".into(),
        stripe_key_set_at: at,
        stripe_account: None,
        rev: 0,
    };
    registry.store_settings(None, &mut settings).await.expect("settings");
}
