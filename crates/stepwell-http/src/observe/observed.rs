//! Observed runs, as the server has them: the lane, its thread, the store.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use stepwell_core::code::Code;
use stepwell_driver::Handle;
use stepwell_metrics::{Exposition, table};
use stepwell_telemetry::incoming::Taken;
use stepwell_telemetry::keep::{Error, Health, Keep};
use tokio::sync::oneshot;

use super::counted::Counted;
use super::lane::{BODY_BYTES_MAX, Lane, Packing, Parcel, Room};
use super::shelf::Shelf;
use super::sweep::{Keeping, Sweep};
use super::work::Work;
use crate::gate;
use crate::problem::Problem;

/// Opens the store of observed runs, once the server's own store is open: then the folder is its own.
#[derive(Clone)]
pub struct OpenObserved(Arc<OpenFn>);

type OpenFn = dyn Fn() -> Result<Arc<dyn Keep>, Problem> + Send + Sync;

impl OpenObserved {
    /// Makes it of a function, which may block, and which is called again after the store failed.
    pub fn new<E: Into<Problem>>(
        open: impl Fn() -> Result<Arc<dyn Keep>, E> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || open().map_err(Into::into)))
    }

    pub(super) fn open(&self) -> Result<Arc<dyn Keep>, Problem> {
        (self.0)()
    }
}

impl fmt::Debug for OpenObserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenObserved")
    }
}

/// How observed runs are kept.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Opens what keeps them.
    pub open: OpenObserved,
    /// How long they are kept after their last event.
    pub retention: Duration,
}

/// Observed runs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    lane: Lane,
    shelf: Shelf,
    counted: Arc<Counted>,
    node: Handle,
    keeping: Keeping,
    ends: Arc<Ends>,
}

/// What ends with the server.
#[derive(Debug)]
struct Ends {
    thread: Mutex<Option<JoinHandle<()>>>,
    sweep: Mutex<Option<Sweep>>,
}

impl Observed {
    /// Opens the store and starts the thread. Has to be called inside of a tokio runtime.
    ///
    /// # Errors
    /// [`Code::Internal`] when the system gives no thread.
    pub(crate) async fn start(telemetry: Telemetry, node: Handle) -> Result<Self, Problem> {
        let Telemetry { open, retention } = telemetry;
        let opened = tokio::task::spawn_blocking(move || Shelf::open(open)).await;
        let failed = |why: String| Problem::new(Code::Internal, why);
        let shelf = opened.map_err(|error| failed(error.to_string()))?;
        let (lane, counted) = (Lane::default(), Arc::new(Counted::default()));
        let work = Work::new(lane.clone(), shelf.clone(), Arc::clone(&counted), node.clone());
        let thread = std::thread::Builder::new()
            .name("stepwell-observe".into())
            .spawn(move || work.run())
            .map_err(|error| failed(format!("telemetry has no thread: {error}")))?;
        let keeping = Keeping::new(retention);
        let sweep = Sweep::start(shelf.clone(), keeping.clone(), Arc::clone(&counted));
        let ends = Ends { thread: Mutex::new(Some(thread)), sweep: Mutex::new(Some(sweep)) };
        Ok(Self { lane, shelf, counted, node, keeping, ends: Arc::new(ends) })
    }

    /// Takes room for a body of so many bytes; for one whose size is not told, for the largest.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the lane is full, or nothing can be kept now.
    pub(crate) fn room(&self, bytes: Option<usize>) -> Result<Room, Problem> {
        let turned_away = |problem| {
            self.counted.turned_away();
            problem
        };
        self.shelf.keep().map_err(turned_away)?;
        self.lane.room(bytes.unwrap_or(BODY_BYTES_MAX)).ok_or_else(|| {
            turned_away(Problem::unavailable("there is more telemetry than can be taken now"))
        })
    }

    /// Takes a body; returns once its events are durable.
    ///
    /// # Errors
    /// What is wrong with the body as a whole, or with the store.
    pub(crate) async fn take(
        &self,
        namespace: Arc<str>,
        (body, packing): (Bytes, Packing),
        mut room: Room,
    ) -> Result<Taken, Problem> {
        room.shrink(body.len());
        let (answer, answered) = oneshot::channel();
        self.lane.put(Parcel { namespace, body, packing, answer, room });
        let gone = |_| Problem::unavailable("the server stops, or met a failure on this batch");
        answered.await.unwrap_or_else(|error| Err(gone(error)))
    }

    /// Asks the store. What is asked may block: it gets a thread of its own.
    ///
    /// # Errors
    /// What the store says; [`Code::Unavailable`] while there is none.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Keep) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let keep = self.shelf.keep()?;
        let span = tracing::Span::current();
        let asked = tokio::task::spawn_blocking(move || span.in_scope(|| ask(&*keep))).await;
        let asked = asked.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok(asked?)
    }

    /// Tells whether a namespace has flows, observed or declared.
    ///
    /// # Errors
    /// As [`Observed::ask`].
    pub(crate) async fn has_flows(&self, namespace: &Arc<str>) -> Result<bool, Problem> {
        let (namespace, now) = (Arc::clone(namespace), gate::now());
        self.ask(move |keep| Ok(!keep.flows(&namespace, now)?.is_empty())).await
    }

    /// Forgets all that is observed or declared in a namespace.
    ///
    /// # Errors
    /// As [`Observed::ask`].
    pub(crate) async fn forget(&self, namespace: &Arc<str>) -> Result<(), Problem> {
        let namespace = Arc::clone(namespace);
        self.ask(move |keep| keep.remove_namespace(&namespace)).await
    }

    /// Tells those who watch that a flow was declared, or is not any more.
    pub(crate) fn tell(&self, namespace: &Arc<str>) {
        self.node.observed(namespace);
    }

    /// Returns how long observed runs are kept, to change it.
    pub(crate) fn keeping(&self) -> Keeping {
        self.keeping.clone()
    }

    /// Returns how the store is; `None` where there is none now.
    pub(crate) async fn health(&self) -> Option<Health> {
        self.ask(|keep| Ok(keep.health())).await.ok()
    }

    /// Writes what is counted and measured; zeros on a server that takes no telemetry.
    pub(crate) async fn write(of: Option<&Self>, text: &mut Exposition) {
        let health = match of {
            Some(observed) => observed.health().await.unwrap_or_default(),
            None => Health::default(),
        };
        match of {
            Some(observed) => observed.counted.write(text),
            None => Counted::default().write(text),
        }
        let queued = of.map_or(0, |observed| observed.lane.bytes());
        text.one(&table::TELEMETRY_QUEUED_BYTES, queued as u64);
        text.one(&table::TELEMETRY_TAIL_BYTES, health.tail_bytes);
        text.one(&table::TELEMETRY_DISK_BYTES, health.disk_bytes);
    }

    /// Works on what the lane holds, and closes the store.
    pub(crate) async fn stop(self) {
        let sweep = self.ends.sweep.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sweep) = sweep {
            sweep.stop().await;
        }
        self.lane.close();
        let thread = self.ends.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shelf = self.shelf.clone();
        let closed = tokio::task::spawn_blocking(move || {
            let ended = thread.map_or(Ok(()), JoinHandle::join);
            shelf.close();
            ended.is_ok()
        });
        if !closed.await.unwrap_or(false) {
            tracing::error!("the thread of telemetry panicked");
        }
    }
}
