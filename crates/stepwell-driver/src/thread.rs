//! The node's thread: lives, one after the other, and what is between them.
//!
//! The thread is a runtime of its own, and runners' connections live on it. So a frame wakes one
//! thread, which reads it, commits, and writes the answer; handing it from a thread of sockets to the
//! node and back took another two wake-ups of idle cores a step, which was 0.08 ms of 0.30.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_node::{ApiError, Node, Reply};
use stepwell_store::backup::InFolder;
use stepwell_store::{Error as StoreError, Store};
use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};

use crate::changes::Changes;
use crate::clock::Machine;
use crate::handle::Handle;
use crate::inbox::{Inbound, Inbox};
use crate::lease::{Renewal, Term};
use crate::life::{Birth, Doubt, Flow, INPUTS_MAX, Life};
use crate::meter::Deleted;
use crate::schema::Schemas;

/// Opens the store; called at the start of each life.
pub type Open = Box<dyn FnMut() -> Result<Arc<dyn Store>, StoreError> + Send>;

/// Pauses between lives that end young.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A life of this length shows that the cause of the last doubt is over.
const OLD_AGE: Duration = Duration::from_secs(30);

/// Longest time that connections get to tell runners why they are closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the node's thread is made with.
pub struct Driver {
    /// Opens the store.
    pub open: Open,
    /// What each node is made with; the seed is drawn anew for each.
    pub node: stepwell_node::Config,
}

/// The node's thread.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system gave no thread or no random bits.
    #[error("the operating system refused {what}: {source}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The node could not begin on what is stored.
    #[error("the node could not begin: {0}")]
    Begin(String),
}

/// What the thread and those who use it share.
pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) store: RwLock<Option<Arc<dyn Store>>>,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) restarts: AtomicU64,
    pub(crate) deleted: Deleted,
    pub(crate) connections: Connections,
}

/// Where runners' connections live: the runtime of the node's thread.
pub(crate) struct Connections {
    runtime: runtime::Handle,
    /// Each connection holds a copy; nothing is ever sent.
    open: Mutex<Option<mpsc::Sender<Infallible>>>,
}

impl Connections {
    /// Serves a connection on the node's thread; drops it when that has ended.
    pub(crate) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(open) = open else { return };
        self.runtime.spawn(async move {
            connection.await;
            drop(open);
        });
    }

    /// Takes no more connections.
    fn close(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("restarts", &self.restarts).finish_non_exhaustive()
    }
}

impl Driver {
    /// Opens the store and starts the thread; returns when the node has begun.
    ///
    /// # Errors
    /// [`Failed`] when the store cannot be opened or the node cannot begin on it.
    pub fn start(self) -> Result<Running, Failed> {
        let refused = |what| move |source| Failed::System { what, source };
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(refused("a runtime"))?;
        let (open, closed) = mpsc::channel(1);
        let connections =
            Connections { runtime: runtime.handle().clone(), open: Mutex::new(Some(open)) };
        let epoch =
            random_seed()?.into_iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(byte));
        let shared = Arc::new(Shared {
            inbox: Inbox::new(),
            store: RwLock::new(None),
            schemas: Arc::new(Schemas::default()),
            changes: Arc::new(Changes::new(epoch)),
            restarts: AtomicU64::new(0),
            deleted: Deleted::default(),
            connections,
        });
        let handle = Handle::new(Arc::clone(&shared));
        let (began, begun) = std::sync::mpsc::channel();
        let lives = Lives { shared, driver: self, floor: Timestamp::MIN };
        let thread = std::thread::Builder::new().name("stepwell-node".into());
        let thread = thread.spawn(move || lives.run(&runtime, &began, closed));
        let thread = thread.map_err(refused("a thread"))?;
        match begun.recv() {
            Ok(Ok(())) => Ok(Running { handle, thread: Some(thread) }),
            Ok(Err(failed)) => Err(failed),
            Err(_) => Err(Failed::Begin("its thread ended".into())),
        }
    }
}

