//! What the rest of the server uses of the node: starts, waits, cancels, reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;
use stepwell_node::{
    EndedRun, ForkRequest, ImportRequest, Reply, RequestId, ResolveRequest, RunnerInfo,
    SendRequest, Sent, SessionId, Signed, StartRequest, Stats, Taken,
};
use stepwell_store::backup::{InFolder, Restored};
use stepwell_store::retention::Deletion;
use stepwell_store::shared::Shared as Sharing;
use stepwell_store::{Error as StoreError, Store};
use tokio::sync::{oneshot, watch};

use crate::changes::{Cursor, Watch};
use crate::error::Error;
pub use crate::inbox::Created;
use crate::inbox::{Ask, Closed, Inbound, Then};
use crate::meter::Measured;
use crate::outgoing::{Outbox, Outgoing};
use crate::schema::Schemas;
use crate::thread::{Shared, lost};

/// How often a deletion looks whether a run is written, and events that it took are routed, which takes
/// milliseconds.
const DELETE_TRIES: u32 = 20;

/// Pause between these looks.
const DELETE_PAUSE: Duration = Duration::from_millis(50);

/// A way to the node; cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    numbers: Arc<AtomicU64>,
    stopping: Arc<watch::Sender<bool>>,
}

/// What came of a start that waited for the run's end.
#[derive(Debug)]
pub enum Waited {
    /// The run has ended.
    Ended(Box<EndedRun>, Created),
    /// The run goes on; the time is over or the server stops.
    GoesOn(RunId, Created),
}

/// A request on its way. Dropped without a reply, it tells the node that nobody waits any more.
struct Asked<'a> {
    handle: &'a Handle,
    request: RequestId,
    answer: oneshot::Receiver<Reply>,
    answered: bool,
}

