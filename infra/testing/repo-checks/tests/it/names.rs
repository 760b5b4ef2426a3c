//! Names: the field's own terms and no others, and one name for one thing.

use std::collections::BTreeMap;

use crate::tokens::{Placed, Source, Token};
use crate::{functions, product_crates, root, rust_files, source_files};

/// Where a name is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// As an identifier or the name of a file, anywhere.
    Everywhere,
    /// The same, in `functions/*/src`.
    Product,
    /// As the name of a file, anywhere.
    File,
    /// As the name of a function or a closure, anywhere.
    Function,
}

use Scope::{Everywhere, File, Function, Product};

/// Names that were once used here, or are too easily used, and what to say instead.
const OLD_NAMES: &[(&str, Scope, &str)] = &[
    // words of our own
    ("facts", Everywhere, "snapshot, inputs"),
    ("Facts", Everywhere, "HealthSnapshot, StatusInputs"),
    ("moment", Everywhere, "context, now"),
    ("Moment", Everywhere, "RequestContext"),
    ("wish", Everywhere, "spec"),
    ("Wish", Everywhere, "EndpointSpec"),
    ("heard", Everywhere, "activity"),
    ("heard_at", Everywhere, "last_delivery_at"),
    ("Heard", Everywhere, "EndpointActivity"),
    ("told", Everywhere, "emitted, reported, event"),
    ("told_at", Everywhere, "last_emitted_at"),
    ("Told", Everywhere, "HistoryEvent"),
    ("tell", Everywhere, "emit"),
    ("tell_refused", Everywhere, "emit_refused"),
    ("telling", Everywhere, "emitting, metrics"),
    ("said", Everywhere, "answered"),
    ("Said", Everywhere, "StripeView"),
    ("Because", Everywhere, "CommonReason"),
    ("Ours", Everywhere, "OwnStack"),
    ("Theirs", Everywhere, "CustomerRecords"),
    ("Life", Everywhere, "ObjectTimeline, ObjectHistory"),
    ("book", Everywhere, "endpoint_cache"),
    ("Book", Everywhere, "EndpointCache"),
    ("notes", Everywhere, "endpoint_activity"),
    ("Notes", Everywhere, "ActivityLog"),
    ("noted", Everywhere, "sampled, stored"),
    ("Noted", Everywhere, "Sampled"),
    ("vault", Everywhere, "secret_store (a vault is HashiCorp's)"),
    ("Vault", Everywhere, "SecretStore (a vault is HashiCorp's)"),
    ("verdict", Everywhere, "report, findings"),
    ("Verdict", Everywhere, "StatusReport, Findings"),
    ("judge", Everywhere, "check, verify"),
    ("kept", File, "stored, status_rows"),
    ("Kept", Everywhere, "StatusRows"),
    ("comparing", File, "drift_progress"),
    ("importing", File, "import_progress"),
    ("reconciling", File, "reconcile_progress"),
    ("hours", File, "hourly_counts"),
    ("bring", Everywhere, "import_run"),
    ("Bringing", Everywhere, "ImportRun"),
    ("bringing", Everywhere, "imports"),
    ("Brought", Everywhere, "RunSummary"),
    ("brought", Everywhere, "imported"),
    ("night", Everywhere, "drift"),
    ("settling", Everywhere, "recheck"),
    ("differ", File, "diff"),
    ("stuck", Everywhere, "unanswered"),
    ("Stuck", Everywhere, "UnansweredObject"),
    ("doubt", Everywhere, "mismatch"),
    ("Doubt", Everywhere, "Mismatch"),
    ("Walk", Everywhere, "DriftPass"),
    ("Seen", Everywhere, "DriftReport"),
    ("acts", File, "audit"),
    ("Act", Everywhere, "AuditEntry, Action"),
    ("Trace", Everywhere, "AuditDetails"),
    ("tend", Everywhere, "maintenance"),
    ("tending", Everywhere, "maintenance"),
    ("Tended", Everywhere, "MaintenanceReport"),
    ("cap", Everywhere, "limit"),
    ("mark", Everywhere, "tag, transition"),
    ("Mark", Everywhere, "OwnerTag, Transition"),
    ("Marked", Everywhere, "Transitioned"),
    ("admit", File, "admission"),
    ("Ended", Everywhere, "EventOutcome"),
    ("joined", File, "parts"),
    ("Stretch", Everywhere, "TimeWindow"),
    ("Place", Everywhere, "ListPosition, PageEnd"),
    ("place", File, "position, upsert"),
    ("Work", Everywhere, "AccountRun, Invocation"),
    ("Whole", Everywhere, "say what is whole"),
    ("steer", Everywhere, "apply"),
    ("Steering", Everywhere, "Actor"),
    ("steering", Everywhere, "admin actions"),
    ("Bounds", Everywhere, "CallLimits"),
    ("while_", Everywhere, "doing"),
    ("NotOurCursor", Everywhere, "InvalidCursor"),
    ("Against", Everywhere, "Comparison"),
    ("Shown", Everywhere, "RecordVersion"),
    ("answer_is_newer", Everywhere, "fetched_is_newer"),
    ("Standing", Everywhere, "Provenance"),
    ("placed_with", Everywhere, "with_listing_of"),
    ("having_seen", Everywhere, "with_event_seen"),
    ("DOORBELL", Product, "SWEEP_GRACE"),
    ("Refusal", Everywhere, "StripeFailure"),
    ("Spent", Everywhere, "IdempotencyKeySpent"),
    // the test cloud, the simulation, the simulated Stripe, the local cloud
    ("laws", Everywhere, "simulation"),
    ("hands", Everywhere, "workers"),
    ("play", Everywhere, "run_scenario"),
    ("draw", Everywhere, "sample"),
    ("door", Everywhere, "proxy"),
    ("Door", Everywhere, "Proxy"),
    ("Late", Everywhere, "LaggingIndexes"),
    ("Course", Everywhere, "Scenario"),
    ("Trouble", Everywhere, "FaultPlan, UserError"),
    ("troubles", Everywhere, "failures"),
    ("Tale", Everywhere, "Demo"),
    ("people", Everywhere, "users"),
    ("surroundings", Everywhere, "settings"),
    ("Emit", Everywhere, "NewEvent"),
    ("Story", Everywhere, "CustomerLifecycle"),
    ("Habits", Everywhere, "DeliveryBehavior"),
    ("World", Everywhere, "Environment, StripeState"),
    ("Death", Everywhere, "KillPoint"),
    // no names for what a function does
    ("of", Function, "new, from_…, try_from, or what it returns"),
    ("is", Function, "is_ and what"),
    ("one", Function, "what it returns"),
    ("ours", Function, "is_own and what"),
    ("again", Function, "retry and what"),
];

