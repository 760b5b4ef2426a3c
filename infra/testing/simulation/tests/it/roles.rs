//! Who may do what, over all operations of the API's description and with every kind of token: each
//! operation is open to the role that the description names for it, and to no lesser one.
//!
//! That a token is of our issuer, unchanged and not expired, API Gateway sees before a function is asked;
//! what it lets through has an `authorizer`. The end-to-end tests send it tokens that were changed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::access::Role;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::registry::Settings;
use simulation::{Environment, START};
use test_cloud::fixtures::{
    API_ID, STRIPE_KEY_SECRET, access, api_event, http_request, retention, status_and_body,
};

/// An operation of the description that is not for everybody.
struct Operation {
    method: String,
    /// With names of nothing in place of its parameters.
    path: String,
    needed: Role,
}

fn operations() -> Vec<Operation> {
    let text = include_str!("../../../../../functions/openapi.yaml");
    let document: Value = serde_saphyr::from_str(text).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needed = match operation["x-role"].as_str() {
                Some("viewer") => Role::Viewer,
                Some("admin") => Role::Admin,
                Some("public") | None => continue,
                Some(other) => panic!("{other} is no role"),
            };
            let named = [
                ("{kind}", "payments"),
                ("{id}", "evt_none"),
                ("{name}", "nothing"),
                ("{customer}", "cus_none"),
            ];
            let path =
                named.iter().fold(path.clone(), |path, (parameter, name)| path.replace(parameter, name));
            assert!(!path.contains('{'), "{path}");
            found.push(Operation { method: method.to_uppercase(), path, needed });
        }
    }
    let changing = found.iter().filter(|operation| operation.needed == Role::Admin).count();
    assert!(found.len() > 30 && changing > 15, "{} {changing}", found.len());
    found
}

/// The functions that answer signed-in people.
struct Functions {
    environment: Environment,
    erase: erase::Deps,
    import: import::Deps,
    reconcile: reconcile::Deps,
    records: records::Deps,
    register: register::Deps,
    replay: replay::Deps,
    status: status::Deps,
}

impl Functions {
    async fn start() -> Self {
        let environment = Environment::start_at(&[], START).await;
        // Lists of events go back to when the stack was set up.
        let registry = environment.registry();
        let old = registry.settings().await.unwrap().unwrap();
        let mut settings = Settings { since: environment.now().into(), ..old.clone() };
        registry.store_settings(Some(&old), &mut settings).await.unwrap();
        let aws = environment.cloud.aws();
        let stripe_api_base = || environment.stripe.url().parse().unwrap();
        let [ledger_table, records_table, registry_table, audit_table] =
            ["LedgerTable", "RecordsTable", "RegistryTable", "AuditTable"].map(str::to_owned);
        let stripe_key_secret = STRIPE_KEY_SECRET.to_owned();
        let public_url = "https://hooks.example.com".to_owned();
        let mode = Mode::Test;
        let erase = erase::Deps::new(erase::Config {
            aws: aws.clone(),
            mode,
            access: access(),
            ledger_table: ledger_table.clone(),
            records_table: records_table.clone(),
            registry_table: registry_table.clone(),
            audit_table: audit_table.clone(),
            stripe_api_base: stripe_api_base(),
            stripe_key_secret: stripe_key_secret.clone(),
        });
        let import = import::Deps::new(import::Config {
            aws: aws.clone(),
            access: access(),
            ledger_table: ledger_table.clone(),
            records_table: records_table.clone(),
            registry_table: registry_table.clone(),
            audit_table: audit_table.clone(),
            stripe_api_base: stripe_api_base(),
            stripe_key_secret: stripe_key_secret.clone(),
            stripe_call_interval: Duration::ZERO,
        });
        let reconcile = reconcile::Deps::new(reconcile::Config {
            aws: aws.clone(),
            mode,
            metrics: Metrics::new("stack", std::io::sink()),
            access: access(),
            ledger_table: ledger_table.clone(),
            records_table: records_table.clone(),
            registry_table: registry_table.clone(),
            audit_table: audit_table.clone(),
            public_url: public_url.clone(),
            stripe_api_base: stripe_api_base(),
            stripe_key_secret: stripe_key_secret.clone(),
        });
        let records = records::Deps::new(records::Config {
            aws: aws.clone(),
            mode,
            access: access(),
            retention: retention(),
            ledger_table: ledger_table.clone(),
            records_table: records_table.clone(),
            registry_table: registry_table.clone(),
            audit_table: audit_table.clone(),
        });
        let register = register::Deps::new(register::Config {
            aws: aws.clone(),
            mode,
            stack: "stack".into(),
            registry_table: registry_table.clone(),
            audit_table: audit_table.clone(),
            records_table: records_table.clone(),
            public_url: public_url.clone(),
            stripe_api_base: stripe_api_base(),
            stripe_key_secret: stripe_key_secret.clone(),
            secret_prefix: "stack/endpoints/".into(),
            secret_kms_key: None,
            access: access(),
            unknown_endpoint_lookup_interval: Duration::ZERO,
            reenable: false,
            rotate_days: 0,
        });
        let replay = replay::Deps::new(replay::Config {
            aws: aws.clone(),
            mode,
            access: access(),
            ledger_table: ledger_table.clone(),
            registry_table: registry_table.clone(),
            audit_table,
            retention: retention(),
        });
        let status = status::Deps::new(status::Config {
            aws,
            call_limits: CallLimits::PATIENT,
            mode,
            registry_table,
            ledger_table,
            records_table,
            public_url,
            stripe_api_base: stripe_api_base(),
            stripe_key_secret,
            rotate_days: 0,
            access: access(),
        });
        Self {
            erase: erase.unwrap(),
            import: import.unwrap(),
            reconcile: reconcile.unwrap(),
            records,
            register: register.unwrap(),
            replay,
            status: status.unwrap(),
            environment,
        }
    }

