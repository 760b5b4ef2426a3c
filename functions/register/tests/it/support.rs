//! A stack with a simulated Stripe, and ways to call it as somebody.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use register::{Config, Deps, handle};
use serde_json::{Value, json};
use shared::audit::AuditEntry;
use shared::aws::{AwsEnv, CallLimits};
use shared::deadline::Deadline;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::mode::Mode;
use shared::registry::Registry;
use simulated_stripe::{Options, SimulatedStripe};
use test_cloud::TestCloud;
use test_cloud::fixtures::{
    self, API_ID, STRIPE_KEY_SECRET, access, api_event, http_request, now, sign_in, status_and_body,
};

/// Where nothing takes connections: what is sent there is refused at once.
pub(crate) const PUBLIC_URL: &str = "https://127.0.0.1:1";
pub(crate) const KEY: &str = "sk_test_simulated";

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum As {
    Admin,
    Viewer,
    Stranger,
    /// Through our API, without a token.
    Nobody,
    /// A direct invocation.
    Iam,
}

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
    pub(crate) mode: Mode,
    /// How long its requests may take, if that is bounded.
    pub(crate) work_within: Option<Duration>,
    pub(crate) reenable: bool,
    pub(crate) rotate_days: i64,
    /// The process that all requests go to; none is a new one for each.
    pub(crate) process: Option<Arc<Deps>>,
    pub(crate) kms_key: Option<String>,
}

pub(crate) fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

impl Stack {
    /// A test stack without a key.
    pub(crate) async fn bare() -> Self {
        Self::with(Options::for_tests(), Mode::Test).await
    }

    pub(crate) async fn with(options: Options, mode: Mode) -> Self {
        let cloud = TestCloud::start().await;
        cloud.put_secret(STRIPE_KEY_SECRET, "{}");
        let stripe = SimulatedStripe::start(options.at(now().as_second())).unwrap();
        Self {
            cloud,
            stripe,
            mode,
            work_within: None,
            reenable: false,
            rotate_days: 0,
            kms_key: None,
            process: None,
        }
    }

    /// A test stack with a key.
    pub(crate) async fn start() -> Self {
        let stack = Self::bare().await;
        stack.set_key().await;
        stack
    }

    pub(crate) async fn set_key(&self) {
        let body = json!({ "key": self.stripe.key() }).to_string();
        let (status, answer) = self.call("PUT", "/settings/stripe-key", &body).await;
        assert_eq!(status, 200, "{answer}");
        self.cloud.clear_calls();
        self.stripe.clear_requests();
    }

    /// A stack whose requests are given up soon, so that a hang is a crash.
    pub(crate) fn hasty(mut self) -> Self {
        self.work_within = Some(Duration::from_secs(4));
        self
    }

    /// When a request that begins now is to end.
    pub(crate) fn deadline(&self) -> Deadline {
        self.work_within.map_or(Deadline::NEVER, Deadline::after)
    }

    /// From now on all requests go to one process, which saves the time that each takes to start.
    pub(crate) fn with_one_process(mut self) -> Self {
        self.process = Some(Arc::new(self.cold()));
        self
    }

    fn process(&self) -> Arc<Deps> {
        self.process.clone().unwrap_or_else(|| Arc::new(self.cold()))
    }

    /// A process that has just started and knows nothing.
    pub(crate) fn cold(&self) -> Deps {
        self.cold_at(self.cloud.aws())
    }

    /// The same, that finds AWS there.
    pub(crate) fn cold_at(&self, aws: AwsEnv) -> Deps {
        Deps::new(Config {
            aws,
            mode: self.mode,
            stack: "stack".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            records_table: "RecordsTable".into(),
            public_url: format!("{PUBLIC_URL}/"),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            secret_prefix: "stack/endpoints/".into(),
            secret_kms_key: self.kms_key.clone(),
            access: access(),
            unknown_endpoint_lookup_interval: Duration::ZERO,
            reenable: self.reenable,
            rotate_days: self.rotate_days,
        })
        .unwrap()
    }

