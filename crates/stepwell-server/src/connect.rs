//! Connections to a server, plain or under TLS.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Longest time for a connection to be made.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The variable that names a file of certificates that are trusted beside those of the machine.
const CA_FILE: &str = "STEPWELL_CA_FILE";

/// What bytes go through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    is_secure: bool,
    authority: String,
    host: String,
    port: u16,
}

impl Server {
    /// Reads an address: `http://` or `https://`, a host, and a port, which is 443 for `https` where it is
    /// left out.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (is_secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return None,
        };
        let authority = rest.trim_end_matches('/');
        if !authority.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)) {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ if is_secure => (authority, 443),
            _ => return None,
        };
        if host.is_empty() {
            return None;
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { is_secure, authority: authority.to_owned(), host, port })
    }

    /// Returns host and port as a request names them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Connects, at most for a while.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>, Error> {
        let connecting = tokio::time::timeout(CONNECT_TIME, self.open());
        connecting.await.map_err(|_| Error::new(ErrorKind::TimedOut, "it takes too long"))?
    }

    async fn open(&self) -> Result<Box<dyn Stream>, Error> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.is_secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(self.host.clone()).map_err(Error::other)?;
        let connector = TlsConnector::from(Arc::new(trust()?));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}", if self.is_secure { "s" } else { "" }, self.authority)
    }
}

/// Trusts what the machine trusts, and the certificates of [`CA_FILE`].
fn trust() -> Result<ClientConfig, Error> {
    let extra = match std::env::var_os(CA_FILE) {
        Some(file) if !file.is_empty() => certificates(Path::new(&file))?,
        _ => Vec::new(),
    };
    let mut roots = RootCertStore::empty();
    // What cannot be read of the machine's is left out: what is needed may be among the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra {
        roots.add(certificate).map_err(Error::other)?;
    }
    if roots.is_empty() {
        let why = format!("this machine trusts no certificate; accepted: a file in {CA_FILE}");
        return Err(Error::other(why));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let refuse = |why: String| {
        Error::other(format!("{CA_FILE}: {}: {why}; accepted: a PEM file", file.display()))
    };
    match found {
        Ok(found) if found.is_empty() => Err(refuse("it holds no certificate".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(refuse(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_of_servers_are_accepted() {
        let read = |url: &str| Server::parse(url).map(|server| (server.host.clone(), server.port));
        assert_eq!(read("http://127.0.0.1:7878/"), Some(("127.0.0.1".into(), 7878)));
        assert_eq!(read("http://[::1]:1"), Some(("::1".into(), 1)));
        assert_eq!(read("https://flows.example"), Some(("flows.example".into(), 443)));
        assert_eq!(read("https://[::1]"), Some(("::1".into(), 443)));
        assert_eq!(Server::parse("https://a.b:8443/").unwrap().to_string(), "https://a.b:8443");
        for url in [
            "",
            "127.0.0.1:7878",
            "ftp://localhost:1",
            "http://localhost",
            "http://localhost:1/api",
            "http://u:p@localhost:1",
            "http://localhost:99999",
            "https://",
            "https://:443",
        ] {
            assert_eq!(Server::parse(url), None, "{url}");
        }
    }
}
