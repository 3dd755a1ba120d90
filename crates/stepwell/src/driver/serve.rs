//! The future that serves an app.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::target::{Reach, Target};
use super::thread::{Driver, Ended};
use super::turn::Turn;
use crate::app::App;
use crate::duration::IntoDuration;
use crate::error::{Error, Result};
use crate::moment::Monotonic;
use crate::random;
use crate::session::{Blocking, Session};

/// How long a shutdown waits for functions in progress, unless told otherwise.
const DRAIN: Duration = Duration::from_secs(30);

/// The server that an app is served to.
#[derive(Debug)]
enum Server {
    /// As the program says.
    Told(Reach),
    /// One that is in this process.
    #[cfg_attr(
        not(feature = "embedded"),
        expect(dead_code, reason = "there is none in this build")
    )]
    Known(Target),
}

type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves an app; made by [`App::serve`].
///
/// The future ends with an error when the app or its key is not accepted, and without one after a
/// graceful shutdown. While the server is away it goes on trying, at its next address where it has several.
/// A key that is refused later, since
/// it was revoked or has expired, ends it too, once functions in progress have: they have as long as
/// with a shutdown, and no other begins.
#[must_use = "an app is not served unless this is awaited"]
pub struct Serve {
    app: App,
    server: Server,
    shutdown: Option<Shutdown>,
    drain: Result<Duration>,
    welcome: Option<oneshot::Sender<()>>,
}

impl Serve {
    pub(crate) fn new(app: App, url: &str) -> Self {
        let reach = Reach { url: url.to_owned(), ..Reach::default() };
        let server = Server::Told(reach);
        Self { app, server, shutdown: None, drain: Ok(DRAIN), welcome: None }
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn to(app: App, target: Target) -> Self {
        let server = Server::Known(target);
        Self { app, server, shutdown: None, drain: Ok(DRAIN), welcome: None }
    }

    /// Tells when the server has registered the app for the first time.
    #[cfg(feature = "embedded")]
    pub(crate) fn when_welcome(mut self, welcome: oneshot::Sender<()>) -> Self {
        self.welcome = Some(welcome);
        self
    }

    /// Sets the key of the runner, of role `worker`. Default: the variable `STEPWELL_KEY`, else none.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        if let Server::Told(reach) = &mut self.server {
            reach.key = Some(key.into());
        }
        self
    }

    /// Sets a file with certificates (PEM) of authorities that are trusted beside those of this machine,
    /// for `https://` addresses. Default: the variable `STEPWELL_CA_FILE`, else none.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        if let Server::Told(reach) = &mut self.server {
            reach.ca_file = Some(file.into());
        }
        self
    }

    /// Ends gracefully once `signal` does: no more runs are taken, functions in progress end and are
    /// saved, and the runs go on with other runners.
    ///
    /// ```no_run
    /// # use stepwell::{App, Ctx, Result};
    /// # async fn nothing(_ctx: Ctx) -> Result<()> { Ok(()) }
    /// # async fn demo(stop: tokio::sync::oneshot::Receiver<()>) -> Result<()> {
    /// let app = App::new("demo").workflow("nothing", nothing);
    /// app.serve("http://127.0.0.1:7878")
    ///     .with_graceful_shutdown(async { drop(stop.await) })
    ///     .await
    /// # }
    /// ```
    pub fn with_graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.shutdown = Some(Box::pin(signal));
        self
    }

    /// Sets how long a shutdown waits for functions in progress. Default 30 s.
    pub fn drain_timeout(mut self, timeout: impl IntoDuration) -> Self {
        self.drain = timeout.into_duration();
        self
    }

    async fn serve(self) -> Result<()> {
        let nodes = match self.server {
            Server::Told(reach) => Target::all(&reach)?,
            Server::Known(target) => vec![target],
        };
        let drain = self.drain?;
        let (identity, handlers) = self.app.into_parts(random::name())?;
        let runtime = Handle::current();
        let clock = Arc::new(Monotonic::new());
        let blocking = Arc::new(Pool(runtime.clone()));
        let session = Session::new(identity, handlers, clock.clone(), blocking);
        let (stop, stopped) = mpsc::channel(1);
        let (ended, mut end) = oneshot::channel();
        let welcome = self.welcome;
        let targets = Turn::of(nodes);
        let driver = Driver { session, clock, runtime, targets, stopped, drain, welcome };
        let thread = std::thread::Builder::new().name("stepwell".into());
        thread
            .spawn(move || {
                let end = driver.run();
                // Whoever served the app may have gone away without waiting.
                drop(ended.send(end));
            })
            .map_err(|error| Error::connection(format!("no thread for the connection: {error}")))?;
        if let Some(shutdown) = self.shutdown {
            match select(shutdown, &mut end).await {
                // The thread may be gone: its end tells why.
                Either::Left(_) => drop(stop.send(()).await),
                Either::Right((end, _)) => return Ended::into_result(end),
            }
        }
        let end = end.await;
        // Held until here: the thread stops when nobody can tell it to any more.
        drop(stop);
        Ended::into_result(end)
    }
}

impl IntoFuture for Serve {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.serve())
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("app", &self.app)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// The runtime's threads for functions that block.
struct Pool(Handle);

impl Blocking for Pool {
    fn spawn(&self, function: Box<dyn FnOnce() + Send>) {
        drop(self.0.spawn_blocking(function));
    }
}
