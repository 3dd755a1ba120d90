//! Exports traces: runs that have ended, in the order of their ends, read from the store.
//!
//! What was exported last is kept in the ledger, so that a restart leaves nothing out; what was sent after that is
//! sent again, with the same ids. Nothing is queued in between: while the receiver is away, runs wait in the store.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use stepwell_access::Keyring;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_driver::Handle;
use stepwell_otlp::{SPANS_MAX, Span, Traces, rejected, request, spans};
use stepwell_store::{Error as StoreError, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::gate::{Keys, now};
use crate::meters::{Dropped, Meters};
use crate::problem::Problem;

/// How often it is looked for runs that have ended.
const EVERY: Duration = Duration::from_secs(1);

/// How long it is waited where the store or the ledger cannot be read.
const LATER: Duration = Duration::from_secs(5);

/// Longest time between two notes of how far it came.
const KEEP_EVERY: Duration = Duration::from_secs(5);

/// Longest time for an answer of the receiver.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Pauses before something is sent again: each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Longest pause that a receiver gets by asking for one.
const ASKED_MAX: Duration = Duration::from_mins(5);

/// Most runs that are read at once.
const RUNS_MAX: usize = 256;

/// With so many spans no more runs are read.
const READ_MAX: usize = 4_096;

/// Where traces go.
#[derive(Clone)]
pub struct TraceExport {
    /// The name of the service that they are of.
    pub service: String,
    /// What sends them.
    pub post: Arc<dyn Post>,
}

impl std::fmt::Debug for TraceExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TraceExport").field("service", &self.service).finish_non_exhaustive()
    }
}

/// The answer that is waited for; the error says why there is none.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Result<Posted, String>> + Send + 'a>>;

/// Sends requests of the protocol to a receiver.
pub trait Post: Send + Sync {
    /// Sends a request in Protocol Buffers. What is dropped before it is done may have been sent.
    fn post(&self, body: Bytes) -> Posting<'_>;
}

/// The answer of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The HTTP status.
    pub status: u16,
    /// After how long it wants to be asked again, where it says so.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The spans were taken, but for so many.
    Taken(Option<(u64, String)>),
    /// It is of no use to send them again.
    Refused(String),
    /// They can be sent again, at the earliest after the time.
    Again(String, Duration),
}

impl Verdict {
    /// By the rules of the protocol (OTLP 1, "Failures").
    fn of(answer: Result<Posted, String>) -> Self {
        let posted = match answer {
            Ok(posted) => posted,
            Err(why) => return Self::Again(why, Duration::ZERO),
        };
        let told = format!("it answers with status {}", posted.status);
        match posted.status {
            200..300 => Self::Taken(rejected(&posted.body)),
            429 | 502 | 503 | 504 => {
                Self::Again(told, posted.retry_after.unwrap_or_default().min(ASKED_MAX))
            }
            _ => Self::Refused(told),
        }
    }
}

/// A portion of what is to be exported.
#[derive(Default)]
struct Portion {
    spans: Vec<Span>,
    /// The end of the first run.
    first: Option<Timestamp>,
    /// The last run.
    last: Option<(Timestamp, RunId)>,
    /// Runs whose journal cannot be read.
    damaged: u64,
    /// There are more.
    more: bool,
}

