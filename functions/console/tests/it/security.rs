//! What the browser is told that the page may do.

use std::collections::BTreeMap;

use console::{Config, Deps, Issuer, PageFiles};

use crate::support::{SIGN_IN, config, console, get, header};

fn policy(deps: &Deps) -> BTreeMap<String, String> {
    let response = get(deps, "/", &[]);
    let policy = header(&response, "content-security-policy").to_owned();
    let directives = policy.split(';').map(|directive| directive.trim().split_once(' ').unwrap());
    directives.map(|(name, sources)| (name.to_owned(), sources.to_owned())).collect()
}

#[test]
fn the_page_may_run_its_own_files_alone_and_nothing_inline() {
    let policy = policy(&console());
    assert_eq!(policy["default-src"], "'none'");
    for own in ["script-src", "style-src", "img-src", "font-src"] {
        assert_eq!(policy[own], "'self'", "{own}");
    }
    assert_eq!(policy["frame-ancestors"], "'none'");
    assert_eq!(policy["base-uri"], "'none'");
    assert_eq!(policy["require-trusted-types-for"], "'script'");
    assert_eq!(policy["trusted-types"], "svelte-trusted-html");
}

#[test]
fn the_page_may_call_the_api_and_the_issuer_alone() {
    assert_eq!(policy(&console())["connect-src"], format!("'self' {SIGN_IN}"));
    let outside = |token_origin: Option<&str>| Config {
        issuer: "https://login.example.com/tenant/v2".into(),
        issuer_kind: Issuer::Outside { token_origin: token_origin.map(str::to_owned) },
        ..config()
    };
    let called = |config| policy(&Deps::new(config, PageFiles::default()).unwrap())["connect-src"].clone();
    assert_eq!(called(outside(None)), "'self' https://login.example.com");
    assert_eq!(
        called(outside(Some("https://tokens.example.com"))),
        "'self' https://login.example.com https://tokens.example.com"
    );
}

#[test]
fn what_is_no_address_stops_the_start_with_its_name() {
    for url in ["login.example.com", "data:text/plain,x", "https://", ""] {
        let wrong = Config { issuer_kind: Issuer::OwnPool { url: url.into() }, ..config() };
        let error = Deps::new(wrong, PageFiles::default()).unwrap_err().to_string();
        assert!(error.contains(&format!("{url} is not an address")), "{error}");
    }
}

#[test]
fn every_answer_has_the_headers() {
    let deps = console();
    for path in ["/", "/assets/index-1a2b.js", "/config.json", "/assets/none.js"] {
        let response = get(&deps, path, &[]);
        for (name, value) in [
            ("strict-transport-security", "max-age=31536000"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin-allow-popups"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(&response, name), value, "{path}");
        }
        assert_ne!(header(&response, "content-security-policy"), "", "{path}");
        assert!(header(&response, "permissions-policy").contains("camera=()"), "{path}");
        assert_eq!(header(&response, "access-control-allow-origin"), "", "{path}");
    }
}