impl Asked<'_> {
    /// Waits for the reply.
    async fn reply(&mut self) -> Result<Reply, Error> {
        let reply = (&mut self.answer).await;
        self.answered = true;
        match reply {
            Ok(Reply::Error(error)) => Err(error.into()),
            Ok(reply) => Ok(reply),
            Err(error) => Err(lost(error).into()),
        }
    }

    /// Waits for the reply, until `patience` is over or the server stops.
    async fn reply_within(&mut self, patience: Duration) -> Result<Option<Reply>, Error> {
        let mut stopping = self.handle.stopping.subscribe();
        tokio::select! {
            biased;
            reply = self.reply() => reply.map(Some),
            () = tokio::time::sleep(patience) => Ok(None),
            _ = stopping.wait_for(|stopping| *stopping) => Ok(None),
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.handle.shared.inbox.notify(Inbound::Forget { request: self.request });
        }
    }
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let stopping = Arc::new(watch::Sender::new(false));
        Self { shared, numbers: Arc::new(AtomicU64::new(1)), stopping }
    }

    /// Starts a run; returns once that is durable (§4.8).
    ///
    /// # Errors
    /// What the node says; SW1008 when the server stops or starts again.
    pub async fn start(&self, start: StartRequest) -> Result<(RunId, Created), Error> {
        let ask = Ask::Start { start: Box::new(start), then: Then::Answer };
        match self.ask(ask).await?.reply().await? {
            Reply::Started { run, created: true } => Ok((run, Created::Now)),
            Reply::Started { run, created: false } => Ok((run, Created::Before)),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Starts a run and waits for its end, at most `patience`.
    ///
    /// # Errors
    /// As [`Handle::start`].
    pub async fn start_and_wait(
        &self,
        start: StartRequest,
        patience: Duration,
    ) -> Result<Waited, Error> {
        let (then, mut started) = oneshot::channel();
        let ask = Ask::Start { start: Box::new(start), then: Then::Wait(then) };
        let mut asked = self.ask(ask).await?;
        let mut reply = asked.reply_within(patience).await?;
        if reply.is_none() {
            // However short the patience, the answer says what was started.
            reply = Some(tokio::select! {
                biased;
                Ok((run, created)) = &mut started => return Ok(Waited::GoesOn(run, created)),
                reply = asked.reply() => reply?,
            });
        }
        match (reply, started.try_recv()) {
            (Some(Reply::Ended(ended)), Ok((_, created))) => Ok(Waited::Ended(ended, created)),
            (other, _) => Err(unexpected(other.as_ref())),
        }
    }

    /// Waits for the end of a run, at most `patience`; `None` when that is over before.
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW1008 when the server starts again.
    pub async fn wait(
        &self,
        namespace: Arc<str>,
        run: RunId,
        patience: Duration,
    ) -> Result<Option<Box<EndedRun>>, Error> {
        let mut asked = self.ask(Ask::Wait { namespace, run }).await?;
        match asked.reply_within(patience).await? {
            Some(Reply::Ended(ended)) => Ok(Some(ended)),
            None => Ok(None),
            Some(other) => Err(unexpected(Some(&other))),
        }
    }

    /// Cancels a run; returns its status once that is durable (§4.8).
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW1008 when the server stops or starts again.
    pub async fn cancel(
        &self,
        namespace: Arc<str>,
        run: RunId,
        signed: Signed,
    ) -> Result<RunStatus, Error> {
        match self.ask(Ask::Cancel { namespace, run, signed }).await?.reply().await? {
            Reply::Acted { status } => Ok(status),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Acts on a run (§9.5); returns its status once that is durable.
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW2005 when it is not in a state for this act; SW1008 when
    /// the server stops or starts again.
    pub async fn operate(
        &self,
        namespace: Arc<str>,
        run: RunId,
        act: Operation,
        signed: Signed,
    ) -> Result<RunStatus, Error> {
        match self.ask(Ask::Operate { namespace, run, act, signed }).await?.reply().await? {
            Reply::Acted { status } => Ok(status),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Says how a step ended whose outcome is unknown (§4.5); returns the run's status once that is
    /// durable.
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW2005 when it has no such step whose outcome blocks it;
    /// SW1008 when the server stops or starts again.
    pub async fn resolve(
        &self,
        namespace: Arc<str>,
        run: RunId,
        resolve: ResolveRequest,
        signed: Signed,
    ) -> Result<RunStatus, Error> {
        let ask = Ask::Resolve { namespace, run, resolve: Box::new(resolve), signed };
        match self.ask(ask).await?.reply().await? {
            Reply::Acted { status } => Ok(status),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Makes a new run of a run (§9.5, §9.8); returns it once it is durable.
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW2012 when none can be made of it like this; SW1008 when
    /// the server stops or starts again.
    pub async fn fork(
        &self,
        namespace: Arc<str>,
        run: RunId,
        fork: ForkRequest,
        signed: Signed,
    ) -> Result<RunId, Error> {
        let ask = Ask::Fork { namespace, run, fork: Box::new(fork), signed };
        match self.ask(ask).await?.reply().await? {
            Reply::Started { run, .. } => Ok(run),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Takes in a copy of a run from elsewhere; returns what became of it, and the run's status, once that
    /// is durable.
    ///
    /// # Errors
    /// SW2013 when it is not the journal of a run, or of one that has not ended where that is refused;
    /// SW2014 when another run has its id or its key; SW1008 when the server stops or starts again.
    pub async fn import(
        &self,
        namespace: Arc<str>,
        run: RunId,
        import: ImportRequest,
        signed: Signed,
    ) -> Result<(Taken, RunStatus), Error> {
        let ask = Ask::Import { namespace, run, import: Box::new(import), signed };
        match self.ask(ask).await?.reply().await? {
            Reply::Imported { status, taken } => Ok((taken, status)),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Deletes a run that has ended, with all that is known of it; returns once that is durable.
    ///
    /// # Errors
    /// SW2001 when there is no such run; SW2005 when it has not ended; SW1008 when it is still
    /// being written or an event that it took is being routed, or the server starts again.
    pub async fn delete(&self, namespace: Arc<str>, run: RunId) -> Result<(), Error> {
        for _ in 0..DELETE_TRIES {
            let of = Arc::clone(&namespace);
            match self.read(move |store| store.delete(&of, run)).await? {
                Deletion::Done => {
                    self.shared.changes.gone(&namespace);
                    return Ok(());
                }
                Deletion::Unknown => {
                    return Err(Error::new(Code::UnknownRun, format!("there is no run {run}")));
                }
                Deletion::Open(status) => {
                    let text = format!(
                        "{run} is {status}; accepted: a run that has ended (`cancel` and `terminate` \
                         end one)"
                    );
                    return Err(Error::new(Code::ActRefused, text));
                }
                Deletion::Early => tokio::time::sleep(DELETE_PAUSE).await,
            }
        }
        let why = format!("{run} is still being written, or an event that it took is being routed");
        Err(Error::unavailable(why))
    }

    /// Sends an event; returns once it is durable (§8.9).
    ///
    /// # Errors
    /// What the node says; SW1008 when the server stops or starts again.
    pub async fn send_event(&self, send: SendRequest) -> Result<Sent, Error> {
        match self.ask(Ask::Send { send: Box::new(send) }).await?.reply().await? {
            Reply::Sent(sent) => Ok(*sent),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Returns the runners that are connected or awaited.
    ///
    /// # Errors
    /// SW1008 when the server stops or starts again.
    pub async fn runners(&self, namespace: Arc<str>) -> Result<Vec<RunnerInfo>, Error> {
        let known = self.read(|store| store.shared().map(Sharing::runners).transpose());
        if let Some(known) = known.await? {
            // Where several nodes share the store, each says what is connected to it.
            let here = known.into_iter().filter(|(_, runner)| runner.namespace == namespace);
            let told = here.filter_map(|(_, runner)| serde_json::from_str(&runner.body).ok());
            return Ok(told.collect());
        }
        match self.ask(Ask::Runners { namespace }).await?.reply().await? {
            Reply::Runners(runners) => Ok(runners),
            other => Err(unexpected(Some(&other))),
        }
    }

    /// Returns the node's counters.
    ///
    /// # Errors
    /// SW1008 when the server stops or starts again.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Inbound::Stats { reply }).await?;
        answer.await.map_err(|e| lost(e).into())
    }

    /// Returns all that the node and its thread measure.
    ///
    /// # Errors
    /// SW1008 when the server stops or starts again.
    pub async fn measures(&self) -> Result<Measured, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Inbound::Measures { reply }).await?;
        answer.await.map_err(|e| lost(e).into())
    }

    /// Returns how many runs and how many events retention deleted.
    pub fn deleted(&self) -> (u64, u64) {
        self.shared.deleted.both()
    }

    /// Returns how often the node was dropped and the store opened again.
    pub fn restarts(&self) -> u64 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    /// Lets the runs of a store that was restored go on, for good. Tells of which backup it was made; `None`
    /// for a store that was not restored, whose runs nobody holds.
    ///
    /// # Errors
    /// SW1008 when the disk refuses, or the server stops or starts again.
    pub async fn let_go(&self) -> Result<Option<Restored>, Error> {
        let restored = self.read(|store| {
            let Some(store) = store.in_folder() else { return Ok(None) };
            store.let_go()?;
            Ok(store.restored())
        });
        let restored = restored.await?;
        // A node that begins meanwhile reads it in its store.
        self.send(Inbound::LetGo).await?;
        Ok(restored)
    }

    /// Tells of which backup the store was made, if it was, and whether its runs are held.
    ///
    /// # Errors
    /// SW1008 when the server stops or starts again.
    pub async fn restored(&self) -> Result<Option<Restored>, Error> {
        self.read(|store| Ok(store.in_folder().and_then(InFolder::restored))).await
    }

    /// Tells those who watch a namespace that something was observed in it, or a flow was declared. To be called
    /// a few times a second at most: what watchers are told of otherwise is remembered in the same place.
    pub fn observed(&self, namespace: &Arc<str>) {
        self.shared.changes.flows(namespace);
    }

    /// Watches what changes in a namespace from now on, or since `after`.
    pub fn watch(&self, namespace: Arc<str>, after: Option<Cursor>) -> Watch {
        self.shared.changes.watch(namespace, after)
    }

    /// Returns once the server stops.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        // An error means that the server is gone, which is a stop as well.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Returns the input schemas of workflows.
    pub fn schemas(&self) -> &Schemas {
        &self.shared.schemas
    }

    /// Reads from the store, which may block, on a thread for such calls.
    ///
    /// # Errors
    /// What the store says; SW1008 when the server starts again.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        // What it says belongs to the request that asks.
        let span = tracing::Span::current();
        let reading = tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let store = shared.store.read().unwrap_or_else(PoisonError::into_inner).clone();
            store.map(|store| read(&*store))
        });
        match reading.await {
            Ok(Some(found)) => Ok(found?),
            Ok(None) => Err(Error::unavailable("the store is being opened")),
            Err(_) => {
                Err(Error::new(Code::Internal, "reading from the store failed; the log says more"))
            }
        }
    }

    /// Returns the store that is open.
    pub(crate) fn store(&self) -> Option<Arc<dyn Store>> {
        self.shared.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells whether a store is the one that is open.
    pub(crate) fn has(&self, store: &dyn Store) -> bool {
        self.store().is_some_and(|open| std::ptr::addr_eq(Arc::as_ptr(&open), store))
    }

    /// Connects a runner: frames go to the session, and come from the outbox. What `serve` makes of
    /// the two runs on the node's thread.
    ///
    /// # Errors
    /// SW1008 when the server stops.
    pub async fn connect<F>(
        &self,
        namespace: Arc<str>,
        serve: impl FnOnce(Session, Outbox) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let id = SessionId(self.number());
        let (outgoing, outbox) = Outgoing::new();
        self.send(Inbound::Connect { session: id, namespace, outgoing }).await?;
        let session = Session { handle: self.clone(), id };
        self.shared.connections.spawn(serve(session, outbox));
        Ok(())
    }

    /// Tells runners that the server is about to stop, and ends all waits.
    pub fn drain(&self) {
        self.stopping.send_replace(true);
        self.shared.inbox.notify(Inbound::Drain);
    }

    async fn ask(&self, ask: Ask) -> Result<Asked<'_>, Error> {
        let request = RequestId(self.number());
        let (reply, answer) = oneshot::channel();
        self.send(Inbound::Ask { request, ask, reply }).await?;
        Ok(Asked { handle: self, request, answer, answered: false })
    }

    async fn send(&self, item: Inbound) -> Result<(), Error> {
        let closed = |Closed| Error::unavailable("the server stops");
        self.shared.inbox.send(item).await.map_err(closed)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// The node's side of a runner's connection; it is closed when this is dropped.
#[derive(Debug)]
pub struct Session {
    handle: Handle,
    id: SessionId,
}

impl Session {
    /// Hands a frame to the node; waits while the node has enough to do.
    ///
    /// # Errors
    /// SW1008 when the server stops.
    pub async fn frame(&self, bytes: Bytes) -> Result<(), Error> {
        self.handle.send(Inbound::Frame { session: self.id, bytes }).await
    }

    /// Returns the connection's number, for logs.
    pub fn number(&self) -> u64 {
        self.id.0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.handle.shared.inbox.notify(Inbound::Disconnect { session: self.id });
    }
}

fn unexpected(reply: Option<&Reply>) -> Error {
    tracing::error!(?reply, "the node answered something else than was asked");
    Error::new(Code::Internal, "the node answered something else")
}
