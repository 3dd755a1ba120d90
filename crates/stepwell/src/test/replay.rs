//! Code against a history: does it still go where the journal says that it went?

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::limits::Limits;
use stepwell_core::record::{self, BlockCause, Record};
use stepwell_core::run::Run;
use stepwell_core::status::{Kind, RunStatus};
use stepwell_node::activation_messages;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{Finished, ToNode};
use stepwell_protocol::to_runner::{ToRunner, Welcome};

use super::process::Process;
use super::runtime::{Bell, Runtime, Virtual};
use super::watch::Watcher;
use super::world::ORIGIN;
use crate::app::App;
use crate::moment::Clock;
use crate::session::{Fault, Session};

/// The handle of the run.
const HANDLE: u32 = 1;

/// How much virtual time the code gets to ask for what it wants.
const WAIT: Duration = Duration::from_hours(1);

/// How long code is waited for that awaits something else than steps.
const PATIENCE: Duration = Duration::from_secs(1);

/// Code followed a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How many steps the history has.
    pub steps: usize,
    /// The code came to its end.
    pub ended: bool,
}

/// Why code does not follow a history, or why there is nothing to follow. Shown, it is a sentence.
pub struct Divergence {
    step: Option<String>,
    why: String,
}

impl Divergence {
    fn new(step: Option<&str>, why: impl fmt::Display) -> Self {
        Self { step: step.map(ToOwned::to_owned), why: why.to_string() }
    }

    /// Returns the step at which the code goes another way; absent where it is at none.
    pub fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// As it is shown: for `unwrap`.
impl fmt::Debug for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Divergence {}

/// Runs the code of a run against its journal, and calls no function: looks whether code that was
/// changed can go on with runs that the code before has begun (§4.10, §5.4).
///
/// `journal` is the run's journal as a JSON array of records, as
/// [`TestRun::journal`](super::TestRun::journal) gives it and a query on a server's folder does (see
/// the guide), or as it is stored. What code does after the last step of a history that has not ended
/// is not looked at.
///
/// ```
/// use stepwell::test::{Test, replay};
/// use stepwell::{App, Ctx, Result};
///
/// async fn before(ctx: Ctx) -> Result<u32> {
///     ctx.run("charge", || async { Ok(5) }).await
/// }
///
/// async fn after(ctx: Ctx) -> Result<u32> {
///     ctx.run("reserve", || async { Ok(()) }).await?;
///     ctx.run("charge", || async { Ok(5) }).await
/// }
///
/// let mut test = Test::new(App::new("shop").workflow("order", before))?;
/// let run = test.start("order", ())?;
/// let journal = run.journal()?;
///
/// replay(App::new("shop").workflow("order", before), run.id(), &journal).unwrap();
/// let divergence = replay(App::new("shop").workflow("order", after), run.id(), &journal).unwrap_err();
/// assert_eq!(divergence.step(), Some("reserve"));
/// # Ok::<(), stepwell::Error>(())
/// ```
///
/// # Errors
/// [`Divergence`] names the first step at which the code goes another way: it asks for a step that the
/// history does not have, does not ask for one that it has, asks for another kind or in another order,
/// or ends otherwise. Also where the journal is not one, or the app has no such workflow.
pub fn replay(app: App, run: RunId, journal: &str) -> Result<Replayed, Divergence> {
    let unreadable = |why: &dyn fmt::Display| {
        let text = format!("this is not the journal of a run, as a JSON array of records: {why}");
        Divergence::new(None, text)
    };
    let journal = records(journal).map_err(|error| unreadable(&error))?;
    let run = Run::replay(run, &journal).map_err(|error| unreadable(&error))?;
    let mut replay = Replay::new(app).map_err(|error| Divergence::new(None, error))?;
    let told = replay.play(&run, &journal)?;
    judge(&run, &journal, &told)?;
    Ok(Replayed { steps: run.steps().len(), ended: told.end.is_some() })
}

/// Reads the records of a journal, and writes them as they are stored.
fn records(journal: &str) -> serde_json::Result<Vec<u8>> {
    let stored;
    let records: Vec<&RawValue> = match serde_json::from_str(journal) {
        Ok(records) => records,
        Err(error) if journal.trim_start().starts_with('[') => return Err(error),
        Err(_) => {
            stored = format!("[{}]", journal.trim_end().trim_end_matches(','));
            return records_of(&stored);
        }
    };
    Ok(join(&records))
}

fn records_of(array: &str) -> serde_json::Result<Vec<u8>> {
    Ok(join(&serde_json::from_str::<Vec<&RawValue>>(array)?))
}

fn join(records: &[&RawValue]) -> Vec<u8> {
    records.iter().flat_map(|record| [record.get().as_bytes(), b","].concat()).collect()
}

/// How the handler ended.
#[derive(Debug)]
struct End {
    output: Option<Box<RawValue>>,
    error: Option<Failure<'static>>,
}

/// What the code told.
#[derive(Debug, Default)]
struct Told {
    order: Option<(String, String)>,
    block: Option<BlockCause<'static>>,
    end: Option<End>,
    /// Steps that code asked for and that the history does not have as ended, in order.
    asked: Vec<Arc<str>>,
    /// Ended steps of the history that it did not ask for.
    unasked: Vec<Arc<str>>,
}

/// A process without a node.
struct Replay {
    clock: Arc<Virtual>,
    runtime: Arc<Runtime>,
    watcher: Arc<Watcher>,
    bell: Arc<Bell>,
    process: Process,
}

impl Replay {
    fn new(app: App) -> crate::error::Result<Self> {
        let (identity, handlers) = app.into_parts("replay".into())?;
        let (clock, runtime) = (Arc::new(Virtual::new(ORIGIN)), Arc::new(Runtime::new()?));
        let (watcher, bell) = (Arc::<Watcher>::default(), Arc::<Bell>::default());
        watcher.freeze();
        let parts = (identity, handlers);
        let session = Session::watched(parts, clock.clone(), runtime.clone(), watcher.clone());
        let process = Process::new(session, "replay".into(), bell.clone());
        Ok(Self { clock, runtime, watcher, bell, process })
    }

