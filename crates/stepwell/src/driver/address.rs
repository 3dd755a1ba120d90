//! Where a server is.

use std::net::IpAddr;

use hyper::Uri;

use crate::error::{Error, Result};

/// The address of a server, read from a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Host and port, as in the URL.
    pub(crate) authority: String,
    /// Everything is encrypted on the way.
    pub(super) is_encrypted: bool,
    /// The path in front of the server's own paths, without a slash at its end.
    prefix: String,
}

impl Address {
    /// Reads the addresses in a text, which are separated by commas; there is one at least.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) for the first that is none, with which one it is.
    pub(crate) fn parse_all(urls: &str) -> Result<Vec<Self>> {
        let count = urls.split(',').count();
        let read = |(at, url): (usize, &str)| {
            let url = url.trim();
            let place =
                if count > 1 { format!("number {} of {count}, ", at + 1) } else { String::new() };
            Self::parse(url).map_err(|why| {
                Error::argument(format!(
                    "{place}`{url}` is not the address of a server: {why}; accepted: \
                     http://host:port or https://host:port, such as http://127.0.0.1:7878, or \
                     several of them with commas between"
                ))
            })
        };
        urls.split(',').enumerate().map(read).collect()
    }

    fn parse(url: &str) -> std::result::Result<Self, String> {
        let uri: Uri = url.parse().map_err(|why: hyper::http::uri::InvalidUri| why.to_string())?;
        let (is_encrypted, port) = match uri.scheme_str() {
            Some("http" | "ws") => (false, 80),
            Some("https" | "wss") => (true, 443),
            Some(_) | None => return Err("it does not begin with http:// or https://".into()),
        };
        if uri.query().is_some() {
            return Err("it has a query".into());
        }
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it holds a user or password".into());
        }
        let port = authority.port_u16().unwrap_or(port);
        let host = authority.host();
        Ok(Self {
            authority: format!("{host}:{port}"),
            is_encrypted,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Makes the address of a host that is known to be one.
    #[cfg(feature = "embedded")]
    pub(super) fn of(authority: &str) -> Self {
        Self { authority: authority.to_owned(), is_encrypted: false, prefix: String::new() }
    }

    /// Returns the URL of a path of the server; `scheme` is `http` or `ws`.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        let s = if self.is_encrypted { "s" } else { "" };
        format!("{scheme}{s}://{}{}", self.authority, self.path(path))
    }

    /// Returns a path of the server with what stands in front of it.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the host alone.
    pub(super) fn host(&self) -> &str {
        self.authority.rsplit_once(':').map_or(&*self.authority, |(host, _)| host)
    }

    /// Tells whether the host is this machine, as far as its name tells.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        let is_address = |host: &str| host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        host.eq_ignore_ascii_case("localhost") || is_address(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_servers_are_read() {
        let check = |url: &str, want: &str| {
            assert_eq!(Address::parse(url).unwrap().url("ws", "/api/v1/worker"), want, "{url}");
        };
        check("http://127.0.0.1:7878", "ws://127.0.0.1:7878/api/v1/worker");
        check("http://localhost/", "ws://localhost:80/api/v1/worker");
        check("http://[::1]:7/durable/", "ws://[::1]:7/durable/api/v1/worker");
        check("https://a.example", "wss://a.example:443/api/v1/worker");
        check("wss://[::1]:7878/", "wss://[::1]:7878/api/v1/worker");
    }

    #[test]
    fn hosts_of_this_machine_are_known() {
        for (url, is_loopback) in [
            ("http://localhost:1", true),
            ("http://127.0.0.9", true),
            ("http://[::1]:7", true),
            ("https://a.example", false),
            ("http://192.0.2.1:80", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().is_loopback(), is_loopback, "{url}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_what_is_accepted() {
        for (url, word) in [
            ("a:7878", "http://"),
            ("ftp://a", "http://"),
            ("", "accepted"),
            ("http://u:p@a:1", "password"),
            ("http://a?x=1", "query"),
        ] {
            let error = Address::parse_all(url).unwrap_err();
            assert!(error.message().contains(word), "{url}: {error}");
            assert!(error.message().contains("accepted: http://host:port"), "{url}: {error}");
        }
    }

    #[test]
    fn several_are_read_in_their_order_and_the_bad_one_is_named() {
        let read = Address::parse_all("http://a:1, https://b,http://[::1]:7/x").unwrap();
        let shown: Vec<String> = read.iter().map(|one| one.url("http", "/p")).collect();
        assert_eq!(shown, ["http://a:1/p", "https://b:443/p", "http://[::1]:7/x/p"]);
        for (urls, bad) in [
            ("http://a:1,b:2,http://c:3", "number 2 of 3, `b:2` is not the address of a server"),
            ("http://a:1,", "number 2 of 2, `` is not the address of a server"),
            (",", "number 1 of 2, `` is not the address of a server"),
        ] {
            let error = Address::parse_all(urls).unwrap_err();
            assert!(error.message().starts_with(bad), "{urls}: {error}");
            assert!(error.message().contains("with commas between"), "{urls}: {error}");
        }
    }
}