    /// An admin's call to a new process.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.call_as(As::Admin, method, path, body).await
    }

    pub(crate) async fn call_as(&self, who: As, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.answer(request(who, method, path, body), now()).await
    }

    pub(crate) async fn call_at(&self, at: Timestamp, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.answer(request(As::Admin, method, path, body), at).await
    }

    /// The answer, which has to be there by the deadline if there is one.
    async fn answer(&self, request: lambda_http::Request, at: Timestamp) -> (u16, Value) {
        let process = self.process();
        let answer = Box::pin(register::answer(&process, request, at, self.deadline()));
        status_and_body(match self.work_within {
            // Many times its deadline, so that a busy machine is none that fails.
            Some(within) => tokio::time::timeout(within * 15, answer).await.expect("an answer in time"),
            None => answer.await,
        })
    }

    /// A run of the schedule.
    pub(crate) async fn maintain(&self, at: Timestamp) -> Value {
        let sample = include_str!("../../../../events/register/schedule.json");
        handle(&self.process(), &serde_json::from_str(sample).unwrap(), "r-1", at, self.deadline())
            .await
            .unwrap()
    }

    pub(crate) async fn register(&self, body: &str) -> (u16, Value) {
        self.call("POST", "/endpoints", body).await
    }

    /// Waits until Stripe has a call of this method before it.
    pub(crate) async fn until_stripe_is_asked(&self, method: &str) {
        let asked = async {
            while !self.stripe.requests().iter().any(|request| request.method == method) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap();
    }

    pub(crate) async fn deregister(&self, name: &str) -> (u16, Value) {
        self.call("DELETE", &format!("/endpoints/{name}?confirm={name}"), "").await
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.aws())
    }

    pub(crate) async fn row(&self, name: &str) -> Option<EndpointRow> {
        self.registry().endpoint(&name.parse().unwrap()).await.unwrap()
    }

    /// All entries of the audit, the latest first.
    pub(crate) async fn audit_entries(&self) -> Vec<AuditEntry> {
        fixtures::audit(&self.cloud.aws()).list(None, 100, later(100)).await.unwrap().0
    }

    /// The names of the endpoints' secrets.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.cloud.secret_names().into_iter().filter(|name| name != STRIPE_KEY_SECRET).collect()
    }

    /// Exactly one endpoint at Stripe, one secret that is its, and an active row that names both.
    pub(crate) async fn assert_registered(&self, name: &str) {
        let row = self.row(name).await.expect("a row");
        assert_eq!(row.state, EndpointState::Active);
        let at_stripe = self.stripe.endpoints();
        assert_eq!(at_stripe.len(), 1, "{at_stripe:?}");
        assert_eq!(row.stripe_id.as_deref(), Some(at_stripe[0].id.as_str()));
        assert_eq!(self.secrets(), [format!("stack/endpoints/{name}/{}", row.registration)]);
        self.assert_secret_is_right().await;
    }

    /// The one secret that is accepted is that of the one endpoint at Stripe.
    pub(crate) async fn assert_secret_is_right(&self) {
        let at_stripe = self.stripe.endpoints();
        let rows = self.registry().endpoints().await.unwrap();
        let secret_store =
            shared::secret_store::SecretStore::new(self.cloud.aws().secrets_manager(CallLimits::PATIENT));
        let secrets = secret_store.signing_secrets(rows[0].secret.as_ref().unwrap()).await.unwrap();
        assert_eq!(secrets.signing.len(), 1);
        assert_eq!(secrets.signing[0].secret.reveal(), at_stripe[0].secret);
        assert_eq!(secrets.signing[0].stripe_id, at_stripe[0].id);
    }

    /// Nothing at Stripe, in Secrets Manager or in the registry.
    pub(crate) async fn assert_nothing_left(&self, name: &str) {
        assert!(self.stripe.endpoints().is_empty(), "{:?}", self.stripe.endpoints());
        assert!(self.secrets().is_empty(), "{:?}", self.secrets());
        assert!(self.row(name).await.is_none());
    }
}

pub(crate) fn request(who: As, method: &str, path: &str, body: &str) -> lambda_http::Request {
    let sample = include_str!("../../../../events/register/list-endpoints.json");
    let mut event = api_event(sample, method, path);
    event["routeKey"] = "$default".into();
    if !body.is_empty() {
        event["body"] = body.into();
    }
    event["requestContext"]["apiId"] = API_ID.into();
    let subject = format!("{who:?}");
    match who {
        As::Admin => sign_in(&mut event, &subject, &["admin"]),
        As::Viewer => sign_in(&mut event, &subject, &["viewer"]),
        As::Stranger => sign_in(&mut event, &subject, &["others"]),
        As::Nobody => {}
        As::Iam => event["requestContext"]["apiId"] = "direct".into(),
    }
    http_request(&event)
}
