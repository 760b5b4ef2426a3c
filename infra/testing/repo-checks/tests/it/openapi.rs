//! The API's description, `functions/openapi.yaml`, says what the template and the sources say: nothing is
//! missing on either side. That every response is as the description says, the end-to-end tests check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{functions, parsed, read, resources, root};

type Words = BTreeSet<String>;
/// Error codes, each with the status that it is answered with.
type Errors = BTreeSet<(u16, String)>;

fn document() -> Value {
    parsed("functions/openapi.yaml")
}

/// What a `$ref` within the document refers to; any other value is itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect(reference),
        None => value,
    }
}

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    role: String,
    wants_token: bool,
    statuses: BTreeSet<u16>,
    errors: Errors,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with the names of its parameters left out.
    fn unnamed_path(&self) -> String {
        let segments = self.path.split('/').map(|one| if one.starts_with('{') { "{}" } else { one });
        segments.collect::<Vec<_>>().join("/")
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            let security = operation.get("security").unwrap_or(&document["security"]);
            let responses = &operation["responses"];
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                role: operation["x-role"].as_str().unwrap_or_else(|| panic!("{method} {path}")).to_owned(),
                wants_token: !security.as_array().unwrap().is_empty(),
                statuses: responses
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|status| status.parse().unwrap())
                    .collect(),
                errors: errors(document, responses),
            });
        }
    }
    assert!(found.len() > 20);
    found
}

/// The error codes of responses. Those of API Gateway's own have none.
fn errors(document: &Value, responses: &Value) -> Errors {
    let mut found = Errors::new();
    for (status, response) in responses.as_object().unwrap() {
        let schema = &resolved(document, response)["content"]["application/json"]["schema"];
        let alternatives = schema["oneOf"].as_array().into_iter().flatten().chain([schema]);
        for alternative in alternatives.filter(|one| one["$ref"] == "#/components/schemas/Error") {
            let codes = alternative["properties"]["error"]["properties"]["code"]["enum"].as_array();
            let codes =
                codes.unwrap_or_else(|| panic!("a response with {status} names no codes: {response}"));
            let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
            found.extend(codes.map(|code| (status.parse().unwrap(), code)));
        }
    }
    found
}

/// The values that a schema of the document takes.
fn words(document: &Value, pointer: &str) -> Words {
    let schema = document.pointer(&format!("/components/schemas/{pointer}")).expect(pointer);
    let constants = schema["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
    let values = schema["enum"].as_array().into_iter().flatten().chain(constants);
    values.map(|value| value.as_str().unwrap_or_else(|| panic!("{pointer}: {value}")).to_owned()).collect()
}

/// A route of the template.
struct Route {
    method: String,
    path: String,
    wants_token: bool,
    function: String,
}

fn routes() -> Vec<Route> {
    let resources: BTreeMap<String, Value> = resources().into_iter().collect();
    let routes = resources.values().filter(|resource| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let routes = routes.map(|route| {
        let route = &route["Properties"];
        let (method, path) = route["RouteKey"].as_str().unwrap().split_once(' ').unwrap();
        let target = route["Target"].as_str().unwrap();
        let integration = target.strip_prefix("integrations/${").unwrap().strip_suffix('}').unwrap();
        // Where a deployment can be gradual: the alias if it is, else the function itself.
        let uri = &resources[integration]["Properties"]["IntegrationUri"];
        let invoked = uri.as_array().and_then(|choices| choices.last()).unwrap_or(uri).as_str().unwrap();
        let function = &resources[invoked.strip_suffix(".Arn").unwrap()];
        Route {
            method: method.to_owned(),
            path: path.to_owned(),
            wants_token: route["AuthorizationType"] == "JWT" && !route["AuthorizerId"].is_null(),
            function: function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned(),
        }
    });
    let routes: Vec<_> = routes.collect();
    assert!(routes.len() > 10);
    routes
}

impl Route {
    /// How exactly the route takes an operation, as API Gateway chooses: the path itself before `{proxy+}`, a
    /// method before `ANY`. None if it does not take it.
    fn takes(&self, operation: &Operation) -> Option<(bool, usize, bool)> {
        let any = self.method == "ANY";
        if !any && self.method != operation.method {
            return None;
        }
        if self.path == operation.path {
            return Some((true, self.path.len(), !any));
        }
        let folder = self.path.strip_suffix("{proxy+}")?;
        operation.path.strip_prefix(folder).filter(|rest| !rest.is_empty())?;
        Some((false, folder.len(), !any))
    }
}

fn route_of<'a>(routes: &'a [Route], operation: &Operation) -> &'a Route {
    let taking = routes.iter().filter_map(|route| Some((route.takes(operation)?, route)));
    let best = taking.max_by_key(|(exactness, _)| *exactness).map(|(_, route)| route);
    best.unwrap_or_else(|| panic!("{} is documented, and the template has no route for it", operation.name()))
}

