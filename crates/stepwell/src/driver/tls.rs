//! Connections that are encrypted (RFC 8446), and whom they are trusted to lead to.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Error, Result};

/// The variable of the environment with a file of further authorities.
const VARIABLE: &str = "STEPWELL_CA_FILE";

/// A connection to a server that is known by its certificate. Boxed, since it is much larger than one
/// that is not encrypted.
pub(super) type Encrypted = Box<TlsStream<TcpStream>>;

/// Makes encrypted connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts the authorities of this machine and those in `file`, or in the file that the
    /// environment names.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when that file cannot be read, or nobody is trusted.
    pub(super) fn load(file: Option<&Path>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        let variable = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
        match (file, variable) {
            (Some(file), _) => add("the option `ca_file`", file, &mut roots)?,
            (None, Some(file)) => add(VARIABLE, Path::new(&file), &mut roots)?,
            (None, None) => {}
        }
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Error::argument(format!(
                "this machine has no certificate authorities that are trusted{why}; install them \
                 (often a package `ca-certificates`), or name a file of them in {VARIABLE}"
            )));
        }
        Ok(Self(Arc::new(config(roots)?)))
    }

    /// Encrypts a connection to `host`, which has to show that it is that.
    ///
    /// # Errors
    /// As the connection breaks, or the certificate is not trusted.
    pub(super) async fn encrypt(&self, host: &str, stream: TcpStream) -> io::Result<Encrypted> {
        let plain = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(plain).map_err(|_| {
            let text = format!("`{host}` is neither the name nor the address of a machine");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        let connecting = TlsConnector::from(self.0.clone()).connect(name, stream);
        connecting.await.map(Box::new).map_err(explained)
    }
}

/// Reads a file of certificates (PEM, RFC 7468).
fn add(place: &str, file: &Path, roots: &mut RootCertStore) -> Result<()> {
    let refuse = |why: String| {
        let name = file.display();
        let text =
            format!("{place} names `{name}`, {why}; accepted: a file with certificates (PEM)");
        Error::argument(text)
    };
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|error| refuse(format!("which cannot be read: {error}")))?;
    let before = roots.len();
    for one in certificates {
        let one = one.map_err(|error| refuse(format!("which is not understood: {error}")))?;
        roots.add(one).map_err(|error| refuse(format!("in which one is not taken: {error}")))?;
    }
    if roots.len() == before {
        return Err(refuse("which holds no certificate".into()));
    }
    Ok(())
}

fn config(roots: RootCertStore) -> Result<ClientConfig> {
    // Named here: a process may hold several providers, and the default of none would be a panic.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::argument(format!("TLS cannot be set up: {error}")))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Says beside an error what to do about it.
fn explained(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let advice = match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "the server's certificate is of an authority that is not trusted here; a private one is \
             named by STEPWELL_CA_FILE"
        }
        Some(rustls::Error::InvalidMessage(_)) => "does the server speak TLS there?",
        Some(_) | None => return error,
    };
    io::Error::new(error.kind(), format!("{error}: {advice}"))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_certificates_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, text, why) in [
            ("missing.pem", None, "cannot be read"),
            ("empty.pem", Some("nothing"), "holds no certificate"),
            ("broken.pem", Some(broken), "is not taken"),
        ] {
            let file = folder.path().join(name);
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            let error = add("STEPWELL_CA_FILE", &file, &mut RootCertStore::empty()).unwrap_err();
            assert!(error.message().contains(why), "{error}");
            assert!(error.message().contains(name), "{error}");
        }
    }
}