    async fn answer(&self, event: Value) -> (u16, Value) {
        let (now, deadline) = (self.environment.now(), Deadline::NEVER);
        let path = event["rawPath"].as_str().unwrap().to_owned();
        let method = event["requestContext"]["http"]["method"].as_str().unwrap().to_owned();
        let request = || http_request(&event);
        let answer = match (method.as_str(), path.split('/').nth(1).unwrap()) {
            (_, "status") => {
                return status_and_body(status::handle(&self.status, request(), now, deadline).await);
            }
            ("GET", "records" | "events" | "audit") => {
                return status_and_body(records::handle(&self.records, request(), now).await);
            }
            ("POST", "events") => {
                return status_and_body(replay::handle(&self.replay, request(), now, deadline).await);
            }
            (_, "endpoints" | "settings") => {
                register::handle(&self.register, &event, "r-1", now, deadline).await.unwrap()
            }
            (_, "reconcile") => {
                reconcile::handle(&self.reconcile, event, "r-1", now, deadline).await.unwrap()
            }
            (_, "import") => import::handle(&self.import, event, "r-1", now, deadline).await.unwrap(),
            (_, "erasures") => erase::handle(&self.erase, event, "r-1", now, deadline).await.unwrap(),
            _ => panic!("no function of this test answers {method} {path}"),
        };
        let body = answer["body"].as_str().unwrap_or_default();
        let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Asserts that each operation up to the role is open, and each other forbidden.
    async fn are_open_up_to(&self, role: Option<Role>, who: &str, identify: impl Fn(&mut Value)) {
        for Operation { method, path, needed } in operations() {
            let mut event =
                api_event(include_str!("../../../../../events/records/events.json"), &method, &path);
            // Who may act is told what is wrong with the body, and nothing is changed.
            event["body"] = "no JSON".into();
            identify(&mut event);
            let (status, body) = self.answer(event).await;
            let code = body["error"]["code"].as_str().unwrap_or_default();
            let is_open = !matches!(status, 401 | 403);
            assert_eq!(is_open, role >= Some(needed), "{who}: {method} {path}: {status} {body}");
            assert!(is_open || code == "forbidden", "{who}: {method} {path}: {body}");
        }
    }
}

/// With a token of these claims, which API Gateway has let through.
fn with_token(claims: Value) -> impl Fn(&mut Value) {
    move |event: &mut Value| {
        let mut claims = claims.clone();
        claims["sub"] = "s".into();
        let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
        event["requestContext"]["apiId"] = API_ID.into();
        event["headers"]["authorization"] = format!("Bearer {token}").into();
        event["requestContext"]["authorizer"] =
            json!({ "jwt": { "claims": { "sub": "s" }, "scopes": null } });
    }
}

fn machine(scope: &str) -> Value {
    json!({ "client_id": "s", "token_use": "access", "scope": scope })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operation_is_open_to_the_role_that_is_named_and_to_no_lesser_one() {
    let functions = Functions::start().await;
    let groups = |group: &str| json!({ "token_use": "id", "cognito:groups": [group] });
    let mut machine_of_admins = machine("billhook/read");
    machine_of_admins["cognito:groups"] = json!(["admin"]);
    let viewers_access_token =
        json!({ "token_use": "access", "scope": "openid", "cognito:groups": ["viewer"] });
    for (who, role, claims) in [
        ("an admin", Some(Role::Admin), groups("admin")),
        ("a viewer", Some(Role::Viewer), groups("viewer")),
        ("a viewer with an access token", Some(Role::Viewer), viewers_access_token),
        ("somebody in another group", None, groups("billing admin")),
        ("somebody in no group", None, json!({ "token_use": "id" })),
        ("a machine", Some(Role::Viewer), machine("billhook/read")),
        ("a machine that names the admins' group", Some(Role::Viewer), machine_of_admins),
        ("a machine without the scope", None, machine("")),
        ("a machine with another scope", None, machine("billhook/write other/billhook/read")),
        ("an ID token that claims the scope", None, json!({ "token_use": "id", "scope": "billhook/read" })),
    ] {
        functions.are_open_up_to(role, who, with_token(claims)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_that_api_gateway_let_through_nothing_is_open() {
    let functions = Functions::start().await;
    for claims in [json!({ "cognito:groups": ["admin"] }), machine("billhook/read")] {
        for Operation { method, path, .. } in operations() {
            let mut event =
                api_event(include_str!("../../../../../events/records/events.json"), &method, &path);
            with_token(claims.clone())(&mut event);
            // As of an expired one, on a route that forgot its authorizer.
            event["requestContext"]["authorizer"] = Value::Null;
            let (status, body) = functions.answer(event.clone()).await;
            assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthenticated")), "{method} {path}");
            // One that is not the token that was checked.
            event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": { "sub": "t" } } });
            assert_eq!(functions.answer(event).await.0, 401, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_iam_lets_invoke_a_function_is_an_admin_there_and_of_what_only_reads_a_viewer() {
    let functions = Functions::start().await;
    functions.are_open_up_to(Some(Role::Admin), "a direct invocation", |_| {}).await;
    // `Records` and `Status` have no operation for admins that a wider role could reach.
    let of_admins = operations().into_iter().filter(|operation| operation.needed == Role::Admin);
    for Operation { method, path, .. } in of_admins {
        let root = path.split('/').nth(1).unwrap();
        let is_reading =
            matches!(root, "status" | "records" | "audit") || (root, method.as_str()) == ("events", "GET");
        assert!(!is_reading, "{method} {path}");
    }
}