impl Portion {
    /// Reads what ended after a run.
    fn read(
        store: &dyn Store,
        after: (Timestamp, RunId),
        traces: &mut Traces,
    ) -> Result<Self, StoreError> {
        // What was imported from a clock that is ahead does not have others left out.
        let until = store.high_water()?.max(now());
        let ended = store.ended(until, Some(after), RUNS_MAX)?;
        let first = ended.first().map(|(at, _)| *at);
        let mut portion = Self { first, more: ended.len() == RUNS_MAX, ..Self::default() };
        for (at, run) in ended {
            if portion.spans.len() >= READ_MAX {
                portion.more = true;
                break;
            }
            portion.last = Some((at, run));
            // One that was deleted meanwhile has no trace.
            match store.load(run) {
                Ok(Some(journal)) => portion.add(store, (run, &journal), traces)?,
                Ok(None) => {}
                Err(StoreError::Quarantined { .. }) => portion.damaged += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(portion)
    }

    fn add(
        &mut self,
        store: &dyn Store,
        (run, journal): (RunId, &[u8]),
        traces: &mut Traces,
    ) -> Result<(), StoreError> {
        let above = |run| match store.load(run) {
            Err(StoreError::Quarantined { .. }) => Ok(None),
            other => other,
        };
        let trace = traces.find(run, journal, above)?;
        if !trace.sampled {
            return Ok(());
        }
        match spans(run, journal, trace) {
            Ok(spans) => self.spans.extend(spans),
            Err(error) => {
                tracing::warn!(run_id = %run, %error, "a run has no trace");
                self.damaged += 1;
            }
        }
        Ok(())
    }
}

/// The loop that exports.
#[derive(Debug)]
pub(crate) struct Exporter {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Exporter {
    /// Starts the loop. Where it begins is certain before anything else goes on.
    pub(crate) async fn start(
        export: TraceExport,
        keys: Keys,
        node: Handle,
        meters: Meters,
    ) -> Result<Self, Problem> {
        let last = begin(&keys, &node).await?;
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut work = Work {
                export,
                keys,
                node,
                meters,
                traces: Traces::default(),
                last,
                kept: last,
                kept_at: Instant::now(),
                is_well: true,
            };
            loop {
                let pause = tokio::select! {
                    pause = work.turn() => pause,
                    // Half done is as good as not done: it is done again.
                    _ = &mut stopped => break,
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = &mut stopped => break,
                }
            }
            if let Err(problem) = work.keep().await {
                tracing::warn!(
                    detail = problem.detail,
                    "how far traces were exported is not noted"
                );
            }
        });
        Ok(Self { stop, running })
    }

    /// Ends the loop, whatever it waits for.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the export of traces panicked");
        }
    }
}

/// Returns the last run that was exported. The first time nothing was, and what has ended by now stays so.
async fn begin(keys: &Keys, node: &Handle) -> Result<(Timestamp, RunId), Problem> {
    if let Some(kept) = keys.ask(Keyring::exported).await? {
        return Ok(kept);
    }
    let until = node.read(|store| store.high_water()).await?;
    let last = (until, RunId::from_u128(u128::MAX));
    keys.ask(move |keyring| keyring.put_exported(last)).await?;
    Ok(last)
}

struct Work {
    export: TraceExport,
    keys: Keys,
    node: Handle,
    meters: Meters,
    traces: Traces,
    /// The last run that was exported.
    last: (Timestamp, RunId),
    /// The one that the ledger has.
    kept: (Timestamp, RunId),
    kept_at: Instant,
    /// The receiver took what was sent last.
    is_well: bool,
}

impl Work {
    /// Exports a portion; returns how long to wait for the next.
    async fn turn(&mut self) -> Duration {
        match self.portion().await {
            Ok(true) => Duration::ZERO,
            Ok(false) => EVERY,
            Err(problem) => {
                tracing::warn!(detail = problem.detail, "traces cannot be exported now");
                LATER
            }
        }
    }

