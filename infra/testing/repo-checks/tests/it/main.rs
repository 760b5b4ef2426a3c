//! The rules of this repository that lints cannot say, each as a test over its own files.

// Always true here; it lets helpers beside the tests unwrap as well.
#![cfg(test)]

mod comments;
mod deployment;
mod documents;
mod kinds;
mod layout;
mod modules;
mod monitoring;
mod names;
mod openapi;
mod rights;
mod sources;
mod tokens;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the template without its intrinsic functions: `!Ref X` reads as `X`.
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

/// Returns the names of the functions, which are folders of `functions/`.
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

/// Returns the names of all crates of `functions/`.
fn product_crates() -> Vec<String> {
    [functions(), vec!["shared".to_owned()]].concat()
}

/// Collects the Rust files of a folder, without what is built or hidden.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut all = Vec::new();
    files(folder, &mut all);
    found.extend(all.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")));
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules", "__pycache__"].contains(&name) {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// Returns the files of the repository with one of these extensions or names, relative to its root.
fn source_files(kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    files(&root(), &mut found);
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .filter(|name| kinds.contains(&name.rsplit(['.', '/']).next().unwrap()))
        .collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    names
}
