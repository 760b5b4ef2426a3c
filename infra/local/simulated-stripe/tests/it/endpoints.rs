//! `/v1/webhook_endpoints` behaves as Stripe's.

use serde_json::json;
use simulated_stripe::{Options, SimulatedStripe};

use crate::support::{Api, NOW, stripe};

const PATH: &str = "/v1/webhook_endpoints";
const URL: (&str, &str) = ("url", "https://example.com/hook?a=1");
type Form = &'static [(&'static str, &'static str)];

const ALL: (&str, &str) = ("enabled_events[0]", "*");

#[tokio::test]
async fn creating_answers_the_whole_endpoint_and_its_secret() {
    let stripe = stripe();
    let made = Api::new(&stripe)
        .post(
            PATH,
            &[
                URL,
                ("enabled_events[]", "invoice.paid"),
                ("enabled_events[]", "customer.created"),
                ("api_version", "2026-10-28.endive"),
                ("connect", "true"),
                ("description", "ours"),
                ("metadata[managed_by]", "billhook"),
            ],
        )
        .await;
    assert_eq!(made.status, 200);
    let known = &stripe.endpoints()[0];
    let expected = json!({
        "id": known.id,
        "object": "webhook_endpoint",
        "api_version": "2026-10-28.endive",
        "application": null,
        "created": NOW,
        "description": "ours",
        "enabled_events": ["invoice.paid", "customer.created"],
        "livemode": false,
        "metadata": { "managed_by": "billhook" },
        "secret": known.secret,
        "status": "enabled",
        "url": "https://example.com/hook?a=1",
    });
    assert_eq!(made.body, expected);
    assert!(known.id.starts_with("we_"));
    assert!(known.secret.starts_with("whsec_") && known.secret.len() == 38);
    assert!(known.connect, "stored, though never shown");
}

#[tokio::test]
async fn the_secret_is_shown_only_once() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let made = api.post(PATH, &[URL, ALL]).await;
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    let fetched = api.get(&path).await.body;
    let changed = api.post(&path, &[("description", "x")]).await.body;
    let listed = api.get(PATH).await.body["data"][0].clone();
    for answer in [fetched, changed, listed] {
        assert_eq!(answer["id"], made.body["id"]);
        assert!(answer.get("secret").is_none() && answer.get("connect").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_nothing_else() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let made =
        api.post(PATH, &[URL, ALL, ("metadata[a]", "1"), ("metadata[b]", "2"), ("description", "x")]).await;
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    let changed = api
        .post(
            &path,
            &[
                ("enabled_events[]", "invoice.paid"),
                ("metadata[a]", ""),
                ("metadata[c]", "3"),
                ("disabled", "true"),
            ],
        )
        .await
        .body;
    assert_eq!(changed["enabled_events"], json!(["invoice.paid"]));
    assert_eq!(changed["metadata"], json!({ "b": "2", "c": "3" }));
    assert_eq!((&changed["status"], &changed["description"]), (&json!("disabled"), &json!("x")));
    let cleared = api.post(&path, &[("metadata", ""), ("description", ""), ("disabled", "false")]).await.body;
    assert_eq!(cleared["metadata"], json!({}));
    assert_eq!((&cleared["status"], &cleared["description"]), (&json!("enabled"), &json!(null)));
}

#[tokio::test]
async fn an_update_refuses_what_only_creation_may_set() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let made = api.post(PATH, &[URL, ALL]).await;
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    for (name, value) in [("api_version", "2024-06-20"), ("connect", "true"), ("secret", "x")] {
        let refused = api.post(&path, &[("description", "changed"), (name, value)]).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            (&refused.error()["code"], &refused.error()["param"]),
            (&json!("parameter_unknown"), &json!(name))
        );
    }
    assert_eq!(stripe.endpoints()[0].description, None, "a refusal changes nothing");
}