    /// Exports a portion. Tells whether there is more.
    async fn portion(&mut self) -> Result<bool, Problem> {
        let restored = self.node.restored().await?;
        // What was restored is there to be looked at as it was.
        if restored.is_some_and(|restored| restored.held) {
            return Ok(false);
        }
        if !self.node.leads().await? {
            // Another node exports; should this one have to, it goes on from there.
            if let Some(kept) = self.keys.ask(Keyring::exported).await? {
                (self.last, self.kept) = (kept, kept);
            }
            return Ok(false);
        }
        let after = self.last;
        let mut traces = std::mem::take(&mut self.traces);
        let reading =
            self.node.read(move |store| Ok((Portion::read(store, after, &mut traces)?, traces)));
        let (portion, traces) = reading.await?;
        self.traces = traces;
        self.meters.traces().behind_since(portion.first);
        self.meters.traces().dropped(Dropped::Damaged, portion.damaged);
        for spans in portion.spans.chunks(SPANS_MAX) {
            self.send(spans).await;
        }
        self.last = portion.last.unwrap_or(self.last);
        if !portion.more {
            self.meters.traces().behind_since(None);
        }
        if self.kept_at.elapsed() >= KEEP_EVERY {
            self.keep().await?;
        }
        Ok(portion.more)
    }

    /// Notes how far it came.
    async fn keep(&mut self) -> Result<(), Problem> {
        self.kept_at = Instant::now();
        let last = self.last;
        if last != self.kept {
            self.keys.ask(move |keyring| keyring.put_exported(last)).await?;
            self.kept = last;
        }
        Ok(())
    }

    /// Sends spans until they are taken, or it is certain that they never will be.
    async fn send(&mut self, spans: &[Span]) {
        let count = spans.len() as u64;
        let body = Bytes::from(request(&self.export.service, spans));
        let mut pause = PAUSE_MIN;
        loop {
            let answer = tokio::time::timeout(ANSWER_TIME, self.export.post.post(body.clone()));
            let answer = answer.await.unwrap_or_else(|_| Err("it has not answered in 10 s".into()));
            match Verdict::of(answer) {
                Verdict::Taken(rejected) => {
                    let (rejected, why) = rejected.unwrap_or_default();
                    self.meters.traces().exported(count.saturating_sub(rejected));
                    self.meters.traces().dropped(Dropped::Refused, rejected.min(count));
                    return self.tell((rejected > 0).then_some(why.as_str()));
                }
                Verdict::Refused(why) => {
                    self.meters.traces().dropped(Dropped::Refused, count);
                    return self.tell(Some(&why));
                }
                Verdict::Again(why, asked) => {
                    self.meters.traces().failed();
                    self.tell(Some(&why));
                    tokio::time::sleep(pause.max(asked)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Says once that something is wrong, and once that it is over.
    fn tell(&mut self, why: Option<&str>) {
        match why {
            Some(why) if self.is_well => {
                tracing::warn!(why, "the receiver of traces does not take them");
            }
            None if !self.is_well => tracing::info!("the receiver of traces takes them again"),
            _ => {}
        }
        self.is_well = why.is_none();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(status: u16, retry_after: Option<Duration>) -> Posted {
        Posted { status, retry_after, body: Bytes::new() }
    }

    #[test]
    fn an_answer_is_read_as_the_protocol_says() {
        let hour = Duration::from_hours(1);
        for (status, asked, told) in [
            (429, Some(hour), ASKED_MAX),
            (503, Some(PAUSE_MIN), PAUSE_MIN),
            (502, None, Duration::ZERO),
            (504, None, Duration::ZERO),
        ] {
            let told = Verdict::Again(format!("it answers with status {status}"), told);
            assert_eq!(Verdict::of(Ok(posted(status, asked))), told);
        }
        for status in [400, 401, 404, 413, 500, 302] {
            let refused = Verdict::Refused(format!("it answers with status {status}"));
            assert_eq!(Verdict::of(Ok(posted(status, None))), refused);
        }
        assert_eq!(Verdict::of(Ok(posted(202, None))), Verdict::Taken(None));
        let away = Verdict::Again("away".into(), Duration::ZERO);
        assert_eq!(Verdict::of(Err("away".into())), away);
        // What no message of the protocol is says nothing.
        let odd = Posted { status: 200, retry_after: None, body: Bytes::from_static(b"\xff\xff") };
        assert_eq!(Verdict::of(Ok(odd)), Verdict::Taken(None));
    }
}
