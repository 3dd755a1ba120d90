//! Where a server is.

use hyper::Uri;

use crate::error::{Error, Result};

/// The address of a server, read from a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Host and port, as in the URL.
    pub(crate) authority: String,
    /// The path in front of the server's own paths, without a slash at its end.
    prefix: String,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let refuse = |why: &str| {
            let text = format!(
                "`{url}` is not the address of a server: {why}; \
                 accepted: http://host:port, such as http://127.0.0.1:7878"
            );
            Error::argument(text)
        };
        let uri: Uri =
            url.parse().map_err(|why: hyper::http::uri::InvalidUri| refuse(&why.to_string()))?;
        match uri.scheme_str() {
            Some("http" | "ws") => {}
            Some("https" | "wss") => return Err(refuse("TLS is not built yet")),
            Some(_) | None => return Err(refuse("it does not begin with http://")),
        }
        if uri.query().is_some() {
            return Err(refuse("it has a query"));
        }
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it holds a user or password"));
        }
        let port = authority.port_u16().unwrap_or(80);
        let host = authority.host();
        Ok(Self {
            authority: format!("{host}:{port}"),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Makes the address of a host that is known to be one.
    #[cfg(feature = "embedded")]
    pub(super) fn of(authority: &str) -> Self {
        Self { authority: authority.to_owned(), prefix: String::new() }
    }

    /// Returns the URL of a path of the server.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{}{path}", self.authority, self.prefix)
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
    }

    #[test]
    fn other_texts_are_refused_with_what_is_accepted() {
        for (url, word) in [
            ("https://a:1", "TLS"),
            ("wss://a", "TLS"),
            ("a:7878", "http://"),
            ("ftp://a", "http://"),
            ("", "accepted"),
            ("http://u:p@a:1", "password"),
            ("http://a?x=1", "query"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.message().contains(word), "{url}: {error}");
            assert!(error.message().contains("accepted: http://host:port"), "{url}: {error}");
        }
    }
}
