//! The engine inside of the program that uses it: no server to operate, the same promises.
//!
//! ```
//! use stepwell::{App, Ctx, Result};
//!
//! async fn greet(ctx: Ctx, name: String) -> Result<String> {
//!     ctx.run("greet", || async { Ok(format!("Hello, {name}!")) }).await
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<()> {
//! # let folder = std::env::temp_dir().join(format!("stepwell-doc-{}", std::process::id()));
//! let engine = App::new("demo").workflow("greet", greet).embedded(&folder).await?;
//! let run = engine.client().start("greet", "Ada").await?;
//! assert_eq!(run.wait::<String>().await?, "Hello, Ada!");
//! engine.stop().await?;
//! # std::fs::remove_dir_all(folder).ok();
//! # Ok(())
//! # }
//! ```
//!
//! The program holds the node, the store and the runner. Runs go on when the program starts again on
//! the same folder; one process at a time owns a folder. Nothing listens, unless
//! [`Embedded::listen`] says so: then the command line and other programs can look and ask.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::limits::Limits;
use stepwell_driver::Open;
use stepwell_http::gate::OpenLedger;
use stepwell_http::server::{self, Local, Options, Pipes};
use stepwell_sqlite::Embedded as Folder;
use stepwell_store::Store;
use stepwell_store::memory::Memory;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::client::Client;
use crate::driver::{self, Serve, Target};
use crate::duration::IntoDuration;
use crate::error::{Error, Result};

/// An app with the engine inside; made by [`App::embedded`]. Await it to have it started.
#[must_use = "nothing runs unless this is awaited"]
pub struct Embedded {
    app: App,
    folder: Option<PathBuf>,
    listen: Option<SocketAddr>,
    options: Options,
    drain: Option<Duration>,
    error: Option<Error>,
}

/// An engine that runs inside of this program.
///
/// Dropped without [`Engine::stop`], it ends as a crash would end it: nothing that was acknowledged
/// is lost.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    address: Option<SocketAddr>,
    local: Local,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl App {
    /// Runs the engine inside of this program, on a folder that it owns (feature `embedded`).
    pub fn embedded(self, folder: impl AsRef<Path>) -> Embedded {
        Embedded::new(self, Some(folder.as_ref().to_owned()))
    }

    /// Runs the engine inside of this program, in memory: all is gone with the process (feature
    /// `embedded`).
    pub fn embedded_in_memory(self) -> Embedded {
        Embedded::new(self, None)
    }
}

impl Embedded {
    fn new(app: App, folder: Option<PathBuf>) -> Self {
        let options = Options::default();
        Self { app, folder, listen: None, options, drain: None, error: None }
    }

    /// Also listens on a loopback address, such as `127.0.0.1:7878` (port 0 takes any that is free),
    /// for the command line, other runners and other programs.
    pub fn listen(mut self, address: &str) -> Self {
        match address.parse() {
            Ok(address) => self.listen = Some(address),
            Err(why) => {
                let text = format!(
                    "`{address}` is not an address to listen on: {why}; accepted: such as \
                     127.0.0.1:7878"
                );
                self.error.get_or_insert_with(|| Error::argument(text));
            }
        }
        self
    }

    /// Sets how long ended runs are kept. Default 7 days.
    pub fn retention(mut self, keep: impl IntoDuration) -> Self {
        match keep.into_duration() {
            Ok(keep) => self.options.retention = keep,
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Sets how long [`Engine::stop`] waits for functions in progress. Default 30 s.
    pub fn drain_timeout(mut self, timeout: impl IntoDuration) -> Self {
        match timeout.into_duration() {
            Ok(timeout) => self.drain = Some(timeout),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Sets the limits in force (§12).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    async fn start(self) -> Result<Engine> {
        let Self { app, folder, listen, mut options, drain, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        if let Some(folder) = folder.clone() {
            options.access.ledger = OpenLedger::new(move || {
                let opened = stepwell_sqlite::ledger::open(&folder)?;
                Ok((opened.ledger, opened.pepper))
            });
        }
        let mut local =
            Local::start(&options, opener(folder)).await.map_err(|error| refused(&error))?;
        let address = match listen {
            Some(address) => Some(local.listen(address).await.map_err(|error| refused(&error))?),
            None => None,
        };
        let target = Target::local(Local::HOST, Arc::new(local.pipes().clone()));
        let client = Client::to(vec![target.clone()]);
        let (stop, stopped) = oneshot::channel::<()>();
        let (registered, mut welcome) = oneshot::channel();
        let serve = Serve::to(app, target).when_welcome(registered);
        let serve = match drain {
            Some(drain) => serve.drain_timeout(drain),
            None => serve,
        };
        // Told to stop, or nobody can tell it to any more.
        let serve = serve.with_graceful_shutdown(async { drop(stopped.await) });
        let mut served = tokio::spawn(serve.into_future());
        // Whoever has the engine may start the app's workflows at once.
        let ended = tokio::select! {
            biased;
            Ok(()) = &mut welcome => None,
            ended = &mut served => Some(ended),
        };
        match ended {
            None => Ok(Engine { client, address, local, stop, served }),
            Some(ended) => {
                local.stop().await;
                let none = || Error::connection("the app is not served".into());
                Err(joined(ended).err().unwrap_or_else(none))
            }
        }
    }
}

impl IntoFuture for Embedded {
    type Output = Result<Engine>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Engine>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Embedded");
        shown.field("app", &self.app).field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Engine {
    /// Returns a client of the engine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the address that the engine listens on, where it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Stops: takes no more runs, lets functions in progress end, writes what is held, closes the
    /// store. Runs go on when the folder is opened again.
    ///
    /// # Errors
    /// Why the app was not served any more.
    pub async fn stop(self) -> Result<()> {
        let Self { local, stop, served, .. } = self;
        // It may have ended by itself.
        let _ = stop.send(());
        let ended = served.await;
        local.stop().await;
        joined(ended)
    }
}

fn joined(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.unwrap_or_else(|error| Err(Error::connection(format!("serving the app: {error}"))))
}

/// Returns what opens the store.
fn opener(folder: Option<PathBuf>) -> Open {
    let Some(folder) = folder else {
        // The same memory whenever it is opened again: dropping it would lose what was acknowledged.
        let memory: Arc<dyn Store> = Arc::new(Memory::new());
        return Box::new(move || Ok(Arc::clone(&memory)));
    };
    Box::new(move || {
        let store = Folder::open(&folder, stepwell_sqlite::Options::default())?;
        store.spawn_fold()?;
        Ok(Arc::new(store))
    })
}

fn refused(error: &server::Error) -> Error {
    Error::refused(error.code().as_str(), error.to_string())
}

impl driver::Local for Pipes {
    fn open(&self) -> io::Result<DuplexStream> {
        let stopped = || io::Error::new(io::ErrorKind::ConnectionRefused, "the engine has stopped");
        Pipes::open(self).ok_or_else(stopped)
    }
}
