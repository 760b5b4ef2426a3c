//! Whoever has a role may read the status, and nobody else.

use shared::deadline::Deadline;
use status::handle;
use test_cloud::fixtures::{API_ID, http_request, now, status_and_body};

use crate::support::{Stack, request, sample};

#[tokio::test]
async fn a_viewer_and_an_admin_may_read_and_others_may_not() {
    let stack = Stack::start().await;
    for (group, expected) in [("viewer", 200), ("admin", 200), ("x", 403)] {
        let response =
            handle(&stack.cold(), request(Some(&[group]), "GET", "/status"), now(), Deadline::NEVER).await;
        assert_eq!(status_and_body(response).0, expected);
    }
    let mut without_token = sample();
    without_token["requestContext"]["apiId"] = API_ID.into();
    assert_eq!(
        status_and_body(handle(&stack.cold(), http_request(&without_token), now(), Deadline::NEVER).await).0,
        401
    );
}

#[tokio::test]
async fn the_sample_is_answered_as_a_direct_invocation() {
    let stack = Stack::start().await;
    let (status, body) =
        status_and_body(handle(&stack.cold(), http_request(&sample()), now(), Deadline::NEVER).await);
    assert_eq!((status, body["status"].as_str()), (200, Some("active")));
}

#[tokio::test]
async fn other_paths_methods_and_parameters_are_refused() {
    let stack = Stack::start().await;
    for (method, path, expected) in [
        ("GET", "/status?live=true", 200),
        ("GET", "/status?live=false", 200),
        ("GET", "/status?live=yes", 400),
        ("GET", "/status?lively=true", 400),
        ("POST", "/status", 405),
        ("GET", "/", 404),
        ("GET", "/status/main", 404),
    ] {
        let response =
            handle(&stack.cold(), request(Some(&["viewer"]), method, path), now(), Deadline::NEVER).await;
        assert_eq!(status_and_body(response).0, expected, "{method} {path}");
    }
}
