//! A server: the node on its thread, and what is in front of it. Every request passes the gate, whether
//! it came from a socket or through a pipe within the process.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use stepwell_access::audit::{ASKED, DONE, Entry};
use stepwell_access::namespace;
use stepwell_core::code::Code;
use stepwell_driver::{Failed, Handle, Open};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle as Runtime;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;

use crate::carrier::Movable;
use crate::door::{Door, Visit};
use crate::engine::Engine;
use crate::gate::{Access, Keys, Transport, now};
pub use crate::options::Options;
use crate::problem::Problem;
use crate::reload::{Reloaded, Reloader};
use crate::tls;

/// Most connections at once.
const CONNECTIONS_MAX: usize = 4_096;

/// Longest time for the headers of a request to come in.
const HEADER_TIME: Duration = Duration::from_secs(5);

/// Largest buffer of a connection, and so the largest headers that are read at all.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Longest time that open requests get when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// Bytes that wait in a pipe for their reader.
const PIPE_BYTES: usize = 256 * 1024;

/// What requests through pipes name as their host.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 80);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is refused (SW4006), or the runs of a restored server cannot be let go (SW1008).
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The address cannot be listened on.
    #[error(
        "{address} cannot be listened on: {source}; accepted: 127.0.0.1 or [::1] with a port that is \
         free (0 takes any)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The ledger of keys cannot be used.
    #[error("{}", .0.detail)]
    Ledger(Problem),
    /// There is no node.
    #[error(transparent)]
    Node(#[from] Failed),
}

impl Error {
    /// Returns the stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(problem) | Self::Ledger(problem) => problem.code,
            Self::Listen { .. } => Code::ListenRefused,
            Self::Node(Failed::Store(error)) => Problem::from(error.clone()).code,
            Self::Node(_) => Code::Internal,
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    engine: Engine,
    transport: Transport,
    reloader: Reloader,
    stop: oneshot::Sender<()>,
    listener: JoinHandle<()>,
}

impl Server {
    /// Opens the store, starts the node, and listens on a loopback address. Has to be called inside of
    /// a tokio runtime.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start(listen: SocketAddr, options: &Options, open: Open) -> Result<Self, Error> {
        // Before the folder is touched.
        let (listener, address) = bind(listen, &options.access).await?;
        let engine = Engine::start(options, open).await?;
        if options.resume {
            engine.node.handle().let_go().await.map_err(|error| Error::Refused(error.into()))?;
        }
        let (stop, stopped) = oneshot::channel();
        let door = engine.door(address, options)?;
        let listener = tokio::spawn(serve_all(listener, door, stopped));
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        let transport = options.access.transport.clone();
        let reloader = engine.reloader(options);
        Ok(Self { address, engine, transport, reloader, stop, listener })
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the keys and namespaces.
    pub fn keys(&self) -> &Keys {
        &self.engine.keys
    }

    /// Reads the files of the certificate again, where TLS ends here; connections from now on get it.
    ///
    /// # Errors
    /// As [`Certificate::reload`](crate::tls::Certificate::reload); the one before stays in use.
    pub fn reload_certificate(&self) -> Result<(), Problem> {
        match &self.transport {
            Transport::Tls(certificate) => certificate.reload(),
            Transport::Plain | Transport::Proxy => Ok(()),
        }
    }

    /// Reads the settings again, as `POST /api/v1/reload` does, and writes it to the audit log as an act of
    /// `by`.
    ///
    /// # Errors
    /// What is wrong with the settings, or that the audit log takes nothing; then nothing is changed.
    pub async fn reload(&self, by: &str) -> Result<Reloaded, Problem> {
        let asked = Entry {
            at: now(),
            namespace: namespace::DEFAULT.into(),
            key: None,
            key_name: by.to_owned(),
            from: String::new(),
            act: "reload".to_owned(),
            object: String::new(),
            reason: None,
            outcome: ASKED.to_owned(),
            of: None,
        };
        let row = self.engine.keys.record(asked.clone()).await?;
        let done = self.reloader.run().await;
        let outcome = done.as_ref().map_or_else(|problem| problem.code.as_str(), |_| DONE);
        let end = Entry { at: now(), outcome: outcome.to_owned(), of: Some(row.n), ..asked };
        if let Err(problem) = self.engine.keys.record(end).await {
            let detail = problem.detail;
            tracing::error!(detail, "the outcome of a reload is not in the audit log");
        }
        done
    }

    /// Returns the way to the node.
    pub fn node(&self) -> &Handle {
        self.engine.node.handle()
    }

    /// Stops in order: takes no more connections, tells runners, lets open requests end, writes
    /// what the node holds, closes the store.
    pub async fn stop(self) {
        let Self { engine, stop, listener, .. } = self;
        // A listener that has ended already needs no telling.
        let _ = stop.send(());
        engine.node.handle().drain();
        if let Err(error) = listener.await {
            tracing::error!(%error, "the listener panicked");
        }
        engine.stop().await;
    }
}