/// Returns the old names in a file: each with its line and what to say instead.
fn old_names(file: &str, text: &str) -> Vec<String> {
    let is_product = is_product(file);
    let wrong = |name: &str, named: Named| {
        OLD_NAMES.iter().find(|(old, scope, _)| {
            *old == name
                && match scope {
                    Everywhere => true,
                    Product => is_product,
                    File => named == Named::File,
                    Function => named == Named::Function,
                }
        })
    };
    let mut found = Vec::new();
    let stem = file.rsplit('/').next().unwrap().split('.').next().unwrap();
    if let Some((old, _, new)) = wrong(stem, Named::File) {
        found.push(format!("{file}: a file called `{old}`; say `{new}`"));
    }
    if file.ends_with(".rs") {
        let tokens = Source::parse(text).tokens;
        for (at, placed) in tokens.iter().enumerate() {
            let Some(ident) = placed.token.ident() else { continue };
            if let Some((old, _, new)) = wrong(ident, named(&tokens, at)) {
                found.push(format!("{file}:{}: `{old}`; say `{new}`", placed.line));
            }
        }
    }
    found
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    File,
    /// What a `fn` or a `let … = |…|` introduces.
    Function,
    Other,
}

fn named(tokens: &[Placed], at: usize) -> Named {
    let has = |at: usize, text: &str| tokens.get(at).is_some_and(|placed| placed.token.is_text(text));
    let is_closure = has(at + 1, "=") && (has(at + 2, "|") || (has(at + 2, "move") && has(at + 3, "|")));
    match at.checked_sub(1) {
        Some(before) if has(before, "fn") || has(before, "let") && is_closure => Named::Function,
        Some(_) | None => Named::Other,
    }
}

