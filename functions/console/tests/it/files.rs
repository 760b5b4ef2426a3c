//! The page and its files: what is sent, how it is compressed and cached.

use console::{Deps, PageFiles};
use lambda_http::Body;
use lambda_http::http::Method;
use shared::http::to_lambda;

use crate::support::{ask, config, console, get, header};

#[test]
fn the_page_is_sent_compressed_to_browsers_that_take_it() {
    let deps = console();
    for (path, accepted, sent, encoding) in [
        ("/", "gzip, deflate, br, zstd", "compressed index", "br"),
        ("/", "gzip", "<!doctype html><title>Billhook</title>", ""),
        ("/", "br;q=0, gzip", "<!doctype html><title>Billhook</title>", ""),
        ("/assets/index-1a2b.js", "BR;q=0.5", "compressed script", "br"),
        ("/assets/index-1a2b.js", "", "start()", ""),
        ("/assets/icon-3c4d.svg", "br", "<svg/>", ""),
    ] {
        let response = get(&deps, path, &[("accept-encoding", accepted)]);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(&response.body()[..], sent.as_bytes(), "{path} with {accepted}");
        assert_eq!(header(&response, "content-encoding"), encoding, "{path} with {accepted}");
    }
    let plain = get(&deps, "/assets/index-1a2b.js", &[]);
    assert_eq!(header(&plain, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&plain, "vary"), "Accept-Encoding", "a cache must not hand it to another browser");
    assert_eq!(header(&get(&deps, "/assets/icon-3c4d.svg", &[]), "vary"), "");
}

#[test]
fn api_gateway_gets_the_bytes_as_they_are() {
    let lambda = to_lambda(get(&console(), "/", &[("accept-encoding", "br")]));
    assert_eq!(lambda["isBase64Encoded"], true);
    assert_eq!(lambda["body"], "Y29tcHJlc3NlZCBpbmRleA==");
    let lambda = to_lambda(get(&console(), "/config.json", &[]));
    assert_eq!(lambda["isBase64Encoded"], false);
}

#[test]
fn files_are_kept_for_good_and_the_page_is_asked_for_each_time() {
    let deps = console();
    let asset = get(&deps, "/assets/index-1a2b.js", &[]);
    assert_eq!(header(&asset, "cache-control"), "public, max-age=31536000, immutable");
    let page = get(&deps, "/", &[]);
    assert_eq!(header(&page, "cache-control"), "no-cache");
    let etag = header(&page, "etag").to_owned();
    assert!(etag.len() > 2, "{etag}");
    for named in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let again = get(&deps, "/", &[("if-none-match", &named)]);
        assert_eq!((again.status().as_u16(), again.body().len()), (304, 0), "{named}");
        assert_eq!(header(&again, "etag"), etag);
        assert_ne!(header(&again, "content-security-policy"), "");
    }
    for other in ["\"other\"", "", &etag[1..]] {
        assert_eq!(get(&deps, "/", &[("if-none-match", other)]).status(), 200, "{other}");
    }
}

#[test]
fn nothing_else_is_a_file() {
    let deps = console();
    for path in [
        "/assets/",
        "/assets/other.js",
        "/assets/index-1a2b.js.br",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/index.html",
        "/index.html.br",
        "/assets/index-1a2b",
        "//",
    ] {
        let response = get(&deps, path, &[]);
        assert_eq!(response.status(), 404, "{path}");
        assert!(String::from_utf8_lossy(response.body()).contains("not_found"), "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
    }
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        assert_eq!(ask(&deps, &method, "/", &[]).status(), 405, "{method}");
    }
}

#[test]
fn a_function_without_the_page_says_so_and_is_no_success() {
    let deps = Deps::new(config(), PageFiles::default()).unwrap();
    let response = get(&deps, "/", &[]);
    assert_eq!(response.status(), 503);
    let Body::Text(text) = response.body() else { panic!("{response:?}") };
    assert!(text.contains("make page"), "{text}");
    assert_eq!(header(&response, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(get(&deps, "/config.json", &[]).status(), 200, "signing in does not need the page");
}
