//! The kinds of record are described, so that a page can show one that it was not written for.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::kind::Kind;

use crate::support::Stack;

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_kind_says_what_its_records_are_known_by_and_lead_to() {
    let stack = Stack::start().await;
    let kinds = stack.ok("/records").await;
    let kinds = kinds["data"].as_array().unwrap();
    let named: BTreeSet<_> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(named, Kind::all().map(Kind::plural).collect());
    for kind in kinds {
        for prefix in texts(&kind["id_prefixes"]) {
            let found = Kind::from_id_prefix(&format!("{prefix}_1")).unwrap();
            assert_eq!(found.plural(), kind["kind"], "{prefix}");
        }
        for reference in kind["references"].as_array().unwrap() {
            assert!(named.contains(reference["kind"].as_str().unwrap()), "{reference}");
        }
    }
    let dispute = kinds.iter().find(|kind| kind["kind"] == "disputes").unwrap();
    assert_eq!((&dispute["object"], &dispute["amount"]), (&"dispute".into(), &"amount".into()));
    assert!(texts(&dispute["statuses"]).contains(&"needs_response"));
    let (status, refused) = stack.get("/records?kind=refunds").await;
    assert_eq!((status, &refused["error"]["code"]), (400, &"parameter_unknown".into()));
}

/// What the samples of Stripe's events have is where a description says that it is.
#[tokio::test]
async fn what_is_described_stands_in_stripes_own_objects() {
    let stack = Stack::start().await;
    let kinds = stack.ok("/records").await;
    let mut seen = BTreeSet::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe")).unwrap() {
        let event: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        let object = &event["data"]["object"];
        let kind = kinds["data"].as_array().unwrap().iter().find(|kind| kind["object"] == object["object"]);
        let Some(kind) = kind else { continue };
        if let Some(amount) = kind["amount"].as_str().filter(|amount| !object[*amount].is_null()) {
            assert!(object[amount].is_i64(), "{}: {amount}", object["object"]);
            seen.insert(format!("{} {amount}", kind["object"].as_str().unwrap()));
        }
        for reference in kind["references"].as_array().unwrap() {
            let member = reference["member"].as_str().unwrap();
            let found = member.split('.').try_fold(object, |object, name| object.get(name));
            if let Some(id) = found.and_then(Value::as_str) {
                let kind_of_reference = Kind::from_plural(reference["kind"].as_str().unwrap()).unwrap();
                if kind_of_reference.id_prefixes().is_empty() {
                    continue;
                }
                let named = Kind::from_id_prefix(id).unwrap_or_else(|| panic!("{member} {id}"));
                assert_eq!(named.plural(), reference["kind"], "{} {member} {id}", object["object"]);
                seen.insert(format!("{} {member}", kind["object"].as_str().unwrap()));
            }
        }
        if let Some(status) = object["status"].as_str() {
            assert!(texts(&kind["statuses"]).contains(&status), "{} {status}", object["object"]);
        }
    }
    for expected in ["invoice total", "refund charge", "charge payment_intent", "subscription customer"] {
        assert!(seen.contains(expected), "{expected}: {seen:?}");
    }
}
