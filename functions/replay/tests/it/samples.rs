//! Each sample in `events/replay` can be passed to the function as it is.

use replay::handle;
use serde_json::Value;
use test_cloud::fixtures::{http_request, now};

use crate::support::Stack;

#[tokio::test]
async fn each_sample_is_answered() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/replay");
    let mut answered = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let stack = Stack::start().await;
        let sample: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let request = http_request(&sample);
        let status = handle(&stack.deps, request, now(), stack.deadline).await.status().as_u16();
        let is_bulk = sample["rawPath"].as_str().unwrap().matches('/').count() == 2;
        assert_eq!(status, if is_bulk { 200 } else { 404 }, "{}", path.display());
        answered += 1;
    }
    assert!(answered >= 4);
}