    fn tell(&mut self, message: &ToRunner<'_>) -> Result<(), Divergence> {
        let mut writer = frame::Writer::default();
        writer.push(message);
        let frame = writer.take().unwrap_or_default();
        self.watcher.on_said(&frame);
        let heard = self.process.session.on_frame(&frame, self.clock.now());
        heard.map_err(|fault: Fault| Divergence::new(None, fault))
    }

    fn play(&mut self, run: &Run, journal: &[u8]) -> Result<Told, Divergence> {
        self.watcher.on_start(run.id());
        self.process.session.on_connected(self.clock.now());
        self.tell(&ToRunner::Welcome(welcome()))?;
        let now = ended_at(run, journal);
        for message in activation_messages(run, HANDLE, journal, now) {
            self.tell(&forward(message))?;
        }
        let mut told = Told::default();
        let until = self.clock.now().after(WAIT);
        loop {
            self.settle(&mut told);
            if self.process.session.held() > 0 {
                told.unasked = self.process.session.unasked();
            }
            let next = self.process.session.next_deadline().filter(|next| *next <= until);
            let Some(next) = next.filter(|_| told.end.is_none() && told.block.is_none()) else {
                break;
            };
            self.clock.set(next.max(self.clock.now().after(Duration::from_micros(1))));
            self.process.session.on_time(self.clock.now());
        }
        let functions = self.watcher.places().into_iter().map(|place| place.step);
        told.asked = functions.collect();
        Ok(told)
    }

    /// Lets the code do what it can, and hears what it tells.
    fn settle(&mut self, told: &mut Told) {
        loop {
            let rung = self.bell.rung();
            let polled = {
                let _inside = self.runtime.handle().enter();
                self.process.poll()
            };
            while let Some(frame) = self.process.session.next_frame() {
                self.watcher.on_sent(&frame);
                told.hear(&frame);
            }
            if polled {
                continue;
            }
            // Functions are not called: what is waited for can only be the handler's own.
            if !self.process.awaits_others() || !self.bell.wait(rung, PATIENCE) {
                return;
            }
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _inside = self.runtime.handle().enter();
        self.process.session.close();
        self.process.drop_runs();
    }
}

impl Told {
    fn hear(&mut self, bytes: &[u8]) {
        let messages: Vec<ToNode<'_>> = frame::parse(bytes).unwrap_or_default();
        for message in messages {
            match message {
                ToNode::Order(order) => {
                    let (expected, found) = (order.expected.into_owned(), order.found.into_owned());
                    self.order.get_or_insert((expected, found));
                }
                ToNode::Block(block) => self.block = Some(block.cause.into_owned()),
                ToNode::Finished(finished) => self.end = Some(End::of(finished)),
                _ => {}
            }
        }
    }
}

impl End {
    fn of(finished: Finished<'_>) -> Self {
        let output = finished.output.map(ToOwned::to_owned);
        Self { output, error: finished.error.map(Failure::into_owned) }
    }

