//! TLS (RFC 8446, RFC 5246) in front of everything: a certificate and its key from files.

use std::io::Error as IoError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use stepwell_core::code::Code;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::problem::Problem;

/// A certificate with its key, as two files, and what was last read of them.
#[derive(Debug)]
pub struct Certificate {
    current: RwLock<Papers>,
}

/// What was read of the files of a certificate.
#[derive(Clone, Debug)]
pub struct Papers {
    cert: PathBuf,
    key: PathBuf,
    chain: Vec<CertificateDer<'static>>,
    config: Arc<ServerConfig>,
}

impl Papers {
    /// Reads a certificate with its chain, and its key, from PEM files (RFC 7468).
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] says which file is not accepted and why.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, Problem> {
        let (chain, config) = read(cert, key)?;
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), chain, config: Arc::new(config) })
    }
}

impl Certificate {
    /// Reads the files, as [`Papers::read`] does.
    ///
    /// # Errors
    /// As [`Papers::read`].
    pub fn load(cert: &Path, key: &Path) -> Result<Self, Problem> {
        Ok(Self { current: RwLock::new(Papers::read(cert, key)?) })
    }

    /// Reads the same files again; connections from now on get what is there. Those that are open stay as
    /// they are.
    ///
    /// # Errors
    /// As [`Papers::read`]; then what was read before stays in use.
    pub fn reload(&self) -> Result<(), Problem> {
        let before = self.current();
        self.put(Papers::read(&before.cert, &before.key)?);
        Ok(())
    }

    /// Has connections from now on get this; tells whether the certificate is another one.
    pub fn put(&self, papers: Papers) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.chain != papers.chain;
        *current = papers;
        is_other
    }

    /// Returns what accepts a connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    fn current(&self) -> Papers {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Read = (Vec<CertificateDer<'static>>, ServerConfig);

fn read(cert: &Path, key: &Path) -> Result<Read, Problem> {
    let refuse = |setting: &str, file: &Path, why: String| {
        let file = file.display();
        let detail = format!("`{setting}`: {file} {why}; accepted: a PEM file");
        Problem::new(Code::ConfigInvalid, detail)
    };
    let chain =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| refuse("tls_cert", cert, told(&error)))?;
    if chain.is_empty() {
        return Err(refuse("tls_cert", cert, "holds no certificate".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|error| refuse("tls_key", key, told(&error)))?;
    // The provider is named, so that no other part of a program can change it.
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain.clone(), private));
    let mut config = config.map_err(|error: rustls::Error| {
        refuse("tls_key", key, format!("does not go with {}: {error}", cert.display()))
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((chain, config))
}

fn told(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        pem::Error::NoItemsFound => "holds nothing of the kind".into(),
        other => format!("is not understood: {other}"),
    }
}

/// Makes the error of a handshake that takes too long.
pub(crate) fn too_slow() -> IoError {
    IoError::new(std::io::ErrorKind::TimedOut, "the TLS handshake takes too long")
}
