//! The pages of the web console: files that the program has brought along, under a strict policy.
//!
//! The console is one page that shows what its address names, so each of its addresses gives that page. What
//! it shows comes from the API; nothing here holds data, so a link to it may be followed from anywhere.

use std::io::Read as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use bytes::Bytes;
use flate2::read::GzDecoder;
use stepwell_core::code::Code;

use crate::problem::Problem;

/// Gives a file of the console by its path without a leading slash.
pub type Console = fn(&str) -> Option<Asset>;

/// A file of the console.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its bytes, compressed (RFC 1952).
    pub gzip: Bytes,
    /// A hash of its bytes.
    pub hash: [u8; 32],
}

/// Addresses at which the console has pages, with all below them.
const PAGES: [&str; 7] = ["", "runs", "events", "runners", "flows", "access", "reference"];

/// What the page may do: run and show what comes from here, and ask here. No inline script, no style in the
/// text, no frame, nothing of elsewhere; scripts are made of addresses by the console's own rule only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types stepwell";

/// What is shown where no console was brought along.
const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">
<title>Stepwell</title></head><body>
<h1>The console is not built</h1>
<p>This server was built without its web console. In a copy of the repository, with Node 20.19 or newer:</p>
<pre>make console\ncargo build --release -p stepwell-server</pre>
<p>The API is there all the same: <a href=\"/api/v1/runs\">/api/v1/runs</a>.</p>
</body></html>
";

/// Tells whether an address is one of the console's rather than of the API.
fn is_page(uri: &Uri) -> bool {
    let first = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    PAGES.contains(&first)
}

/// What stands at an address of the console.
pub(crate) enum Found {
    /// A file, by its name.
    File(String, Asset),
    /// No console was brought along.
    NotBuilt,
}

/// Finds a page or file of the console; `None` where the address is not one of its.
pub(crate) fn find(console: Console, method: &Method, uri: &Uri) -> Option<Found> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let path = uri.path().trim_start_matches('/');
    if !path.is_empty()
        && let Some(asset) = console(path)
    {
        return Some(Found::File(path.to_owned(), asset));
    }
    let page = || console("index.html").map(|asset| Found::File("index.html".into(), asset));
    is_page(uri).then(|| page().unwrap_or(Found::NotBuilt))
}

impl Found {
    /// Answers with it, as its reader takes it.
    ///
    /// # Errors
    /// [`Code::Internal`] when a file that was brought along is damaged.
    pub(crate) fn answer(self, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
        match self {
            Self::File(name, asset) => serve(&name, asset, headers),
            Self::NotBuilt => Ok(page("text/html; charset=utf-8", Body::from(NOT_BUILT))),
        }
    }
}

fn serve(name: &str, asset: Asset, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
    let tag = tag(asset.hash);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag)) {
        let mut response = page(content_type(name), Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(marked(response, name, &tag));
    }
    let mut response = if takes_gzip(headers) {
        let mut response = page(content_type(name), Body::from(asset.gzip));
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        let mut plain = Vec::new();
        let read = GzDecoder::new(&*asset.gzip).read_to_end(&mut plain);
        read.map_err(|error| Problem::new(Code::Internal, format!("{name}: {error}")))?;
        page(content_type(name), Body::from(plain))
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(marked(response, name, &tag))
}

fn marked(mut response: Response<Body>, name: &str, tag: &str) -> Response<Body> {
    // Names below assets/ hold a hash of the contents: another content has another name.
    let keep = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn page(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let mut set =
        |name, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, content_type);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING);
    let mut codings =
        accepted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().trim_start_matches("q=").parse() == Ok(0.0);
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}

/// The first half of the hash, which tells contents apart.
fn tag(hash: [u8; 32]) -> String {
    let (half, _) = hash.split_at(16);
    format!("\"{:032x}\"", half.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::BodyExt as _;

    use super::*;

    fn built(path: &str) -> Option<Asset> {
        let text = match path {
            "index.html" => "<!doctype html>",
            "assets/a.js" => "1",
            _ => return None,
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        Some(Asset { gzip: gzip.finish().unwrap().into(), hash: [7; 32] })
    }

    fn get(console: Console, path: &str, header: (&str, &str)) -> Option<Response<Body>> {
        let mut headers = HeaderMap::new();
        let name: header::HeaderName = header.0.parse().unwrap();
        headers.insert(name, header.1.parse().unwrap());
        let found = find(console, &Method::GET, &path.parse().unwrap())?;
        Some(found.answer(&headers).unwrap())
    }

    fn text(response: Response<Body>) -> String {
        let body = futures_util::FutureExt::now_or_never(response.into_body().collect());
        String::from_utf8(body.unwrap().unwrap().to_bytes().to_vec()).unwrap()
    }

    const PLAIN: (&str, &str) = ("accept-encoding", "identity");

    #[test]
    fn every_address_of_the_console_gives_its_page() {
        for path in [
            "/",
            "/runs",
            "/runs/run_1/graph?step=a",
            "/events/a.b",
            "/runners",
            "/access/audit",
            "/reference",
        ] {
            let response = get(built, path, PLAIN).unwrap();
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{path}");
            assert_eq!(response.headers()["cache-control"], "no-cache", "{path}");
            assert_eq!(text(response), "<!doctype html>", "{path}");
        }
    }

    #[test]
    fn other_addresses_and_methods_are_not_the_consoles() {
        for path in ["/api/v1/runs", "/assets/gone.js", "/favicon.ico", "/healthz", "/../runs.rs"] {
            assert!(get(built, path, PLAIN).is_none(), "{path}");
        }
        assert!(find(built, &Method::POST, &Uri::from_static("/runs")).is_none());
    }

    #[test]
    fn files_are_compressed_for_who_takes_that_and_kept_for_ever() {
        for (accepts, encoded) in [
            ("gzip, br", true),
            ("*", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.5", true),
        ] {
            let response = get(built, "/assets/a.js", ("accept-encoding", accepts)).unwrap();
            let headers = response.headers();
            assert_eq!(headers.contains_key("content-encoding"), encoded, "{accepts}");
            assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(headers["vary"], "accept-encoding");
        }
        assert_eq!(text(get(built, "/assets/a.js", PLAIN).unwrap()), "1");
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let known = format!("\"other\", {}", tag([7; 32]));
        let response = get(built, "/", ("if-none-match", &known)).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers()["etag"], tag([7; 32]));
    }

    #[test]
    fn each_answer_has_the_policy() {
        fn nothing(_: &str) -> Option<Asset> {
            None
        }
        for response in
            [get(built, "/", PLAIN), get(built, "/assets/a.js", PLAIN), get(nothing, "/", PLAIN)]
        {
            let policy = response.unwrap().headers()["content-security-policy"].clone();
            let policy = policy.to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn a_server_without_a_console_says_how_to_build_it() {
        let response = get(|_| None, "/runs", PLAIN).unwrap();
        assert!(text(response).contains("make console"));
    }
}
