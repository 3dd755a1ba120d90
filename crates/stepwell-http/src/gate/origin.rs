//! Where a request comes from: its `Host`, `Origin` and `Sec-Fetch-Site`, and the address.
//!
//! A web page that somebody happens to visit can make the browser send requests here too. What such a
//! request cannot choose are these headers. Where no key is needed they are all that tells it apart, so
//! the host has to be a name of this machine. Where one is needed the name may be any, and what counts is
//! that the page came from the same host as where it sends to.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use stepwell_core::code::Code;

use super::access::{Mode, Transport};
use crate::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a server is called from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) mode: Mode,
    pub(super) transport: &'a Transport,
    pub(super) port: u16,
}

impl Place<'_> {
    /// Checks the `Host`, and where no key is needed that the peer is on this machine.
    pub(super) fn check_host(
        self,
        peer: SocketAddr,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host,
            (None, _) => return Err(forbidden("the header Host is missing")),
            (Some(_), Some(_)) => return Err(forbidden("the header Host is there twice")),
        };
        if self.mode == Mode::Keys {
            return Ok(());
        }
        if !peer.ip().to_canonical().is_loopback() {
            return Err(forbidden("the request comes from another machine"));
        }
        let target = uri.authority().map_or("", |authority| authority.as_str());
        let accepted = |text: &str| self.is_local(text);
        if !host.to_str().is_ok_and(accepted) || !(target.is_empty() || accepted(target)) {
            let found = if target.is_empty() { shown(host) } else { target.to_owned() };
            return Err(forbidden(&format!(
                "the host `{found}` is not this server; accepted: localhost, 127.0.0.1 or [::1], \
                 with :{}",
                self.port
            )));
        }
        Ok(())
    }

    /// Checks that a page that sends this came from here.
    pub(super) fn check_page(self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        for origin in headers.get_all(header::ORIGIN) {
            let ours = origin.to_str().is_ok_and(|origin| match self.mode {
                Mode::Loopback => {
                    origin.strip_prefix("http://").is_some_and(|origin| self.is_local(origin))
                }
                Mode::Keys => host.is_some_and(|host| self.is_same(origin, host)),
            });
            if !ours {
                return Err(forbidden(&format!(
                    "the origin `{}` is not this server; pages of other sites may not use it",
                    shown(origin)
                )));
            }
        }
        check_fetch_site(headers)
    }

    /// Returns the address that a request comes from.
    pub(super) fn address(self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.ip().to_canonical();
        if !matches!(self.transport, Transport::Proxy) {
            return peer;
        }
        // The last one is what the proxy itself saw; those before it anybody may have written.
        let last = headers.get_all(FORWARDED_FOR).into_iter().next_back();
        let last = last.and_then(|text| text.to_str().ok()?.rsplit(',').next());
        last.and_then(|text| text.trim().parse().ok())
            .map_or(peer, |from: IpAddr| from.to_canonical())
    }

    fn is_local(self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(80)),
        };
        let known = ["localhost", "127.0.0.1", "[::1]"];
        port == Some(self.port) && known.iter().any(|one| one.eq_ignore_ascii_case(host))
    }

    /// Tells whether an origin is the host that a request names.
    fn is_same(self, origin: &str, host: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let standard = match (scheme, self.transport) {
            ("https", Transport::Tls(_) | Transport::Proxy) => ":443",
            ("http", Transport::Plain | Transport::Proxy) => ":80",
            _ => return false,
        };
        let bare = |text: &str| text.strip_suffix(standard).unwrap_or(text).to_ascii_lowercase();
        bare(authority) == bare(host)
    }
}

fn check_fetch_site(headers: &HeaderMap) -> Result<(), Problem> {
    for site in headers.get_all(SEC_FETCH_SITE) {
        // `same-site` is another port of this machine: another program's page.
        if site != "same-origin" && site != "none" {
            return Err(forbidden(&format!(
                "the browser says that the request comes from another site (Sec-Fetch-Site: {})",
                shown(site)
            )));
        }
    }
    Ok(())
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(Code::Forbidden, detail)
}

fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn keys(transport: &Transport) -> Place<'_> {
        Place { mode: Mode::Keys, transport, port: 7878 }
    }

    #[test]
    fn with_keys_a_page_has_to_come_from_the_host_that_it_sends_to() {
        let (plain, proxy) = (Transport::Plain, Transport::Proxy);
        let cases: [(&Transport, &str, &str, bool); 12] = [
            (&plain, "localhost:7878", "http://localhost:7878", true),
            (&plain, "127.0.0.1:7878", "http://127.0.0.1:7878", true),
            (&plain, "flows.example", "http://flows.example:80", true),
            (&plain, "localhost:7878", "https://localhost:7878", false),
            (&plain, "localhost:7878", "http://127.0.0.1:7878", false),
            (&plain, "localhost:7878", "null", false),
            (&proxy, "flows.example", "https://flows.example", true),
            (&proxy, "Flows.example:443", "https://flows.example", true),
            (&proxy, "flows.example:8443", "https://flows.example:8443", true),
            (&proxy, "flows.example:8443", "https://flows.example", false),
            (&proxy, "flows.example", "https://flows.example.evil", false),
            (&proxy, "flows.example", "https://evil.example", false),
        ];
        for (transport, host, origin, ours) in cases {
            let headers = headers(&[("host", host), ("origin", origin)]);
            let checked = keys(transport).check_page(&headers);
            assert_eq!(checked.is_ok(), ours, "{host} {origin}: {checked:?}");
        }
        let cross = headers(&[("host", "a"), ("sec-fetch-site", "cross-site")]);
        assert!(keys(&plain).check_page(&cross).is_err());
    }

    #[test]
    fn only_a_proxy_is_believed_who_asks_and_only_what_it_saw_itself() {
        let peer = "192.0.2.1:4000".parse().unwrap();
        let told = [("x-forwarded-for", "198.51.100.1, 203.0.113.9")];
        let at = |transport: &Transport, pairs: &[(&str, &str)]| {
            keys(transport).address(peer, &headers(pairs)).to_string()
        };
        assert_eq!(at(&Transport::Plain, &told), "192.0.2.1");
        assert_eq!(at(&Transport::Proxy, &told), "203.0.113.9");
        let twice = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(at(&Transport::Proxy, &twice), "203.0.113.9");
        assert_eq!(at(&Transport::Proxy, &[("x-forwarded-for", "nonsense")]), "192.0.2.1");
        assert_eq!(at(&Transport::Proxy, &[]), "192.0.2.1");
    }
}
