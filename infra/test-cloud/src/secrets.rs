//! The part of Secrets Manager that Billhook uses: names, versions, values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By name; versions in the order in which they came.
    secrets: BTreeMap<String, Vec<(String, String)>>,
    hold_deleted: bool,
    deleted: BTreeSet<String>,
}

impl Secrets {
    pub(crate) fn put(&self, name: &str, value: &str) -> String {
        let version = uuid::Uuid::new_v4().to_string();
        self.kept().secrets.entry(name.to_owned()).or_default().push((version.clone(), value.to_owned()));
        version
    }

    pub(crate) fn remove(&self, name: &str) {
        let mut kept = self.kept();
        kept.secrets.remove(name);
        if kept.hold_deleted {
            kept.deleted.insert(name.to_owned());
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.kept().secrets.keys().cloned().collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.kept().secrets.get(name)?.last().map(|(_, value)| value.clone())
    }

    pub(crate) fn hold_deleted_names(&self) {
        self.kept().hold_deleted = true;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, operation: &str, request: &Value) -> (StatusCode, Value) {
        let name = request["SecretId"].as_str().or(request["Name"].as_str()).unwrap_or_default().to_owned();
        let value = request["SecretString"].as_str().unwrap_or_default();
        let versions = self.kept().secrets.get(&name).cloned();
        match (operation, versions) {
            ("CreateSecret", Some(_)) => refuse("ResourceExistsException"),
            ("CreateSecret", None) if self.kept().deleted.contains(&name) => {
                refuse("InvalidRequestException")
            }
            ("CreateSecret", None) => {
                (StatusCode::OK, json!({ "Name": name, "VersionId": self.put(&name, value) }))
            }
            ("PutSecretValue", Some(_)) => {
                (StatusCode::OK, json!({ "Name": name, "VersionId": self.put(&name, value) }))
            }
            ("GetSecretValue", Some(versions)) => {
                let wanted = request["VersionId"].as_str();
                let found =
                    versions.iter().rev().find(|(version, _)| wanted.is_none_or(|wanted| wanted == version));
                match found {
                    Some((version, value)) => {
                        (StatusCode::OK, json!({ "Name": name, "VersionId": version, "SecretString": value }))
                    }
                    None => refuse("ResourceNotFoundException"),
                }
            }
            ("DescribeSecret", Some(versions)) => {
                let stages: BTreeMap<_, _> =
                    versions.iter().map(|(version, _)| (version.clone(), ["AWSCURRENT"])).collect();
                (StatusCode::OK, json!({ "Name": name, "VersionIdsToStages": stages }))
            }
            ("DeleteSecret", Some(_)) => {
                self.remove(&name);
                (StatusCode::OK, json!({ "Name": name }))
            }
            (_, None) => refuse("ResourceNotFoundException"),
            (_, Some(_)) => refuse("InvalidRequestException"),
        }
    }
}

fn refuse(kind: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": kind }))
}