/// The sources of a package of `functions/`, without its tests.
fn sources(package: &str) -> Vec<(PathBuf, String)> {
    fn gather(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if name.ends_with("tests") {
                continue;
            }
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    gather(&root().join("functions").join(package).join("src"), &mut found);
    assert!(!found.is_empty(), "{package}");
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    functions().iter().map(String::as_str).chain(["shared"]).flat_map(sources).collect()
}

/// What stands after each `before` of a text.
fn after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(before).map(move |(at, _)| &text[at + before.len()..])
}

/// The text literal at the start, whatever space is before it.
fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn number(status: &str) -> u16 {
    match status {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "CONFLICT" => 409,
        "PAYLOAD_TOO_LARGE" => 413,
        "BAD_GATEWAY" => 502,
        "SERVICE_UNAVAILABLE" => 503,
        other => panic!("{other} is a status that these tests do not know"),
    }
}

/// The errors of a package: wherever a status stands before a code.
fn errors_in(package: &str) -> Errors {
    let mut found = Errors::new();
    for (_, text) in sources(package) {
        for rest in after(&text, "StatusCode::") {
            let (status, rest) =
                rest.split_at(rest.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap());
            if let Some(code) = rest.trim_start().strip_prefix(',').and_then(literal) {
                found.insert((number(status), code.to_owned()));
            }
        }
    }
    found
}

/// The paths that a function knows, by the slices of segments that it matches or compares with; each with the
/// methods that stand behind it, if any do.
fn paths_in(package: &str, roots: &Words) -> BTreeMap<String, Words> {
    let mut found: BTreeMap<String, Words> = BTreeMap::new();
    for (_, text) in sources(package) {
        let mut places = Vec::new();
        for (at, _) in text.match_indices("[\"") {
            let Some((slice, rest)) = text[at + 1..].split_once(']') else { continue };
            if !rest.trim_start().starts_with("=>") && !text[..at].trim_end().ends_with("!=") {
                continue;
            }
            let segments = slice.split(',').map(|one| literal(one).unwrap_or("{}"));
            let segments: Vec<_> = segments.collect();
            if roots.contains(segments[0]) {
                places.push((at, format!("/{}", segments.join("/"))));
            }
        }
        let ends = places.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
        for ((at, path), end) in places.iter().zip(ends) {
            let methods = after(&text[*at..end], "Method::");
            let methods = methods.map(|rest| rest.split(|c: char| !c.is_ascii_uppercase()).next().unwrap());
            let methods = methods.filter(|method| !method.is_empty()).map(str::to_owned);
            found.entry(path.clone()).or_default().extend(methods);
        }
    }
    found
}

/// The words that an enum is written as in JSON.
fn variants(name: &str) -> Words {
    let head = format!("enum {name} {{");
    let sources = all_sources();
    let bodies: Vec<_> = sources.iter().flat_map(|(_, text)| after(text, &head)).collect();
    let [body] = bodies[..] else {
        panic!("{} enums are called {name}; has it another name now?", bodies.len())
    };
    let mut found = Words::new();
    let mut renamed = None;
    for line in body.split("\n}").next().unwrap().lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next();
        } else if let Some(variant) = line.strip_suffix(',') {
            let mut word = String::new();
            for (at, c) in variant.char_indices() {
                if c.is_ascii_uppercase() && at > 0 {
                    word.push('_');
                }
                word.push(c.to_ascii_lowercase());
            }
            found.insert(renamed.take().map_or(word, str::to_owned));
        }
    }
    assert!(found.len() > 1, "{name}");
    found
}

