//! Imports between the modules of a crate: no circles anywhere, and in `shared` one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::tokens::{Placed, Source, Token};
use crate::{functions, product_crates, read, root, rust_files};

/// A module's path within its crate; the root is empty.
type ModulePath = Vec<String>;

/// One crate: its modules, which are its files, with the tokens of each.
struct Crate {
    modules: BTreeMap<ModulePath, Vec<Placed>>,
}

/// A use of one module by another, with the path that was written.
type Edges = BTreeMap<ModulePath, BTreeMap<ModulePath, String>>;

impl Crate {
    fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        rust_files(folder, &mut files);
        let modules = files.iter().filter_map(|file| {
            let path = module_path(file.strip_prefix(folder).unwrap().to_str().unwrap())?;
            Some((path, std::fs::read_to_string(file).unwrap()))
        });
        Self::parse(modules)
    }

    fn parse(modules: impl Iterator<Item = (ModulePath, String)>) -> Self {
        Self { modules: modules.map(|(path, text)| (path, Source::parse(&text).without_tests())).collect() }
    }

    /// Returns the names that a module imports, each with the path that it stands for.
    fn imports(&self, module: &ModulePath) -> BTreeMap<String, ModulePath> {
        uses(&self.modules[module])
            .into_iter()
            .filter_map(|import| Some((import.name, self.absolute(module, &import.path)?)))
            .collect()
    }

    /// Returns a path from the root of the crate, or `None` if it leads into another crate.
    fn absolute(&self, module: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let mut from = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                from.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    from.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                let is_child = self.modules.contains_key(&[&from[..], &[child.to_owned()]].concat());
                if !is_child {
                    return None;
                }
            }
        }
        Some([&from[..], rest].concat())
    }

    /// Returns the module in which the thing at a path is defined: imports and re-exports are followed.
    fn definition(&self, path: &[String], seen: &mut BTreeSet<ModulePath>) -> ModulePath {
        let known = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]));
        let module = path[..known.unwrap_or(0)].to_vec();
        let Some(name) = path.get(module.len()) else { return module };
        if !seen.insert(path.to_vec()) {
            return module;
        }
        match self.imports(&module).get(name) {
            Some(target) => {
                let target = [target, &path[module.len() + 1..]].concat();
                self.definition(&target, seen)
            }
            None => module,
        }
    }

    /// Returns which modules each module uses.
    fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (module, tokens) in &self.modules {
            let used = edges.entry(module.clone()).or_default();
            // A re-export of a child is how a module shows its parts, and no use of them.
            let is_re_export = |import: &Import| {
                import.is_public
                    && self.absolute(module, &import.path).is_some_and(|path| path.starts_with(module))
            };
            let imports = uses(tokens).into_iter().filter(|import| !is_re_export(import));
            for path in imports.map(|import| import.path).chain(paths(tokens)) {
                if let Some(absolute) = self.absolute(module, &path) {
                    let target = self.definition(&absolute, &mut BTreeSet::new());
                    if target != *module {
                        used.entry(target).or_insert_with(|| path.join("::"));
                    }
                }
            }
        }
        edges
    }

    /// Returns the circles of its modules, each once. The root is none of them: it is above all.
    fn circles(&self) -> Vec<String> {
        let edges = self.edges();
        let mut circles = BTreeMap::new();
        for module in edges.keys().filter(|module| !module.is_empty()) {
            if let Some(circle) = circle(&edges, module) {
                let members: BTreeSet<_> = circle.iter().cloned().collect();
                circles.entry(members).or_insert(circle);
            }
        }
        circles.into_values().map(|circle| described(&edges, &circle)).collect()
    }
}

