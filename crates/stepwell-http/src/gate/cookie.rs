//! The session of a browser: a cookie that scripts cannot read and other sites cannot send (RFC 6265bis).

use axum::http::{HeaderMap, HeaderValue, header};
use stepwell_access::keyring::{SESSION_TIME, Session};

use super::access::Transport;

/// The cookie's name. Where there is TLS, `__Host-` has the browser see to it that no other host set it.
const PLAIN: &str = "stepwell_session";
const SECURE: &str = "__Host-stepwell_session";

const fn name(transport: &Transport) -> &'static str {
    if transport.is_secure() { SECURE } else { PLAIN }
}

/// Returns the session that a request came with.
pub(super) fn read<'a>(transport: &Transport, headers: &'a HeaderMap) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs =
        cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name(transport))?.strip_prefix('='))
}

/// Makes the header that gives a browser a session.
pub(crate) fn session_cookie(transport: &Transport, session: &Session) -> Option<HeaderValue> {
    cookie(transport, session.expose(), SESSION_TIME.as_secs())
}

/// Makes the header that takes it away.
pub(crate) fn clear_cookie(transport: &Transport) -> Option<HeaderValue> {
    cookie(transport, "", 0)
}

fn cookie(transport: &Transport, value: &str, seconds: u64) -> Option<HeaderValue> {
    let secure = if transport.is_secure() { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
        name(transport)
    );
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=b; stepwell_session=one.two; c=d"));
        headers.append("cookie", HeaderValue::from_static("__Host-stepwell_session=three"));
        assert_eq!(read(&Transport::Plain, &headers), Some("one.two"));
        assert_eq!(read(&Transport::Proxy, &headers), Some("three"));
        assert_eq!(read(&Transport::Plain, &HeaderMap::new()), None);
    }

    #[test]
    fn other_sites_and_scripts_have_no_use_of_it() {
        let shown = |transport| clear_cookie(&transport).unwrap().to_str().unwrap().to_owned();
        let plain = shown(Transport::Plain);
        assert_eq!(plain, "stepwell_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
        let proxy = shown(Transport::Proxy);
        assert!(proxy.starts_with("__Host-stepwell_session=;") && proxy.ends_with("; Secure"));
    }
}
