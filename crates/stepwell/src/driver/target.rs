//! The way to a server: over the network, or within this process.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio_util::either::Either;
use tower_service::Service;

use super::address::Address;
use super::key::Key;
use super::tls::{self, Tls};
use crate::error::Result;

/// A connection.
pub(crate) type Stream = Either<Net, DuplexStream>;

/// A connection over the network.
type Net = Either<TcpStream, tls::Encrypted>;

/// Opens connections to a server in this process.
pub(crate) trait Local: Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// The server has stopped.
    fn open(&self) -> io::Result<DuplexStream>;
}

/// What a program says of a server; what it does not say is taken from the environment.
#[derive(Clone, Default)]
pub(crate) struct Reach {
    /// Its address, or those of several nodes with commas between.
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where a server is, and who asks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Target {
    address: Address,
    key: Option<Key>,
    tls: Option<Tls>,
    local: Option<Arc<dyn Local>>,
}

impl Target {
    /// Reads what is said of a server: its nodes, of which there is one at least.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when something of it is not accepted.
    pub(crate) fn all(reach: &Reach) -> Result<Vec<Self>> {
        let addresses = Address::parse_all(&reach.url)?;
        let key = Key::find(reach.key.as_deref())?;
        let is_encrypted = addresses.iter().any(|one| one.is_encrypted);
        let tls = is_encrypted.then(|| Tls::load(reach.ca_file.as_deref())).transpose()?;
        let target = |address: Address| {
            let tls = tls.clone().filter(|_| address.is_encrypted);
            Self { address, key: key.clone(), tls, local: None }
        };
        Ok(addresses.into_iter().map(target).collect())
    }

    /// Names a server in this process, which asks for no key.
    #[cfg(feature = "embedded")]
    pub(crate) fn local(authority: &str, local: Arc<dyn Local>) -> Self {
        Self { address: Address::of(authority), key: None, tls: None, local: Some(local) }
    }

    /// Returns the key to be shown, if there is one.
    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Tells whether the server is on this machine, as far as its address tells.
    pub(crate) fn is_here(&self) -> bool {
        self.address.is_loopback()
    }

    /// Tells whether everybody on the way to the server can read the key.
    pub(super) fn shows_key(&self) -> bool {
        self.key.is_some() && !self.address.is_encrypted && !self.is_here()
    }

    /// Returns the URL of a path of the server.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        self.address.url(scheme, path)
    }

    /// Returns a path of the server, as requests on a connection of its own name it.
    pub(crate) fn path(&self, path: &str) -> String {
        self.address.path(path)
    }

    /// Returns what names the server in requests.
    pub(crate) fn authority(&self) -> &str {
        &self.address.authority
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// As the operating system says, or the server has stopped.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        if let Some(local) = &self.local {
            return local.open().map(Either::Right);
        }
        let stream = TcpStream::connect(&*self.address.authority).await?;
        // Small messages are not to wait for the answer to those before.
        stream.set_nodelay(true)?;
        Ok(Either::Left(match &self.tls {
            Some(tls) => Either::Right(tls.encrypt(self.address.host(), stream).await?),
            None => Either::Left(stream),
        }))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Target");
        shown.field("address", &self.address).field("local", &self.local.is_some());
        shown.field("key", &self.key).finish_non_exhaustive()
    }
}

/// Shows no key.
impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Makes the connections of an HTTP client.
#[derive(Clone, Debug)]
pub(crate) struct Connector(pub(crate) Target);

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let target = self.0.clone();
        Box::pin(async move {
            let connecting = tokio::time::timeout(super::CONNECT, target.connect());
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer");
            let stream = connecting.await.map_err(late)??;
            Ok(Link(TokioIo::new(stream)))
        })
    }
}

/// A connection of an HTTP client.
pub(crate) struct Link(TokioIo<Stream>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
