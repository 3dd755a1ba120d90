//! The client: what programs hold.

use std::fmt::{self, Display};
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::builder::Builder;
use super::error::Stats;

use super::metadata::Object;
use super::park::block_on;
use super::record::StepRecord;
use super::run::Run;
use super::shared::Shared;
use super::strict::StrictTelemetry;

/// A client of telemetry: tells a server what code does that is not durable (§10).
///
/// Cheap to clone; clones share a queue and one thread, which sends. What is recorded waits in memory,
/// bounded, and nothing that code calls waits for the network (§10.3). The thread has a runtime of its
/// own: it goes on when the runtime ends in which the client was made, and serves programs without one.
///
/// As the last handle is dropped, a [`Run`] and a step that has not ended among them, what is left is
/// sent: the drop waits for that, 1 s at most ([`Builder::exit_wait`]). Handles in a `static`, or in a layer
/// that was set for the whole process, are never dropped, and neither is anything at [`std::process::exit`], at a signal that ends the process, or when
/// it aborts: [`flush`](Self::flush) or [`shutdown`](Self::shutdown) before.
///
/// ```no_run
/// # async fn charge() -> stepwell::Result<()> { Ok(()) }
/// # async fn demo() -> stepwell::Result<()> {
/// use stepwell::telemetry::Telemetry;
///
/// let telemetry = Telemetry::new();
/// telemetry.run("checkout", "req_123").step("charge", charge()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Telemetry(Option<Arc<Handle>>);

/// What all handles of a client have in common. Its drop is that of the last.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) default_metadata: Object,
    pub(super) default_sealed: Option<Arc<RawValue>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Telemetry {
    /// Makes a client of the server that the variable `STEPWELL_URL` names, else of
    /// `http://127.0.0.1:7878`, with the key of the variable `STEPWELL_PROJECT_KEY`, else `STEPWELL_KEY`. It
    /// never fails; see
    /// [`Builder::build`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Makes a client with options.
    ///
    /// ```
    /// use serde_json::json;
    /// use stepwell::telemetry::Telemetry;
    ///
    /// let telemetry = Telemetry::builder()
    ///     .url("https://stepwell.example")
    ///     .project_key("sw_4hx2_secret")
    ///     .default_metadata(json!({ "region": "eu" }))
    ///     .on_error(|error| eprintln!("{error}"))
    ///     .enabled(false)
    ///     .build();
    /// # drop(telemetry);
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(super) fn off() -> Self {
        Self(None)
    }

    pub(super) fn of(
        shared: Shared,
        default_metadata: Object,
        default_sealed: Option<Arc<RawValue>>,
    ) -> Self {
        Self(Some(Arc::new(Handle { shared: Arc::new(shared), default_metadata, default_sealed })))
    }

    pub(super) fn handle(&self) -> Option<&Arc<Handle>> {
        self.0.as_ref()
    }

    /// Returns a run of a flow: one request, one delivery, whatever is told of under one id (§10.2).
    ///
    /// The flow is its slug, of at most 200 characters; so is the id, which is the program's own, such as
    /// that of a request. Nothing is sent by this. Runs with the same flow and id are one, in whichever
    /// process they are told of.
    pub fn run(&self, flow: &str, run_id: impl Display) -> Run {
        Run::new(self, flow, run_id.to_string())
    }

    /// Tells of a step that cannot be wrapped: one of another service, say, or in a callback (§10.2).
    ///
    /// ```no_run
    /// use stepwell::telemetry::{Recorded, StepRecord, Telemetry};
    ///
    /// let telemetry = Telemetry::new();
    /// telemetry.record_step(StepRecord {
    ///     flow_key: "checkout",
    ///     run_id: "req_123",
    ///     step_key: "manual-step",
    ///     status: Recorded::Success,
    ///     ..StepRecord::default()
    /// });
    /// ```
    pub fn record_step(&self, record: StepRecord<'_>) {
        if let Some(handle) = self.handle() {
            let seen = record.seen(handle);
            handle.shared.push(&seen.event(), &seen.about);
        }
    }

    /// Returns this client with steps that tell of events that were not sent (§10.3).
    pub fn strict(&self) -> StrictTelemetry {
        StrictTelemetry::new(self.clone())
    }

    /// Sends what was recorded so far, and waits until it has left, for 5 s at most
    /// ([`Builder::flush_timeout`]). Tells whether nothing of it is waiting any more; what was dropped is
    /// counted in [`stats`](Self::stats). Needs no runtime of tokio.
    pub async fn flush(&self) -> bool {
        match self.flushed() {
            // The thread tells everybody before it ends.
            Some(told) => told.await.unwrap_or(false),
            None => true,
        }
    }

    /// Does the same in code that is not async. It blocks the thread.
    pub fn flush_sync(&self) -> bool {
        block_on(self.flush())
    }

    fn flushed(&self) -> Option<oneshot::Receiver<bool>> {
        let shared = &self.handle()?.shared;
        Some(shared.queue.flushed(shared.times.flush))
    }

    /// Sends what was recorded so far, as [`flush`](Self::flush) does, and ends the client, with all its
    /// clones: what is recorded later is dropped and counted. Functions are called all the same.
    pub async fn shutdown(&self) -> bool {
        let told = self.flushed();
        if let Some(handle) = self.handle() {
            let shared = &handle.shared;
            shared.queue.close(shared.times.flush);
            shared.singles.close();
        }
        match told {
            Some(told) => told.await.unwrap_or(false),
            None => true,
        }
    }

    /// Does the same in code that is not async. It blocks the thread.
    pub fn shutdown_sync(&self) -> bool {
        block_on(self.shutdown())
    }

    /// Tells what became of the events so far.
    pub fn stats(&self) -> Stats {
        self.handle().map(|handle| handle.shared.queue.stats()).unwrap_or_default()
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Telemetry");
        shown.field("is_enabled", &self.0.is_some());
        shown.field("stats", &self.stats()).finish_non_exhaustive()
    }
}