/// Returns the shortest way from a module back to itself.
fn circle(edges: &Edges, start: &ModulePath) -> Option<Vec<ModulePath>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in edges[way.last().unwrap()].keys().filter(|next| !next.is_empty()) {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([&way[..], std::slice::from_ref(next)].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

fn described(edges: &Edges, circle: &[ModulePath]) -> String {
    let steps = circle.iter().enumerate().map(|(index, module)| {
        let next = &circle[(index + 1) % circle.len()];
        format!("{} uses {}", module.join("::"), edges[module][next])
    });
    steps.collect::<Vec<_>>().join(", ")
}

/// Returns the module of a file of `src`; `None` for what is no module of the library, and for tests.
fn module_path(file: &str) -> Option<ModulePath> {
    let stem = file.strip_suffix(".rs")?;
    let path: ModulePath = stem.split('/').map(str::to_owned).collect();
    let is_test = path.iter().any(|part| part == "tests" || part.ends_with("_tests"));
    match stem {
        "main" => None,
        "lib" => Some(Vec::new()),
        _ => (!is_test).then_some(path),
    }
}

/// One name that a `use` brings in.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    name: String,
    path: Vec<String>,
    is_public: bool,
}

/// Returns what the `use` items bring in.
fn uses(tokens: &[Placed]) -> Vec<Import> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if starts_use(tokens, at) {
            let is_public = is_public(&tokens[..at]);
            let end = (at..tokens.len()).find(|end| tokens[*end].token.is_text(";")).unwrap_or(tokens.len());
            let mut imports = Vec::new();
            use_tree(&tokens[at + 1..end], &[], &mut imports);
            found.extend(imports.into_iter().map(|(name, path)| Import { name, path, is_public }));
            at = end;
        }
        at += 1;
    }
    found
}

/// Whether a `use` item begins here; `impl Trait + use<>` is none.
fn starts_use(tokens: &[Placed], at: usize) -> bool {
    tokens[at].token.is_text("use") && !tokens.get(at + 1).is_some_and(|next| next.token.is_text("<"))
}

/// Whether the tokens end in `pub`, or in `pub(…)`.
fn is_public(before: &[Placed]) -> bool {
    let Some(last) = before.last() else { return false };
    if last.token.is_text(")") {
        let open = before.iter().rposition(|placed| placed.token.is_text("("));
        return open.is_some_and(|open| open > 0 && before[open - 1].token.is_text("pub"));
    }
    last.token.is_text("pub")
}

fn use_tree(tokens: &[Placed], prefix: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let mut path = prefix.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at].token {
            Token::Ident(ident) if ident == "as" => {
                let name = tokens.get(at + 1).and_then(|placed| placed.token.ident()).unwrap_or("_");
                found.push((name.to_owned(), path));
                return;
            }
            Token::Ident(ident) if ident == "self" && path.len() > prefix.len() => {}
            Token::Ident(ident) if ident == "self" && !prefix.is_empty() => {}
            Token::Ident(ident) => path.push(ident.clone()),
            Token::Punct('*') => {
                found.push(("*".to_owned(), path));
                return;
            }
            Token::Punct('{') => {
                for part in split_by_comma(&tokens[at + 1..tokens.len() - 1]) {
                    use_tree(part, &path, found);
                }
                return;
            }
            Token::Punct(_) | Token::Literal | Token::Lifetime => {}
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        found.push((name, path));
    }
}

