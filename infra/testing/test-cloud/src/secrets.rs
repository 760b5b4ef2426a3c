//! The part of Secrets Manager that Billhook uses: names, versions with their staging labels, values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<SecretsState>);

#[derive(Debug, Default)]
struct SecretsState {
    /// By name.
    secrets: BTreeMap<String, Vec<Version>>,
    forget_tokens: bool,
    /// Names of deleted secrets: AWS keeps them from being used again for a while.
    deleted: BTreeSet<String>,
    /// The KMS keys that secrets were made under, by name; none for AWS's own.
    kms_keys: BTreeMap<String, String>,
}

/// A version of a secret: the last of a list is `AWSCURRENT`, the one before it `AWSPREVIOUS`. A version
/// without a label is gone, as it is with AWS sooner or later.
#[derive(Debug, Clone)]
struct Version {
    id: String,
    value: String,
}

const LABELS: [&str; 2] = ["AWSCURRENT", "AWSPREVIOUS"];

impl Secrets {
    pub(crate) fn put(&self, name: &str, value: &str) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        self.state().add(name, &id, value);
        id
    }

    pub(crate) fn remove(&self, name: &str) {
        self.state().remove(name);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state().secrets.keys().cloned().collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.state().secrets.get(name)?.last().map(|version| version.value.clone())
    }

    pub(crate) fn kms_key(&self, name: &str) -> Option<String> {
        self.state().kms_keys.get(name).cloned()
    }

    pub(crate) fn forget_tokens(&self) {
        self.state().forget_tokens = true;
    }

    fn state(&self) -> MutexGuard<'_, SecretsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, operation: &str, request: &Value) -> (StatusCode, Value) {
        self.state().answer(operation, request)
    }
}

impl SecretsState {
    fn add(&mut self, name: &str, id: &str, value: &str) {
        let versions = self.secrets.entry(name.to_owned()).or_default();
        versions.push(Version { id: id.to_owned(), value: value.to_owned() });
        versions.drain(..versions.len().saturating_sub(LABELS.len()));
    }

    fn remove(&mut self, name: &str) {
        self.secrets.remove(name);
        self.deleted.insert(name.to_owned());
    }

    fn answer(&mut self, operation: &str, request: &Value) -> (StatusCode, Value) {
        let name = request["SecretId"].as_str().or(request["Name"].as_str()).unwrap_or_default();
        let versions = self.secrets.get(name).cloned();
        match (operation, versions) {
            ("CreateSecret", None) if self.deleted.contains(name) => refuse("InvalidRequestException"),
            ("CreateSecret", None) => {
                if let Some(key) = request["KmsKeyId"].as_str() {
                    self.kms_keys.insert(name.to_owned(), key.to_owned());
                }
                self.put_version(name, &[], request)
            }
            // Another request's secret of that name; the same request again is answered as the first was.
            ("CreateSecret", Some(versions))
                if self.forget_tokens || !versions.iter().any(|version| has_token(version, request)) =>
            {
                refuse("ResourceExistsException")
            }
            ("CreateSecret" | "PutSecretValue", Some(versions)) => self.put_version(name, &versions, request),
            ("GetSecretValue", Some(versions)) => {
                let wanted = request["VersionId"].as_str();
                let found =
                    versions.iter().rev().find(|version| wanted.is_none_or(|wanted| wanted == version.id));
                match found {
                    Some(Version { id, value }) => {
                        (StatusCode::OK, json!({ "Name": name, "VersionId": id, "SecretString": value }))
                    }
                    None => refuse("ResourceNotFoundException"),
                }
            }
            ("DescribeSecret", Some(versions)) => {
                let stages: BTreeMap<_, _> = versions
                    .iter()
                    .rev()
                    .zip(LABELS)
                    .map(|(version, label)| (version.id.clone(), [label]))
                    .collect();
                (StatusCode::OK, json!({ "Name": name, "VersionIdsToStages": stages }))
            }
            ("DeleteSecret", Some(_)) => {
                self.remove(name);
                (StatusCode::OK, json!({ "Name": name }))
            }
            (_, None) => refuse("ResourceNotFoundException"),
            (_, Some(_)) => refuse("InvalidRequestException"),
        }
    }

    /// Adds a version under the request's token: the same token again changes nothing, if it comes with the
    /// same value.
    fn put_version(&mut self, name: &str, versions: &[Version], request: &Value) -> (StatusCode, Value) {
        let fresh = self.forget_tokens.then(|| uuid::Uuid::new_v4().to_string());
        let id = fresh.as_deref().or(request["ClientRequestToken"].as_str()).unwrap_or_default();
        let value = request["SecretString"].as_str().unwrap_or_default();
        match versions.iter().find(|version| has_token(version, request)) {
            Some(version) if version.value != value => return refuse("ResourceExistsException"),
            Some(_) => {}
            None => self.add(name, id, value),
        }
        (StatusCode::OK, json!({ "Name": name, "VersionId": id }))
    }
}

fn has_token(version: &Version, request: &Value) -> bool {
    request["ClientRequestToken"].as_str() == Some(version.id.as_str())
}

fn refuse(kind: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": kind }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(secrets: &Secrets, operation: &str, token: &str, text: &str) -> Value {
        let request =
            json!({ "Name": "s", "SecretId": "s", "ClientRequestToken": token, "SecretString": text });
        secrets.answer(operation, &request).1
    }

    #[test]
    fn a_token_stands_for_one_version_with_one_value() {
        let secrets = Secrets::default();
        for operation in ["CreateSecret", "CreateSecret", "PutSecretValue"] {
            assert_eq!(call(&secrets, operation, "1", "a")["VersionId"], "1", "{operation}");
        }
        for (operation, token, text) in
            [("CreateSecret", "1", "b"), ("PutSecretValue", "1", "b"), ("CreateSecret", "2", "a")]
        {
            assert_eq!(
                call(&secrets, operation, token, text)["__type"],
                "ResourceExistsException",
                "{operation}"
            );
        }
        assert_eq!(secrets.value("s").as_deref(), Some("a"));
    }

    #[test]
    fn a_version_without_a_label_is_gone() {
        let secrets = Secrets::default();
        assert_eq!(call(&secrets, "CreateSecret", "1", "a")["VersionId"], "1");
        for token in ["2", "3"] {
            assert_eq!(call(&secrets, "PutSecretValue", token, "a")["VersionId"], token);
        }
        let labels =
            secrets.answer("DescribeSecret", &json!({ "SecretId": "s" })).1["VersionIdsToStages"].clone();
        assert_eq!(labels, json!({ "3": ["AWSCURRENT"], "2": ["AWSPREVIOUS"] }));
        let status =
            |version| secrets.answer("GetSecretValue", &json!({ "SecretId": "s", "VersionId": version })).0;
        assert_eq!((status("1"), status("2")), (StatusCode::BAD_REQUEST, StatusCode::OK));
    }
}