    /// Says how the handler ended, for people.
    fn shown(output: Option<&RawValue>, error: Option<&Failure<'_>>) -> String {
        match error {
            Some(error) => format!("fails with {}: {}", error.name, error.message),
            None => format!("gives {}", output.map_or("null", RawValue::get)),
        }
    }
}

/// Leaves out the clean-up of a run: what is looked at is what its handler does.
fn forward(mut message: ToRunner<'_>) -> ToRunner<'_> {
    let made = |kind| matches!(kind, Kind::Compensate | Kind::OnFailure);
    match &mut message {
        ToRunner::Activate(given) => {
            given.clean_up = None;
            given.ended.retain(|ended| !made(ended.kind));
            given.open.retain(|open| !made(open.kind));
        }
        ToRunner::History(more) => more.ended.retain(|ended| !made(ended.kind)),
        _ => {}
    }
    message
}

/// Terms of a node that lets nobody go for being silent.
fn welcome() -> Welcome {
    let limits = Limits::default();
    let day = 24 * 3_600 * 1_000;
    Welcome {
        server: env!("CARGO_PKG_VERSION").to_owned(),
        ping_ms: day,
        ttl_ms: day,
        linger_ms: limits.linger_ms,
        grace_ms: limits.grace_ms,
        payload_bytes_max: limits.payload_bytes_max as u64,
        steps_max: limits.steps_max,
        branches_max: limits.branches_max,
        credit_bytes: u64::from(u32::MAX),
    }
}

fn ended_at(run: &Run, journal: &[u8]) -> stepwell_core::time::Timestamp {
    let ends = record::decode(journal).filter_map(|record| match record {
        Ok(Record::StepEnded(ended)) => Some(ended.at),
        _ => None,
    });
    ends.max().unwrap_or_else(|| run.created_at())
}

/// Finds the first step at which the code goes another way.
fn judge(run: &Run, journal: &[u8], told: &Told) -> Result<(), Divergence> {
    if let Some(cause) = &told.block {
        let step = match cause {
            BlockCause::KindChanged { step, .. } => Some(&**step),
            BlockCause::OrderChanged { found, .. } => Some(&**found),
            _ => None,
        };
        return Err(Divergence::new(step, cause));
    }
    let unasked: Vec<String> = told.unasked.iter().map(|step| format!("`{step}`")).collect();
    let unasked = unasked.join(", ");
    let new = told.asked.iter().find(|step| run.step(step).is_none());
    let is_whole = run.status().is_ended();
    if let Some(step) = new.filter(|_| is_whole || !told.unasked.is_empty()) {
        let mut why = format!("the code asks for step `{step}`, which the history does not have");
        if !unasked.is_empty() {
            why = format!("{why}; it has not asked for {unasked}, which the history has");
        }
        return Err(Divergence::new(Some(step), why));
    }
    if let Some(step) = told.unasked.first() {
        let what = if told.end.is_some() { "ends" } else { "waits" };
        let why = format!("the code {what} without asking for {unasked}, which the history has");
        return Err(Divergence::new(Some(step), why));
    }
    if let Some((expected, found)) = &told.order {
        let why =
            format!("the code waits for step `{found}` before `{expected}`, whose end is earlier");
        return Err(Divergence::new(Some(found), why));
    }
    judge_end(journal, told)
}

/// Compares how the handler ended with how the history says that it did.
fn judge_end(journal: &[u8], told: &Told) -> Result<(), Divergence> {
    let ended = record::decode(journal).find_map(|record| match record {
        Ok(Record::Ended(ended)) => Some(ended),
        _ => None,
    });
    let Some(ended) = ended else { return Ok(()) };
    // Others end a run wherever its code stands.
    if !matches!(ended.status, RunStatus::Completed | RunStatus::Failed) {
        return Ok(());
    }
    let Some(end) = &told.end else {
        return Err(Divergence::new(None, "the code waits where the history says that it ended"));
    };
    let value = |raw: Option<&RawValue>| {
        serde_json::from_str::<Value>(raw.map_or("null", RawValue::get)).unwrap_or_default()
    };
    let named = |error: Option<&Failure<'_>>| {
        error.map(|error| (error.name.to_string(), error.message.to_string()))
    };
    let output = end.output.as_deref();
    let same = value(output) == value(ended.output)
        && named(end.error.as_ref()) == named(ended.error.as_ref());
    if same {
        return Ok(());
    }
    let now = End::shown(output, end.error.as_ref());
    let then = End::shown(ended.output, ended.error.as_ref());
    Err(Divergence::new(None, format!("the code {now} where the history {then}")))
}
