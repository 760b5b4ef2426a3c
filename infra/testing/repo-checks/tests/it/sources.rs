//! Rules for each source file and manifest.

use crate::{functions, read, root, rust_files};

/// The folders of the workspace's packages.
const MEMBERS: [&str; 3] = ["functions", "infra/local", "infra/testing"];

#[test]
fn each_source_has_a_header() {
    let mut files = Vec::new();
    rust_files(&root(), &mut files);
    assert!(files.len() > 50);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}: say what it is for, in `//!` at the top", path.display());
    }
}

#[test]
fn main_decides_nothing() {
    for name in functions() {
        let text = read(&format!("functions/{name}/src/main.rs"));
        assert!(
            !text.contains("if ") && !text.contains("match "),
            "functions/{name}/src/main.rs decides something"
        );
        assert!(text.lines().count() <= 30);
    }
}

#[test]
fn each_dependency_of_the_workspace_is_used_by_a_member() {
    let root_manifest = read("Cargo.toml");
    let section =
        root_manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let folders = MEMBERS.map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let members: String = folders
        .into_iter()
        .flatten()
        .filter_map(|member| std::fs::read_to_string(member.unwrap().path().join("Cargo.toml")).ok())
        .collect();
    let names =
        section.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let mut seen = 0;
    for (name, _) in names {
        let used = members.lines().any(|line| {
            line.starts_with(&format!("{name}.workspace"))
                || line.starts_with(&format!("{name} = {{ workspace"))
        });
        assert!(used, "no member uses {name}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    for member in MEMBERS.iter().flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap()) {
        let manifest = member.unwrap().path().join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&manifest) else { continue };
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
        for line in text.lines().filter(|line| line.contains("= { ") || line.contains("= \"")) {
            let versioned = line.contains("version =")
                || line.split('=').nth(1).is_some_and(|value| value.trim().starts_with("\"0"));
            assert!(!versioned, "{}: {line}", manifest.display());
        }
    }
}