impl Running {
    /// Returns a way to the node.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Writes what the node holds, closes the store, and waits for the thread. Does nothing the
    /// second time.
    pub fn stop(&mut self) {
        self.handle.shared.inbox.notify(Inbound::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the node's thread panicked outside of a life");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Lives {
    shared: Arc<Shared>,
    driver: Driver,
    /// Engine time does not go back from one life to the next.
    floor: Timestamp,
}

impl Lives {
    fn run(
        mut self,
        runtime: &Runtime,
        began: &std::sync::mpsc::Sender<Result<(), Failed>>,
        mut closed: mpsc::Receiver<Infallible>,
    ) {
        let life = match self.first() {
            Ok(life) => life,
            Err(failed) => {
                self.shared.inbox.close();
                let _ = began.send(Err(failed));
                return;
            }
        };
        let _ = began.send(Ok(()));
        runtime.block_on(async {
            self.live_on(life).await;
            self.shared.connections.close();
            // Gives nothing once the last connection has said why it ends.
            let _ = tokio::time::timeout(FAREWELL, closed.recv()).await;
        });
    }

    fn first(&mut self) -> Result<Life, Failed> {
        guarded(|| self.begin()).unwrap_or_else(|panic| Err(Failed::Begin(panic)))
    }

    fn begin(&mut self) -> Result<Life, Failed> {
        let store = (self.driver.open)()?;
        let high_water = store.high_water()?;
        let workflows = store.workflows()?;
        let mut config = self.driver.node.clone();
        config.seed = random_seed()?;
        if let Some(restored) = store.in_folder().and_then(InFolder::restored) {
            config.restored =
                stepwell_node::Restored { void_until: Some(restored.until), held: restored.held };
            if restored.held {
                let backup = restored.backup;
                tracing::warn!(
                    backup,
                    "restored from a backup: no run goes on until `stepwell resume`"
                );
            }
        }
        if let Some(until) = store.shared().and_then(stepwell_store::shared::Shared::void_until) {
            config.restored.void_until = Some(until);
        }
        let machine = Machine::new();
        let term = self.lease(&store, machine)?;
        if let Some((term, _)) = &term {
            config.shared = true;
            config.lease = term.ttl();
        }
        let birth = Birth {
            node: Node::new(config),
            store: Arc::clone(&store),
            schemas: Arc::clone(&self.shared.schemas),
            changes: Arc::clone(&self.shared.changes),
            workflows,
            floor: self.floor.max(high_water),
            machine,
            term,
        };
        let life = Life::begin(birth).map_err(|Doubt(why)| Failed::Begin(why))?;
        *self.shared.store.write().unwrap_or_else(PoisonError::into_inner) = Some(store);
        Ok(life)
    }

    /// Begins to renew the lease of a store that other nodes share.
    fn lease(
        &self,
        store: &Arc<dyn Store>,
        machine: Machine,
    ) -> Result<Option<(Arc<Term>, Renewal)>, Failed> {
        let Some(shared) = store.shared() else { return Ok(None) };
        let term = Arc::new(Term::begin(shared, machine)?);
        let grant = self.driver.node.limits.runner_ttl();
        let node = Arc::clone(&self.shared);
        let renewal = Renewal::begin(store, &term, grant, move || node.inbox.notify(Inbound::Hint));
        let renewal = renewal.map_err(|source| Failed::System { what: "a thread", source })?;
        Ok(Some((term, renewal)))
    }

    async fn live_on(&mut self, first: Life) {
        let mut life = first;
        let mut pause = PAUSE_MIN;
        loop {
            let born = Instant::now();
            let ended = self.live(&mut life).await;
            // The store is let go before its folder is opened again.
            self.shared.store.write().unwrap_or_else(PoisonError::into_inner).take();
            self.floor = self.floor.max(life.now());
            let Err(doubt) = ended else {
                life.end(Code::Unavailable, "the server stops");
                life.leave();
                drop(life);
                self.refuse_rest("the server stops");
                return;
            };
            tracing::error!(doubt, "dropping the node and opening the store again");
            life.end(
                Code::InDoubt,
                "the server opens its store again after a failure; what was asked may have been done",
            );
            drop(life);
            self.shared.restarts.fetch_add(1, Ordering::Relaxed);
            if born.elapsed() > OLD_AGE {
                pause = PAUSE_MIN;
            }
            match self.next_life(&mut pause).await {
                Some(next) => life = next,
                None => return,
            }
        }
    }

    async fn live(&self, life: &mut Life) -> Result<(), String> {
        let mut items = Vec::new();
        loop {
            self.shared.inbox.take(INPUTS_MAX, life.patience(), &mut items).await;
            match guarded(|| life.turn(&mut items)) {
                Ok(Ok(Flow::On)) => {}
                Ok(Ok(Flow::Stop)) => return Ok(()),
                Ok(Err(Doubt(why))) => return Err(why),
                Err(panic) => return Err(format!("the engine panicked: {panic}")),
            }
        }
    }

    /// Opens the store until that works; `None` when the server stops meanwhile.
    async fn next_life(&mut self, pause: &mut Duration) -> Option<Life> {
        loop {
            let until = Instant::now() + *pause;
            *pause = (*pause * 2).min(PAUSE_MAX);
            if self.wait_refusing(until).await == Flow::Stop {
                self.refuse_rest("the server stops");
                return None;
            }
            match self.first() {
                Ok(life) => {
                    tracing::info!("the store is open again");
                    return Some(life);
                }
                Err(error) => tracing::error!(%error, "the store cannot be opened again yet"),
            }
        }
    }

    /// Refuses what comes while there is no node.
    async fn wait_refusing(&self, until: Instant) -> Flow {
        let mut items = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.shared.inbox.take(INPUTS_MAX, left, &mut items).await;
            for item in items.drain(..) {
                if let Inbound::Stop = item {
                    return Flow::Stop;
                }
                refuse(item, "the server opens its store again after a failure");
            }
            if left.is_zero() {
                return Flow::On;
            }
        }
    }

    fn refuse_rest(&self, why: &str) {
        for item in self.shared.inbox.close() {
            refuse(item, why);
        }
    }
}

fn refuse(item: Inbound, why: &str) {
    match item {
        Inbound::Ask { reply, .. } => {
            let error = ApiError { code: Code::Unavailable, detail: why.to_owned() };
            let _ = reply.send(Reply::Error(error));
        }
        Inbound::Connect { outgoing, .. } => outgoing.close(why.to_owned()),
        Inbound::Frame { .. }
        | Inbound::Disconnect { .. }
        | Inbound::Forget { .. }
        | Inbound::Stats { .. }
        | Inbound::Measures { .. }
        | Inbound::Drain
        | Inbound::LetGo
        | Inbound::Hint
        | Inbound::Stop => {}
    }
}

/// Runs a closure and turns a panic in it into its message.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // A life that panicked is dropped whole, so nothing half changed is seen again.
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "without a message".to_owned())
    })
}

fn random_seed() -> Result<[u8; 32], Failed> {
    let mut seed = [0; 32];
    let flags = rustix::rand::GetRandomFlags::empty();
    let system = |source| Failed::System { what: "random bits", source };
    let count = rustix::rand::getrandom(&mut seed, flags).map_err(|e| system(e.into()))?;
    if count != seed.len() {
        return Err(system(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(seed)
}

/// Lets the thread's users wait for a reply that may never come.
pub(crate) fn lost(_: oneshot::error::RecvError) -> ApiError {
    ApiError { code: Code::Unavailable, detail: "the server stops".into() }
}
