//! What the documents name exists: files, folders, headings.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::{functions, read, root};

/// The most lines of the document that a newcomer reads first.
const FIRST_DOCUMENT_LINES: usize = 170;

/// Whether a folder is the repository's own, and neither built nor installed.
fn is_ours(name: &str) -> bool {
    !matches!(name, ".git" | ".local" | ".aws-sam" | "target" | "node_modules" | "__pycache__")
}

/// Every markdown file, by its path from the root.
fn documents() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && is_ours(name) {
                collect(&path, found);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    collect(&root, &mut found);
    assert!(found.len() > 15, "{found:?}");
    found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()).collect()
}

/// The lines of a document that are not in a fenced block, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number + 1, line));
        }
    }
    lines
}

/// The anchors of a document's headings, as GitHub makes them.
pub(crate) fn anchors(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let headings = prose(&text).into_iter().filter_map(|(_, line)| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| heading.strip_prefix(' ')).flatten()
    });
    let anchor = |heading: &str| {
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// A path from the root, with `.` and `..` worked out; none if it leads out of the repository.
fn normal(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[test]
fn the_first_document_is_short() {
    let lines = read("README.md").lines().count();
    assert!(
        lines <= FIRST_DOCUMENT_LINES,
        "README.md has {lines} lines: move what is about one folder there"
    );
}

#[test]
fn each_link_leads_to_something() {
    let mut seen = 0;
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().unwrap();
        for (number, line) in prose(&text) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if link.contains("://") {
                    continue;
                }
                seen += 1;
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() {
                    document.clone()
                } else {
                    normal(&folder.join(path)).unwrap_or_else(|| panic!("{document}:{number}: {link}"))
                };
                assert!(root().join(&target).exists(), "{document}:{number}: there is no {target}");
                assert!(
                    anchor.is_empty() || anchors(&target).contains(anchor),
                    "{document}:{number}: {target} has no heading #{anchor}"
                );
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

/// Whether a word between backticks is meant as a path: of the repository's folders, or of the document's own
/// `src` and `tests`, or a source file.
fn is_path(word: &str) -> bool {
    let is_plain = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-/".contains(letter));
    let is_of_repository =
        ["functions/", "infra/", "events/", ".github/", ".ci/", ".cargo/", ".devcontainer/"]
            .iter()
            .any(|folder| word.starts_with(folder));
    let is_of_document =
        ["src/", "tests/", "benches/", "examples/"].iter().any(|folder| word.starts_with(folder));
    let is_source = word.ends_with(".rs") || word.ends_with(".py") || word.ends_with(".md");
    let is_in_root =
        ["template.yaml", "samconfig.toml", "Makefile", "Cargo.toml", "Cargo.lock"].contains(&word);
    is_plain && !word.starts_with('/') && (is_of_repository || is_of_document || is_source || is_in_root)
}

/// Whether a path exists: from the root, from the document's folder, or beside the first path of its line.
fn exists(document: &str, before: Option<&str>, path: &str) -> bool {
    let folder = Path::new(document).parent().unwrap();
    let beside = before.and_then(|before| Path::new(before).parent());
    [
        Some(PathBuf::new()),
        Some(folder.to_owned()),
        beside.map(Path::to_owned),
        beside.map(|beside| folder.join(beside)),
    ]
    .into_iter()
    .flatten()
    .any(|base| root().join(base).join(path).exists())
}

/// Names that a document gives to files that every function has.
const EVERY_FUNCTION_HAS: [&str; 5] = ["main.rs", "lib.rs", "config.rs", "deps.rs", "tests/it"];
/// The same of a file that a function has where it needs one. A document that asks for it names one to go by.
const SOME_FUNCTIONS_HAVE: &str = "error.rs";

fn is_of_functions(name: &str) -> bool {
    EVERY_FUNCTION_HAS.contains(&name) || name == SOME_FUNCTIONS_HAVE
}

#[test]
fn each_function_has_the_files_that_documents_give_to_every_one() {
    for name in functions() {
        for file in EVERY_FUNCTION_HAS {
            let folder = if file.ends_with(".rs") { "src/" } else { "" };
            let path = format!("functions/{name}/{folder}{file}");
            assert!(root().join(&path).exists(), "documents say that there is {path}");
        }
    }
}

/// `error.rs` of no function in particular can be looked up by nobody.
#[test]
fn how_to_add_a_function_names_one_with_the_file_that_not_every_one_has() {
    let text = read(".github/CONTRIBUTING.md");
    let section = text.split("\n## Add a function\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let is_named = |name: &String| {
        let path = format!("functions/{name}/src/{SOME_FUNCTIONS_HAVE}");
        section.contains(&format!("`{path}`")) && root().join(path).exists()
    };
    assert!(functions().iter().any(is_named), "the section names no {SOME_FUNCTIONS_HAVE} of a function");
}

#[test]
fn each_file_that_a_document_names_exists() {
    let mut seen = 0;
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        for (number, line) in prose(&text) {
            let mut before = None;
            for word in line.split('`').skip(1).step_by(2).filter(|word| is_path(word)) {
                seen += 1;
                if !exists(&document, before, word) && !is_of_functions(word) {
                    missing.push(format!("{document}:{number}: there is no {word}"));
                }
                // The first of a row names the folder of those that follow it.
                before = before.or(Some(word));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(seen > 100, "{seen}");
}

/// A reader of a folder's document learns of every file in it.
#[test]
fn each_file_of_a_function_is_in_its_document() {
    let mut missing = Vec::new();
    for name in functions().into_iter().chain(["shared".to_owned()]) {
        let text = read(&format!("functions/{name}/README.md"));
        for entry in std::fs::read_dir(root().join("functions").join(&name).join("src")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            if file.ends_with(".rs") && !is_of_functions(&file) && !text.contains(&format!("`src/{file}`")) {
                missing.push(format!("functions/{name}/README.md has no src/{file}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Prose is wrapped for a terminal; a table's row cannot be.
#[test]
fn prose_is_wrapped() {
    const WIDTH: usize = 125;
    let mut wide = Vec::new();
    for document in documents() {
        let text = read(&document);
        for (number, line) in prose(&text).into_iter().filter(|(_, line)| !line.starts_with('|')) {
            if line.chars().count() > WIDTH {
                wide.push(format!("{document}:{number}: {} columns", line.chars().count()));
            }
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
