//! The samples in `events/register/` do what their names say, invoked in this order.

use serde_json::Value;
use shared::deadline::Deadline;
use test_cloud::fixtures::{http_request, now, status_and_body};

use crate::support::Stack;

#[tokio::test]
async fn the_samples_tell_the_story_of_one_endpoint() {
    let stack = Stack::bare().await;
    let story = [
        ("settings", 200, "mode"),
        ("set-stripe-key", 200, "stripe_key"),
        ("change-settings", 200, "ignore"),
        ("register-endpoint", 201, "signing_secret"),
        ("list-endpoints", 200, "data"),
        ("change-endpoint", 200, "description"),
        ("repair-endpoint", 200, "stripe_id"),
        ("rotate-endpoint", 200, "rotation"),
        ("show-secret", 200, "signing_secret"),
        ("test-endpoint", 200, "steps"),
        ("deregister-endpoint", 204, ""),
    ];
    for (name, expected, shows) in story {
        let path = format!("{}/../../events/register/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(event["requestContext"]["apiId"], "direct", "so that access is by IAM");
        let (status, body) = status_and_body(
            register::answer(&stack.cold(), http_request(&event), now(), Deadline::NEVER).await,
        );
        assert_eq!(status, expected, "{name}: {body}");
        assert!(shows.is_empty() || !body[shows].is_null(), "{name}: {body}");
    }
    stack.assert_nothing_left("sample").await;
}
