//! Comments keep to rustfmt's width, and doc comments state.

use crate::tokens::{Comment, Source};
use crate::{read, root, source_files};

/// Returns rustfmt's `max_width`, which rustfmt itself does not hold comments to.
fn max_width() -> usize {
    let options = read("rustfmt.toml");
    let width = options.lines().find_map(|line| line.strip_prefix("max_width = ")).unwrap();
    width.trim().parse().unwrap()
}

/// Returns the lines with a comment that are too long. One long word, such as an address, cannot be wrapped.
fn too_long(file: &str, text: &str, width: usize) -> Vec<String> {
    let commented: Vec<(usize, String)> = if file.ends_with(".rs") {
        Source::parse(text).comments.into_iter().map(|comment| (comment.line, comment.text)).collect()
    } else {
        let lines = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with('#'));
        lines.map(|(index, line)| (index + 1, line.trim_start().to_owned())).collect()
    };
    let lines: Vec<_> = text.lines().collect();
    let is_one_word = |comment: &str| comment.split_whitespace().count() <= 2;
    commented
        .into_iter()
        .filter(|(line, comment)| lines[line - 1].chars().count() > width && !is_one_word(comment))
        .map(|(line, _)| format!("{file}:{line}"))
        .collect()
}

#[test]
fn comments_keep_to_the_width_of_the_code() {
    let width = max_width();
    let mut found = Vec::new();
    for file in source_files(&["rs", "py", "toml", "yaml", "yml", "Makefile"]) {
        found.extend(too_long(&file, &std::fs::read_to_string(root().join(&file)).unwrap(), width));
    }
    assert!(found.is_empty(), "comments over {width} columns; wrap them:\n{}", found.join("\n"));
}

/// Returns the lines of the doc comments in which a sentence is a question.
fn questions(text: &str) -> Vec<usize> {
    let mut is_example = false;
    let mut found = Vec::new();
    for comment in Source::parse(text).comments {
        let Some(doc) = comment.doc() else { continue };
        if doc.trim_start().starts_with("```") {
            is_example = !is_example;
        } else if !is_example && asks(doc) {
            found.push(comment.line);
        }
    }
    found
}

/// Whether a sentence of a line ends with a question mark, outside code.
fn asks(doc: &str) -> bool {
    let prose: String = doc.split('`').step_by(2).collect::<Vec<_>>().join("x");
    prose.split_whitespace().any(|word| word.trim_end_matches(['"', ')', '*', '”']).ends_with('?'))
}

#[test]
fn doc_comments_state_and_do_not_ask() {
    let mut found = Vec::new();
    for file in source_files(&["rs"]) {
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        found.extend(questions(&text).into_iter().map(|line| format!("{file}:{line}")));
    }
    assert!(
        found.is_empty(),
        "doc comments that ask; say \"Returns …\" or \"Whether …\" instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_long_comment_is_found_and_code_a_string_or_a_long_address_are_none() {
    let text = "// short\nlet a = \"// not a comment, and long\";\n    /// this is a comment that is long\nlet b = 1; // also\n// https://example.com/a/long/address\n";
    assert_eq!(too_long("a.rs", text, 20), ["a.rs:3"]);
    assert_eq!(
        too_long("a.yaml", "# this is too long here\na: this is no comment at all\n", 20),
        ["a.yaml:1"]
    );
    assert_eq!(Comment { text: "/// a".into(), line: 1 }.doc(), Some(" a"));
}

#[test]
fn a_question_is_found_and_a_question_mark_in_code_is_none() {
    let text = "/// Is it so?\nfn f() {}\n//! Says `a?` and `{\"b\"?}`.\n// Is it?\n/// ```\n/// f()?\n/// ```\n/// It asks (why?) here.\n";
    assert_eq!(questions(text), [1, 8]);
}