fn is_product(file: &str) -> bool {
    file.starts_with("functions/") && file.split('/').nth(2) == Some("src")
}

#[test]
fn names_are_the_fields_own_terms() {
    let mut found = Vec::new();
    for file in source_files(&["rs", "py", "yaml"]) {
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        found.extend(old_names(&file, &text));
    }
    assert!(found.is_empty(), "{} names to change:\n{}", found.len(), found.join("\n"));
}

/// Type names that more than one crate of the product may define, each with the reason.
const SHARED_TYPE_NAMES: &[(&str, &str)] = &[
    ("Deps", "each function has its own, under this name"),
    ("Config", "each function has its own, under this name"),
];

/// Returns the types that a file defines, without those of traits and implementations.
fn defined_types(tokens: &[Placed]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    // Whether each open block is that of a trait or an implementation.
    let mut blocks = Vec::new();
    let mut opens_associated = false;
    for (at, placed) in tokens.iter().enumerate() {
        match &placed.token {
            Token::Punct('{') => blocks.push(std::mem::take(&mut opens_associated)),
            Token::Punct('}') => drop(blocks.pop()),
            Token::Punct(';') => opens_associated = false,
            Token::Ident(keyword) => {
                let starts_item = at == 0
                    || matches!(tokens[at - 1].token, Token::Punct('}' | '{' | ';' | ']' | ')'))
                    || tokens[at - 1].token.is_text("pub")
                    || tokens[at - 1].token.is_text("unsafe");
                opens_associated |= starts_item && matches!(keyword.as_str(), "impl" | "trait");
                let is_type = match keyword.as_str() {
                    "struct" | "enum" | "trait" | "union" => starts_item,
                    "type" => starts_item && blocks.last() != Some(&true),
                    _ => false,
                };
                let name = tokens.get(at + 1).and_then(|next| next.token.ident());
                found.extend(name.filter(|_| is_type).map(|name| (name.to_owned(), placed.line)));
            }
            Token::Punct(_) | Token::Literal | Token::Lifetime => {}
        }
    }
    found
}

/// Returns the files of a crate of `functions/`, with their tokens outside tests.
fn product_sources(name: &str) -> Vec<(String, Vec<Placed>)> {
    let mut files = Vec::new();
    rust_files(&root().join("functions").join(name).join("src"), &mut files);
    let names = files.iter().map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    let product =
        names.filter(|name| !name.split('/').any(|part| part.trim_end_matches(".rs").ends_with("tests")));
    product.map(|name| (name.clone(), Source::parse(&crate::read(&name)).without_tests())).collect()
}

#[test]
fn one_type_name_is_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in product_crates() {
        for (file, tokens) in product_sources(&name) {
            for (type_name, line) in defined_types(&tokens) {
                places.entry(type_name).or_default().push(format!("{file}:{line}"));
            }
        }
    }
    let allowed = |name: &String| SHARED_TYPE_NAMES.iter().any(|(allowed, _)| allowed == name);
    let twice: Vec<_> = places
        .iter()
        .filter(|(name, places)| places.len() > 1 && !allowed(name))
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(
        twice.is_empty(),
        "types with one name for several things; give each its own, or list it with a reason:\n{}",
        twice.join("\n")
    );
    for (name, _) in SHARED_TYPE_NAMES {
        assert!(places.get(*name).is_some_and(|places| places.len() > 1), "{name} is listed for nothing");
    }
}