async fn bind(listen: SocketAddr, access: &Access) -> Result<(TcpListener, SocketAddr), Error> {
    // Refused before a port is taken.
    access.check(listen).map_err(Error::Refused)?;
    let refused = |source| Error::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// A server within the process that uses it: connections are pipes, and nothing listens.
#[derive(Debug)]
pub struct Local {
    engine: Engine,
    options: Options,
    pipes: Pipes,
    listening: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What opens pipes to a [`Local`] server. Cheap to clone.
#[derive(Clone)]
pub struct Pipes {
    door: Door,
    runtime: tokio::runtime::Handle,
    stopping: Arc<watch::Sender<bool>>,
}

impl Local {
    /// What requests name as their host.
    pub const HOST: &str = "localhost:80";

    /// Opens the store and starts the node. Has to be called inside of a tokio runtime. Whoever has a
    /// pipe needs no key, and so does nobody on this machine once it listens.
    ///
    /// # Errors
    /// [`Error::Node`], [`Error::Ledger`].
    pub async fn start(options: &Options, open: Open) -> Result<Self, Error> {
        let access = Access { ledger: options.access.ledger.clone(), ..Access::default() };
        let options = Options { access, ..options.clone() };
        let engine = Engine::start(&options, open).await?;
        let door = engine.door(LOCAL, &options)?;
        let (stopping, runtime) = (Arc::new(watch::Sender::new(false)), Runtime::current());
        let pipes = Pipes { door, runtime, stopping };
        Ok(Self { engine, options, pipes, listening: Vec::new() })
    }

    /// Listens on a loopback address too; returns it with its port.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::Listen`].
    pub async fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, Error> {
        let (listener, address) = bind(address, &self.options.access).await?;
        let (stop, stopped) = oneshot::channel();
        let listening = serve_all(listener, self.engine.door(address, &self.options)?, stopped);
        self.listening.push((stop, tokio::spawn(listening)));
        Ok(address)
    }

    /// Returns what opens pipes.
    pub fn pipes(&self) -> &Pipes {
        &self.pipes
    }

    /// Stops in order, as [`Server::stop`] does.
    pub async fn stop(self) {
        let mut listeners = Vec::new();
        for (stop, listener) in self.listening {
            // A listener that has ended already needs no telling.
            let _ = stop.send(());
            listeners.push(listener);
        }
        self.engine.node.handle().drain();
        for listener in listeners {
            if let Err(error) = listener.await {
                tracing::error!(%error, "the listener panicked");
            }
        }
        self.pipes.stopping.send_replace(true);
        self.engine.stop().await;
    }
}

impl Pipes {
    /// Opens a connection; `None` once the server stops.
    pub fn open(&self) -> Option<DuplexStream> {
        if *self.stopping.borrow() {
            return None;
        }
        let (ours, theirs) = duplex(PIPE_BYTES);
        let visit = Visit::new(LOCAL, None);
        self.runtime.spawn(serve(ours, visit, self.door.clone(), self.stopping.subscribe()));
        Some(theirs)
    }
}

impl std::fmt::Debug for Pipes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipes").finish_non_exhaustive()
    }
}

async fn serve_all(listener: TcpListener, door: Door, mut stop: oneshot::Receiver<()>) {
    let stopping = watch::Sender::new(false);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                // One more of an address with many that have shown nothing is closed without a word.
                let Ok(unknown) = door.gate().connection(peer) else { continue };
                let visit = Visit::new(peer, unknown);
                let connection = secure(stream, visit, door.clone(), stopping.subscribe());
                tokio::spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Such as too many open files: what is connected goes on, new ones wait.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    if tokio::time::timeout(DRAIN_TIME, room.acquire_many(all)).await.is_err() {
        tracing::warn!("open requests were cut off");
    }
}

/// Serves a connection under TLS, where there is TLS.
async fn secure(stream: TcpStream, visit: Visit, door: Door, mut stopping: watch::Receiver<bool>) {
    let Some(acceptor) = door.gate().acceptor() else {
        return serve(stream, visit, door, stopping).await;
    };
    let handshake = acceptor.accept(Movable::new(stream));
    let secured = tokio::select! {
        secured = tokio::time::timeout(HEADER_TIME, handshake) => secured,
        () = told(&mut stopping) => return,
    };
    match secured.unwrap_or_else(|_| Err(tls::too_slow())) {
        Ok(stream) => serve(Box::new(stream), visit, door, stopping).await,
        Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
    }
}

/// Serves a connection until its end; once the server stops, until the end of its open request.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    visit: Visit,
    door: Door,
    mut stopping: watch::Receiver<bool>,
) {
    let _open = door.meters().connection();
    let service = service_fn(|request| {
        let (door, visit) = (door.clone(), visit.clone());
        async move { Ok::<_, Infallible>(door.enter(&visit, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Returns once the server stops.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the listener is gone, which is a stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await;
    let permit = permit.map_err(|_| std::io::Error::from(std::io::ErrorKind::Other))?;
    let (stream, peer) = listener.accept().await?;
    // A frame is written whole: waiting for more would only add latency.
    stream.set_nodelay(true)?;
    Ok((stream, peer, permit))
}