fn same(documented: &Words, in_source: &Words, what: &str) {
    let missing: Vec<_> = in_source.difference(documented).collect();
    let gone: Vec<_> = documented.difference(in_source).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{what}: not documented {missing:?}; documented only {gone:?}"
    );
}

#[test]
fn each_operation_has_a_route_and_wants_a_token_where_the_route_does() {
    let routes = routes();
    for operation in operations(&document()) {
        let route = route_of(&routes, &operation);
        assert_eq!(operation.wants_token, route.wants_token, "{}", operation.name());
        let roles: &[&str] = if operation.wants_token { &["viewer", "admin"] } else { &["public"] };
        assert!(roles.contains(&operation.role.as_str()), "{}: {}", operation.name(), operation.role);
    }
}

#[test]
fn each_route_is_documented() {
    let (routes, operations) = (routes(), operations(&document()));
    for route in &routes {
        let documented = operations.iter().any(|operation| std::ptr::eq(route_of(&routes, operation), route));
        assert!(documented, "no operation goes by the route {} {}", route.method, route.path);
    }
}

#[test]
fn behind_a_route_of_many_paths_are_those_that_its_function_knows() {
    let (routes, operations) = (routes(), operations(&document()));
    let roots: Words =
        operations.iter().map(|operation| operation.path.split('/').nth(1).unwrap().to_owned()).collect();
    for function in functions() {
        let of_it = operations.iter().filter(|operation| route_of(&routes, operation).function == function);
        let mut documented: BTreeMap<String, Words> = BTreeMap::new();
        for operation in of_it {
            documented.entry(operation.unnamed_path()).or_default().insert(operation.method.clone());
        }
        let known = paths_in(&function, &roots);
        let has_many =
            routes.iter().any(|route| route.function == function && route.path.ends_with("{proxy+}"));
        if known.is_empty() && !has_many {
            continue;
        }
        let paths = |of: &BTreeMap<String, Words>| of.keys().cloned().collect();
        same(&paths(&documented), &paths(&known), &format!("paths of {function}"));
        for (path, methods) in known.iter().filter(|(_, methods)| !methods.is_empty()) {
            same(&documented[path], methods, &format!("methods of {path}"));
        }
    }
}

#[test]
fn each_function_answers_the_errors_that_are_documented_for_it() {
    let document = document();
    let (routes, operations) = (routes(), operations(&document));
    let shared = errors_in("shared");
    let unrouted = errors(&document, &document["x-unrouted"]);
    for function in functions() {
        let of_it: Vec<_> =
            operations.iter().filter(|operation| route_of(&routes, operation).function == function).collect();
        let mut documented: Errors = of_it.iter().flat_map(|one| one.errors.iter().cloned()).collect();
        if of_it.iter().any(|operation| operation.wants_token) {
            documented.extend(unrouted.iter().cloned());
        }
        let own = errors_in(&function);
        let missing: Vec<_> = own.difference(&documented).collect();
        assert!(missing.is_empty(), "{function} answers what is not documented: {missing:?}");
        let gone: Vec<_> =
            documented.iter().filter(|one| !own.contains(one) && !shared.contains(one)).collect();
        assert!(gone.is_empty(), "{function} answers nowhere what is documented: {gone:?}");
    }
    let documented: Errors =
        operations.iter().flat_map(|one| &one.errors).chain(&unrouted).cloned().collect();
    let missing: Vec<_> = shared.difference(&documented).collect();
    assert!(missing.is_empty(), "shared answers what is not documented: {missing:?}");
    let codes = documented.into_iter().map(|(_, code)| code).collect();
    same(&words(&document, "ErrorCode"), &codes, "ErrorCode and the operations");
}