#[test]
fn a_function_has_the_same_files_as_the_others_and_shows_its_handler_first() {
    let mut found = Vec::new();
    for name in functions() {
        for file in ["main.rs", "lib.rs", "deps.rs", "config.rs"] {
            if !root().join(format!("functions/{name}/src/{file}")).exists() {
                found.push(format!("functions/{name}/src has no {file}"));
            }
        }
        // Some have no errors but those of `shared`.
        let sources = product_sources(&name);
        let mut types = sources.iter().flat_map(|(_, tokens)| defined_types(tokens));
        let has_errors = types.any(|(type_name, _)| type_name.ends_with("Error"));
        if has_errors && !root().join(format!("functions/{name}/src/error.rs")).exists() {
            found.push(format!("functions/{name}/src defines errors and has no error.rs"));
        }
        let lib = crate::read(&format!("functions/{name}/src/lib.rs"));
        match handler_line(&lib) {
            Some(line) if line <= FIRST_SCREEN => {}
            Some(line) => found.push(format!(
                "functions/{name}/src/lib.rs: `handle` is {line} lines below the header; move what is before it \
                 to a file of its own (`deps.rs`), so that it is within {FIRST_SCREEN}"
            )),
            None => found.push(format!("functions/{name}/src/lib.rs has no `pub async fn handle`")),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Lines below the header of a `lib.rs` within which its handler begins.
const FIRST_SCREEN: usize = 45;

/// Returns how many lines below the header the handler begins.
fn handler_line(lib: &str) -> Option<usize> {
    let header = lib.lines().take_while(|line| line.starts_with("//!")).count();
    lib.lines().skip(header).position(|line| line.starts_with("pub async fn handle"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_found_in_code_and_not_in_text() {
        let text = "//! told\nfn f(told: u8) -> &'static str { \"told\" }\nstruct Vault;";
        assert_eq!(
            old_names("functions/x/src/heard.rs", text),
            [
                "functions/x/src/heard.rs: a file called `heard`; say `activity`",
                "functions/x/src/heard.rs:2: `told`; say `emitted, reported, event`",
                "functions/x/src/heard.rs:3: `Vault`; say `SecretStore (a vault is HashiCorp's)`",
            ]
        );
        assert_eq!(old_names("infra/local/surroundings.py", "").len(), 1);
    }

    #[test]
    fn some_names_are_old_only_in_the_product_or_as_a_function() {
        let text = "const DOORBELL: u8 = 1;";
        assert_eq!(old_names("functions/x/src/a.rs", text).len(), 1);
        assert!(old_names("functions/x/tests/it/a.rs", text).is_empty());
        let named = "fn of() {} fn f(of: u8) { let of = |a| a; let of = move || 1; let of = 1; of }";
        assert_eq!(old_names("functions/x/src/a.rs", named).len(), 3);
    }

    #[test]
    fn types_are_found_but_not_those_of_traits_and_implementations() {
        let text = "pub struct A; enum B {} type C = A; trait D { type E; } unsafe impl D for A { type E = u8; }\n\
                    pub(crate) struct F<T>(T); fn f() -> impl D { struct G; type H = G; }\n\
                    macro_rules! m { ($name:ident) => { struct $name; } }";
        let found = defined_types(&Source::parse(text).tokens);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "B", "C", "D", "F", "G", "H"]);
    }

    #[test]
    fn the_line_of_a_handler_is_counted_from_the_header() {
        assert_eq!(handler_line("//! A\n//! b\n\nmod c;\n\npub async fn handle() {}\n"), Some(3));
        assert_eq!(handler_line("//! A\nfn f() {}\n"), None);
    }
}
