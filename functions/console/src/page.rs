//! The files of the page, which the build puts into the function.
//!
//! `ui/` is built to `ui/dist`: `index.html`, and files under `assets/` whose names change with what is in
//! them. Beside each file that compresses stands the same in Brotli (`.br`): an HTTP API compresses nothing
//! itself.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use shared::http::header_text;

/// The files as they were when the function was built.
#[derive(rust_embed::Embed)]
#[folder = "ui/dist"]
// So that the Rust of this project builds without Node; `PageFiles::index` says what is missing.
#[allow_missing = true]
struct Built;

/// A file of the page.
#[derive(Debug, Clone)]
pub struct PageFile {
    content: Cow<'static, [u8]>,
    /// Changes with the content.
    etag: HeaderValue,
}

impl PageFile {
    /// A file with this content.
    pub fn new(content: impl Into<Cow<'static, [u8]>>, digest: &[u8]) -> Self {
        let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let etag = HeaderValue::from_str(&format!("\"{digest}\""));
        Self { content: content.into(), etag: etag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")) }
    }
}

/// The page: its files by their paths (`index.html`, `assets/index-1a2b3c.js`).
#[derive(Debug, Default)]
pub struct PageFiles(BTreeMap<String, PageFile>);

impl PageFiles {
    /// A page of these files.
    pub fn new(files: impl IntoIterator<Item = (String, PageFile)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// The page that was built into this function; without a file if none was.
    pub fn built() -> Self {
        let file = |path: Cow<'static, str>| {
            let found = Built::get(&path)?;
            Some((path.into_owned(), PageFile::new(found.data, &found.metadata.sha256_hash())))
        };
        Self::new(Built::iter().filter_map(file))
    }

    /// The page itself, which a browser asks for anew each time; 304 where it has this one. None if the
    /// function was built without it.
    pub(crate) fn index(&self, request: &Request) -> Option<Response<Body>> {
        let etag = &self.0.get("index.html")?.etag;
        let mut response = if is_named(etag, request) {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            self.file("index.html", request)?
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ETAG, etag.clone());
        Some(response)
    }

    /// A file of `assets/`, which no browser needs to ask for twice: its name stands for its content.
    pub(crate) fn asset(&self, name: &str, request: &Request) -> Option<Response<Body>> {
        let mut response = self.file(&format!("assets/{name}"), request)?;
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
        Some(response)
    }

    /// A file, in Brotli where there is one and the browser takes it.
    fn file(&self, path: &str, request: &Request) -> Option<Response<Body>> {
        let media_type = media_type(path)?;
        let plain = self.0.get(path)?;
        let compressed = self.0.get(&format!("{path}.br"));
        let sent = compressed.filter(|_| takes_brotli(request));
        let mut response = Response::new(Body::Binary(sent.unwrap_or(plain).content.to_vec()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        if sent.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        if compressed.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        Some(response)
    }
}

/// What a file is, by its name's end. None for one that is not served by itself, such as a `.br`.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// Whether the browser says that it has the file of this tag (RFC 9110, 13.1.2).
fn is_named(etag: &HeaderValue, request: &Request) -> bool {
    items(request, &header::IF_NONE_MATCH).iter().any(|item| {
        let item = item.strip_prefix("W/").unwrap_or(item);
        item == "*" || item.as_bytes() == etag.as_bytes()
    })
}

/// Whether the browser takes Brotli (RFC 9110, 12.5.3); a weight of zero refuses it.
fn takes_brotli(request: &Request) -> bool {
    items(request, &header::ACCEPT_ENCODING).iter().any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("br") && weight.is_some_and(|weight| weight > 0.0)
    })
}

/// The items of a header that is a list. A header that is no text names nothing.
fn items(request: &Request, name: &HeaderName) -> Vec<String> {
    let text = header_text(request, name).ok().flatten().unwrap_or_default();
    text.split(',').map(|item| item.trim().to_owned()).collect()
}