/// Else the scan above would not see a code.
#[test]
fn each_error_is_made_with_its_status_and_code_side_by_side() {
    let mut seen = 0;
    for (path, text) in all_sources() {
        for arguments in after(&text, "ApiError::new(").map(str::trim_start) {
            let code = arguments.strip_prefix("StatusCode::").and_then(|rest| rest.split_once(','));
            let plain = code.is_some_and(|(_, rest)| literal(rest).is_some());
            // A closure that is given both.
            assert!(plain || arguments.starts_with("status, code,"), "{}: {arguments:.60}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn each_operation_names_the_answers_that_every_request_can_get() {
    for operation in operations(&document()) {
        let mut always = vec![413, 429, 500, 503];
        if operation.wants_token {
            always.extend([401, 403]);
            assert!(operation.errors.contains(&(403, "forbidden".to_owned())), "{}", operation.name());
        }
        for status in always {
            assert!(operation.statuses.contains(&status), "{} names no {status}", operation.name());
        }
    }
}

#[test]
fn each_enumeration_has_the_words_of_the_sources() {
    let document = document();
    for (schema, name, more) in [
        ("Mode", "Mode", None),
        ("EndpointState", "EndpointState", None),
        ("EventState", "EventState", None),
        ("PaymentState", "PaymentState", None),
        ("HealthStatus", "HealthStatus", None),
        ("Check/properties/severity", "Severity", None),
        ("KeyRight", "KeyRight", None),
        ("Import/properties/state", "ImportState", Some("none")),
        ("Erasure/properties/state", "ErasureState", None),
    ] {
        let mut in_source = variants(name);
        in_source.extend(more.map(str::to_owned));
        same(&words(&document, schema), &in_source, schema);
    }
}

#[test]
fn each_word_of_an_enumeration_stands_in_the_sources() {
    let document = document();
    for (package, schema) in [
        ("import", "HaltReason"),
        ("status", "HaltReason"),
        ("import", "Import/properties/progress/items/properties/state"),
        ("reconcile", "Asked"),
        ("register", "TestStep/properties/step"),
        ("receive", "Receipt/properties/outcome"),
        ("shared", "EventFields/properties/source"),
    ] {
        let sources = sources(package);
        for word in words(&document, schema) {
            let literal = format!("\"{word}\"");
            assert!(sources.iter().any(|(_, text)| text.contains(&literal)), "{package} has no {literal}");
        }
    }
}

#[test]
fn each_check_of_the_status_is_documented() {
    let sources = sources("status");
    // A code is the first argument of a function that takes one, or has been named before.
    let takes_code = |text: &str| {
        let (name, parameters) = text.split_once('(')?;
        parameters.trim_start().starts_with("code: &'static str").then(|| format!("{name}("))
    };
    let functions = sources.iter().flat_map(|(_, text)| after(text, "fn ").filter_map(takes_code));
    let places: Words = functions.chain(["let code = ".to_owned()]).collect();
    assert!(places.len() > 2, "{places:?}");
    let mut codes = Words::new();
    for (_, text) in &sources {
        for before in &places {
            let words = after(text, before).filter_map(literal).filter(|word| is_word(word));
            codes.extend(words.map(str::to_owned));
        }
    }
    assert!(codes.len() > 20, "{codes:?}");
    same(&words(&document(), "CheckCode"), &codes, "CheckCode");
}

#[test]
fn each_action_of_the_audit_is_documented() {
    let mut actions = Words::new();
    for (_, text) in functions().iter().flat_map(|name| sources(name)) {
        for area in ["endpoint.", "settings.", "events.", "import.", "erasure."] {
            for rest in after(&text, &format!("\"{area}")) {
                let action = rest.split('"').next().unwrap();
                if is_word(action) {
                    actions.insert(format!("{area}{action}"));
                }
            }
        }
    }
    // The only one that is a single word.
    assert!(sources("reconcile").iter().any(|(_, text)| text.contains("\"reconcile\"")));
    actions.insert("reconcile".to_owned());
    same(&words(&document(), "AuditAction"), &actions, "AuditAction");
}

#[test]
fn the_document_is_of_this_version() {
    let version = document()["info"]["version"].as_str().unwrap().to_owned();
    assert!(
        read("Cargo.toml").contains(&format!("[workspace.package]\nversion = \"{version}\"\n")),
        "{version}"
    );
}