#[tokio::test]
async fn refusals_name_the_parameter() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let cases: [(Form, &str, Option<&str>); 7] = [
        (&[ALL], "url", Some("parameter_missing")),
        (&[URL], "enabled_events", Some("parameter_missing")),
        (&[URL, ALL, ("events", "x")], "events", Some("parameter_unknown")),
        (&[URL, ALL, ("disabled", "true")], "disabled", Some("parameter_unknown")),
        (
            &[URL, ("enabled_events[]", "invoice.paid"), ("enabled_events[]", "invoice.*")],
            "enabled_events[1]",
            None,
        ),
        (&[URL, ALL, ("connect", "yes")], "connect", None),
        (&[URL, ALL, ("api_version", "latest")], "api_version", None),
    ];
    for (form, param, code) in cases {
        let refused = api.post(PATH, form).await;
        assert_eq!(refused.status, 400, "{param}");
        assert_eq!(refused.error()["type"], "invalid_request_error");
        assert_eq!(refused.error()["param"], param);
        assert_eq!(refused.error().get("code").and_then(|code| code.as_str()), code);
    }
    assert!(stripe.endpoints().is_empty());
}

#[tokio::test]
async fn a_url_needs_a_scheme() {
    let stripe = stripe();
    for url in ["example.com/hook", "localhost:4000/hook", "", "ftp://example.com"] {
        let refused = Api::new(&stripe).post(PATH, &[("url", url), ALL]).await;
        assert_eq!((refused.status, &refused.error()["code"]), (400, &json!("url_invalid")));
        let text = "Invalid URL: An explicit scheme (such as https) must be provided";
        assert_eq!(refused.error()["message"], text);
    }
}

#[tokio::test]
async fn live_mode_wants_https_except_on_this_machine() {
    let stripe = SimulatedStripe::start(Options::for_tests().live()).unwrap();
    let api = Api::new(&stripe);
    assert_eq!(api.post(PATH, &[("url", "http://example.com"), ALL]).await.status, 400);
    let made = api.post(PATH, &[("url", "http://127.0.0.1:9/x"), ALL]).await;
    assert_eq!((made.status, &made.body["livemode"]), (200, &json!(true)));
}

#[tokio::test]
async fn the_limit_is_an_error_without_a_code() {
    let stripe = SimulatedStripe::start(Options::for_tests().endpoint_limit(1)).unwrap();
    let api = Api::new(&stripe);
    assert_eq!(api.post(PATH, &[URL, ALL]).await.status, 200);
    let refused = api.post(PATH, &[URL, ALL]).await;
    assert_eq!((refused.status, &refused.error()["type"]), (400, &json!("invalid_request_error")));
    assert_eq!(refused.error()["message"], "You have reached the maximum of 1 test webhook endpoints.");
    assert!(refused.error().get("code").is_none());
}

#[tokio::test]
async fn one_url_may_have_two_endpoints_with_secrets_of_their_own() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let (one, two) = (api.post(PATH, &[URL, ALL]).await, api.post(PATH, &[URL, ALL]).await);
    assert_ne!(one.body["secret"], two.body["secret"]);
}

#[tokio::test]
async fn a_deleted_endpoint_is_gone() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let id = api.post(PATH, &[URL, ALL]).await.body["id"].clone();
    let path = format!("{PATH}/{}", id.as_str().unwrap());
    let deleted = api.delete(&path).await;
    assert_eq!(deleted.body, json!({ "id": id, "object": "webhook_endpoint", "deleted": true }));
    for gone in [api.get(&path).await, api.delete(&path).await, api.post(&path, &[]).await] {
        assert_eq!((gone.status, &gone.error()["code"]), (404, &json!("resource_missing")));
        assert_eq!(gone.error()["param"], "id");
    }
}

#[tokio::test]
async fn the_list_is_newest_first_and_has_pages_both_ways() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, stripe.add_endpoint("https://example.com", &["*"]).id);
    }
    let first = api.get(&format!("{PATH}?limit=2")).await;
    assert_eq!((first.ids(), &first.body["has_more"]), (vec![&*made[0], &*made[1]], &json!(true)));
    assert_eq!((&first.body["object"], &first.body["url"]), (&json!("list"), &json!(PATH)));
    let last = api.get(&format!("{PATH}?limit=3&starting_after={}", made[1])).await;
    assert_eq!((last.ids().len(), &last.body["has_more"]), (3, &json!(false)));
    let newer = api.get(&format!("{PATH}?limit=2&ending_before={}", made[4])).await;
    assert_eq!((newer.ids(), &newer.body["has_more"]), (vec![&*made[2], &*made[3]], &json!(true)));
}