fn split_by_comma(tokens: &[Placed]) -> Vec<&[Placed]> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, placed) in tokens.iter().enumerate() {
        match placed.token {
            Token::Punct('{') => depth += 1,
            Token::Punct('}') => depth -= 1,
            Token::Punct(',') if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            Token::Punct(_) | Token::Ident(_) | Token::Literal | Token::Lifetime => {}
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the paths in code, outside `use` items: `crate::a::b`, `super::c`, `child::d`.
fn paths(tokens: &[Placed]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if starts_use(tokens, at) {
            at = (at..tokens.len()).find(|end| tokens[*end].token.is_text(";")).unwrap_or(tokens.len());
            continue;
        }
        let follows_path = at >= 2 && tokens[at - 2..at].iter().all(|placed| placed.token.is_text(":"));
        let is_start = !follows_path && (at < 1 || !tokens[at - 1].token.is_text("."));
        let mut path = Vec::new();
        let mut next = at;
        while let Some(ident) = tokens.get(next).and_then(|placed| placed.token.ident()) {
            path.push(ident.to_owned());
            let goes_on =
                |ahead: usize| tokens.get(next + ahead).is_some_and(|placed| placed.token.is_text(":"));
            if !(goes_on(1) && goes_on(2)) {
                break;
            }
            next += 3;
        }
        if is_start && path.len() > 1 {
            found.push(path);
        }
        at = next.max(at) + 1;
    }
    found
}

#[test]
fn no_modules_of_a_crate_use_each_other_in_a_circle() {
    let mut found = Vec::new();
    for name in product_crates() {
        let circles = Crate::read(&root().join("functions").join(&name).join("src")).circles();
        found.extend(circles.into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(
        found.is_empty(),
        "modules that use each other cannot be read one after the other; move what both need into a module of \
         its own, or pass it as an argument:\n{}",
        found.join("\n")
    );
}

/// The map in the header of `shared/src/lib.rs`: the modules in order, and how many of them are domain types.
struct SharedMap {
    modules: Vec<String>,
    domain_types: usize,
}

impl SharedMap {
    fn parse(text: &str) -> Self {
        let (mut modules, mut domain_types) = (Vec::new(), 0);
        for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
            if line.trim() == "# Adapters" {
                domain_types = modules.len();
            } else if let Some((name, _)) = line.strip_prefix(" - `").and_then(|rest| rest.split_once("`:")) {
                modules.push(name.to_owned());
            }
        }
        Self { modules, domain_types }
    }

    /// Returns each use of a module that does not stand above its user.
    fn upward_uses(&self, shared: &Crate) -> Vec<String> {
        let place = |module: &ModulePath| {
            module.first().and_then(|top| self.modules.iter().position(|listed| listed == top))
        };
        let mut found = BTreeSet::new();
        for (module, used) in shared.edges() {
            for (target, path) in used {
                if let (Some(user), Some(used)) = (place(&module), place(&target))
                    && used > user
                {
                    found.insert(format!(
                        "{} uses {path}, and `{}` stands below it",
                        module.join("::"),
                        self.modules[used]
                    ));
                }
            }
        }
        found.into_iter().collect()
    }
}

fn shared() -> (SharedMap, Crate) {
    let map = SharedMap::parse(&read("functions/shared/src/lib.rs"));
    (map, Crate::read(&root().join("functions/shared/src")))
}

#[test]
fn the_map_of_shared_has_each_of_its_modules() {
    let (map, shared) = shared();
    let listed: BTreeSet<_> = map.modules.iter().cloned().collect();
    let existing: BTreeSet<_> =
        shared.modules.keys().filter(|path| path.len() == 1).map(|path| path[0].clone()).collect();
    assert_eq!(listed, existing, "left: the map in shared/src/lib.rs; right: its modules. Make them agree");
    assert_eq!(listed.len(), map.modules.len(), "a module stands in the map of shared/src/lib.rs twice");
    assert!(
        map.domain_types > 5,
        "the map in shared/src/lib.rs has the headings `# Domain types` and `# Adapters`"
    );
}

#[test]
fn a_module_of_shared_uses_only_those_above_it_in_the_map() {
    let (map, shared) = shared();
    let found = map.upward_uses(&shared);
    assert!(
        found.is_empty(),
        "in shared, a module uses only those above it in the map of shared/src/lib.rs; move the module in the \
         map, or what is used to a module above:\n{}",
        found.join("\n")
    );
}

const SDKS: [&str; 4] = ["aws_sdk", "aws_smithy", "lambda_http", "reqwest"];

#[test]
fn the_domain_types_of_shared_name_no_sdk() {
    let (map, shared) = shared();
    for (module, tokens) in &shared.modules {
        if module.first().is_some_and(|top| map.modules[..map.domain_types].contains(top)) {
            for placed in tokens {
                let sdk = placed.token.ident().filter(|ident| SDKS.iter().any(|sdk| ident.starts_with(sdk)));
                let module = module.join("::");
                assert!(
                    sdk.is_none(),
                    "shared::{module} holds domain types, and line {} names an SDK",
                    placed.line
                );
            }
        }
    }
}

#[test]
fn functions_name_no_sdk_of_an_adapter_and_no_other_function() {
    for name in functions() {
        let package = Crate::read(&root().join("functions").join(&name).join("src"));
        for (module, tokens) in &package.modules {
            let module = format!("{name}::{}", module.join("::"));
            let sdk = tokens.iter().filter_map(|placed| placed.token.ident());
            let sdk = sdk.into_iter().find(|ident| ident.starts_with("aws_sdk") || *ident == "reqwest");
            assert!(sdk.is_none(), "{module} names {sdk:?}: only an adapter in shared does");
            for import in uses(tokens) {
                let other = functions().into_iter().find(|other| *other != name && import.path[0] == *other);
                let is_own = package.modules.contains_key(&import.path[..1]);
                assert!(other.is_none() || is_own, "{module} uses the function {other:?}: move it to shared");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up(files: &[(&str, &str)]) -> Crate {
        Crate::parse(files.iter().filter_map(|(file, text)| Some((module_path(file)?, (*text).to_owned()))))
    }

    #[test]
    fn a_use_is_read_with_its_groups_names_and_renames() {
        let text = "use a::b; pub use c::{d, e::{self, f as g}, h::*}; pub(crate) use self::i::J;";
        let found = uses(&Source::parse(text).tokens);
        let import = |name: &str, path: &str, is_public| Import {
            name: name.to_owned(),
            path: path.split("::").map(str::to_owned).collect(),
            is_public,
        };
        let expected = [
            import("b", "a::b", false),
            import("d", "c::d", true),
            import("e", "c::e", true),
            import("g", "c::e::f", true),
            import("*", "c::h", true),
            import("J", "self::i::J", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_in_code_are_found() {
        let text = "use x::y; fn f(a: crate::b::C) -> d::E { super::g(&h.i); j::k::<l::M>() }";
        let found: Vec<_> = paths(&Source::parse(text).tokens).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, ["crate::b::C", "d::E", "super::g", "j::k", "l::M"]);
    }

    #[test]
    fn a_circle_of_two_and_one_of_three_are_found() {
        let two = made_up(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "fn f() { crate::a::A }"),
        ]);
        assert_eq!(two.circles(), ["a uses crate::b::B, b uses crate::a::A"]);
        let three = made_up(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b::B;"),
            ("b.rs", "use crate::c;"),
            ("c.rs", "use crate::a::A;"),
        ]);
        assert_eq!(three.circles(), ["a uses super::b::B, b uses crate::c, c uses crate::a::A"]);
    }

    #[test]
    fn a_circle_by_way_of_a_re_export_is_found() {
        let found = made_up(&[
            ("lib.rs", "mod a; mod b; pub use self::a::A;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::A; pub struct B;"),
        ]);
        assert_eq!(found.circles(), ["a uses crate::b::B, b uses crate::A"]);
        let sibling = made_up(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub use crate::b::B;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ]);
        assert_eq!(sibling.circles(), ["a uses crate::b::B, b uses crate::a::A"]);
    }

    #[test]
    fn a_circle_of_a_module_and_its_child_is_found_but_a_re_export_is_none() {
        let lib = ("lib.rs", "mod a;");
        let child = ("a/b.rs", "use super::Thing; pub fn f() {}");
        let circle = made_up(&[lib, ("a.rs", "mod b; pub struct Thing; fn g() { b::f() }"), child]);
        assert_eq!(circle.circles(), ["a uses b::f, a::b uses super::Thing"]);
        let fine = made_up(&[lib, ("a.rs", "mod b; pub use self::b::f; pub struct Thing;"), child]);
        assert!(fine.circles().is_empty());
    }

    #[test]
    fn what_tests_import_is_no_circle() {
        let found = made_up(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
            ("b/tests.rs", "use crate::a::A;"),
        ]);
        assert!(found.circles().is_empty());
    }

    #[test]
    fn a_use_of_a_module_below_in_the_map_is_found() {
        let map = SharedMap::parse(
            "//! # Domain types\n//!\n//! - `a`: one\n//! - `b`: two,\n//!   and more\n//!\n//! # Adapters\n//! - `c`: three\n",
        );
        assert_eq!((map.modules.join(" ").as_str(), map.domain_types), ("a b c", 2));
        let shared = made_up(&[
            ("lib.rs", ""),
            ("a.rs", "use crate::c::C;"),
            ("b.rs", "use crate::a::A;"),
            ("c.rs", "use crate::{a, b};"),
        ]);
        assert_eq!(map.upward_uses(&shared), ["a uses crate::c::C, and `c` stands below it"]);
    }
}
