//! The rules of this repository that lints cannot say, each as a test over its own files.

// Always true here; it tells clippy that helpers beside the tests may unwrap as well.
#![cfg(test)]

mod documents;
mod layout;
mod monitoring;
mod openapi;
mod rights;
mod sources;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The template with its intrinsic functions left out: `!Ref X` reads as `X`.
fn template() -> Value {
    parsed("template.yaml")
}

fn parsed(path: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&read(path), options).unwrap()
}

fn resources() -> Vec<(String, Value)> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap();
    resources.iter().map(|(name, resource)| (name.clone(), resource.clone())).collect()
}

/// The folders of `functions/` that are functions.
fn functions() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "shared")
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    names
}
