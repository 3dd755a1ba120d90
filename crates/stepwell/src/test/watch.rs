//! What functions and frames tell: calls, what is saved, and whether a crash point has come.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;
use stepwell_core::step_id::spelled;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::ToRunner;

use super::mock::{Call, StandIn};
use crate::session::{Begins, Watch};

/// A moment in the life of a step at which a process can die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrashAt {
    /// The step is about to begin: its function is not called.
    BeforeFunction,
    /// The function has ended; nobody was told.
    BeforeSend,
    /// The node has the result, durably; the process does not know.
    BeforeAcknowledgement,
    /// The process was told that the result is saved.
    AfterAcknowledgement,
}

impl CrashAt {
    /// Every moment, in order.
    pub const ALL: [Self; 4] = [
        Self::BeforeFunction,
        Self::BeforeSend,
        Self::BeforeAcknowledgement,
        Self::AfterAcknowledgement,
    ];
}

impl fmt::Display for CrashAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::BeforeFunction => "before its function",
            Self::BeforeSend => "after its function, before the result was sent",
            Self::BeforeAcknowledgement => "after the result was sent, before the acknowledgement",
            Self::AfterAcknowledgement => "after the acknowledgement",
        })
    }
}

/// An attempt of a step, or a step without a function (attempt 0), of the n-th run that was started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) run: usize,
    pub(super) step: Arc<str>,
    pub(super) attempt: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step `{}`", spelled(&self.step))?;
        if self.attempt > 1 {
            write!(f, ", attempt {}", self.attempt)?;
        }
        if self.run > 0 { write!(f, ", of run {}", self.run + 1) } else { Ok(()) }
    }
}

/// Where the process is to die. What is absent fits all.
#[derive(Clone, Debug)]
pub(super) struct Trap {
    pub(super) at: CrashAt,
    pub(super) step: Arc<str>,
    pub(super) run: Option<usize>,
    pub(super) attempt: Option<u32>,
}

/// What came to a crash point.
#[derive(Clone, Copy)]
enum Came {
    /// An attempt, or its end.
    Attempt(u32),
    /// The word that an attempt has failed and another one follows.
    Failure(u32),
}

#[derive(Debug, Default)]
struct Seen {
    runs: Vec<RunId>,
    mocks: Vec<StandIn>,
    traps: Vec<Trap>,
    /// The process is dead, and not yet taken away.
    struck: bool,
    /// No function is called, for replays.
    frozen: bool,
    /// Every attempt and step without a function that was met, in order.
    places: Vec<Place>,
    /// Steps whose end a process was told, by the number of the run.
    told: BTreeSet<(usize, Arc<str>)>,
    /// Steps that functions were called for or that ended, in order.
    steps: Vec<Arc<str>>,
    /// The attempt from which on functions may be called, by run and step.
    saved: BTreeMap<(RunId, Arc<str>), u32>,
    repeated: Vec<String>,
    /// Functions that start at most once and have started, until it is known that they did nothing.
    started: BTreeSet<(RunId, Arc<str>)>,
    /// Those that were ever met.
    once: BTreeSet<(RunId, Arc<str>)>,
    handles: HashMap<u32, RunId>,
}

/// Sees what functions and frames tell.
#[derive(Debug, Default)]
pub(super) struct Watcher(Mutex<Seen>);

impl Seen {
    fn number(&self, run: RunId) -> usize {
        self.runs.iter().position(|one| *one == run).unwrap_or(self.runs.len())
    }

    fn meet(&mut self, run: RunId, step: &str, attempt: u32) {
        let place = Place { run: self.number(run), step: Arc::from(step), attempt };
        if !self.steps.contains(&place.step) {
            self.steps.push(place.step.clone());
        }
        if !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    /// Returns the attempt by which a place is known. Lost starts of a function that starts at most
    /// once are counted, and so how many there are depends on where processes die.
    fn attempt_of(&self, run: RunId, step: &str, attempt: u32) -> u32 {
        let once = self.once.contains(&(run, Arc::from(step)));
        if once { attempt.min(1) } else { attempt }
    }

    /// Springs a trap, if there is one here.
    fn spring(&mut self, at: CrashAt, run: RunId, step: &str, came: Came) -> bool {
        let number = self.number(run);
        let fits = |trap: &Trap| {
            trap.at == at
                && spelled(&trap.step) == spelled(step)
                && trap.run.is_none_or(|run| run == number)
                && match (trap.attempt, came) {
                    (Some(wanted), Came::Attempt(one) | Came::Failure(one)) => wanted == one,
                    // What was asked for without an attempt is the step's result.
                    (None, came) => !matches!(came, Came::Failure(_)),
                }
        };
        let Some(found) = self.traps.iter().position(fits).filter(|_| !self.struck) else {
            return false;
        };
        self.traps.remove(found);
        self.struck = true;
        true
    }

    /// The process is told that a step has ended; tells whether it dies of it.
    fn end(&mut self, a: u32, step: &str) -> bool {
        let Some(run) = self.handles.get(&a).copied() else { return false };
        let number = self.number(run);
        self.told.insert((number, Arc::from(step)));
        // An end says no attempt: it is the last one that was met.
        let last = self.places.iter().filter(|one| one.run == number && *one.step == *step);
        let came = Came::Attempt(last.map(|one| one.attempt).max().unwrap_or(0));
        self.spring(CrashAt::AfterAcknowledgement, run, step, came)
    }

    fn add_run(&mut self, run: RunId) {
        if !self.runs.contains(&run) {
            self.runs.push(run);
        }
    }

    fn save(&mut self, run: RunId, step: &str, next: u32) {
        let saved = self.saved.entry((run, Arc::from(step))).or_default();
        *saved = next.max(*saved);
    }
}

impl Watcher {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn on_start(&self, run: RunId) {
        self.lock().add_run(run);
    }

    pub(super) fn runs(&self) -> Vec<RunId> {
        self.lock().runs.clone()
    }

    pub(super) fn mock(&self, mock: StandIn) {
        let mut seen = self.lock();
        seen.mocks.retain(|one| one.step != mock.step);
        seen.mocks.push(mock);
    }

    pub(super) fn trap(&self, trap: Trap) {
        self.lock().traps.push(trap);
    }

    /// Lets no function be called any more.
    pub(super) fn freeze(&self) {
        self.lock().frozen = true;
    }

    pub(super) fn is_struck(&self) -> bool {
        self.lock().struck
    }

    /// The process that was struck is gone.
    pub(super) fn bury(&self) {
        let mut seen = self.lock();
        seen.struck = false;
        seen.handles.clear();
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.lock().places.clone()
    }

    /// Returns the places that no process was told the end of: waits and pauses that go on.
    pub(super) fn open_ended(&self) -> Vec<Place> {
        let seen = self.lock();
        let told = |place: &&Place| seen.told.contains(&(place.run, place.step.clone()));
        seen.places.iter().filter(|place| place.attempt == 0 && !told(place)).cloned().collect()
    }

    /// Returns calls of functions whose result was saved before.
    pub(super) fn repeated(&self) -> Vec<String> {
        self.lock().repeated.clone()
    }

    /// Says which mocks and crash points were never met.
    pub(super) fn missed(&self) -> Option<String> {
        let seen = self.lock();
        let mocked = seen.mocks.iter().filter(|one| one.is_missed());
        let mocked = mocked.map(|one| format!("step `{}` was mocked and never came", one.step));
        let traps = seen.traps.iter();
        let traps = traps.map(|one| format!("no crash: step `{}` never came to it", one.step));
        let missed: Vec<String> = mocked.chain(traps).collect();
        if missed.is_empty() {
            return None;
        }
        let came: Vec<String> = seen.steps.iter().map(|step| format!("`{step}`")).collect();
        let came = if came.is_empty() { "none".to_owned() } else { came.join(", ") };
        Some(format!("{}; the steps that came: {came}", missed.join("; ")))
    }

    /// Forgets what was to come.
    pub(super) fn forget(&self) {
        let mut seen = self.lock();
        seen.mocks.clear();
        seen.traps.clear();
    }

    /// A frame is on its way to the node. Tells whether the process dies once it is there.
    pub(super) fn on_sent(&self, bytes: &[u8]) -> bool {
        let messages: Vec<ToNode<'_>> = frame::parse(bytes).unwrap_or_default();
        let mut seen = self.lock();
        for message in messages {
            let (a, step, attempt) = match &message {
                ToNode::Ended(ended) => (ended.a, &ended.step, ended.n),
                ToNode::Sleep(sleep) => (sleep.a, &sleep.step, 0),
                ToNode::Skip(skip) => (skip.a, &skip.step, 0),
                ToNode::Raced(raced) => (raced.a, &raced.step, 0),
                ToNode::Wait(wait) => (wait.a, &wait.step, 0),
                ToNode::Emit(emit) => (emit.a, &emit.step, 0),
                ToNode::Invoke(invoke) => (invoke.a, &invoke.step, 0),
                ToNode::Verified(verified) if verified.verdict == Verdict::NotDone => {
                    if let Some(run) = seen.handles.get(&verified.a).copied() {
                        seen.started.remove(&(run, Arc::from(&*verified.step)));
                    }
                    continue;
                }
                _ => continue,
            };
            let Some(run) = seen.handles.get(&a).copied() else { continue };
            let attempt = seen.attempt_of(run, step, attempt);
            seen.meet(run, step, attempt);
            if seen.spring(CrashAt::BeforeAcknowledgement, run, step, Came::Attempt(attempt)) {
                return true;
            }
        }
        false
    }

    /// The node says something, which may not arrive: what it says is saved.
    pub(super) fn on_said(&self, bytes: &[u8]) {
        let messages: Vec<ToRunner<'_>> = frame::parse(bytes).unwrap_or_default();
        let mut seen = self.lock();
        for message in messages {
            match &message {
                ToRunner::Activate(given) => {
                    seen.handles.insert(given.a, given.run);
                    // §6.5: steps that began anew are no longer saved.
                    seen.saved.retain(|(run, _), next| *run != given.run || *next != u32::MAX);
                    // An event may have started it.
                    seen.add_run(given.run);
                    for ended in &given.ended {
                        seen.save(given.run, &ended.step, u32::MAX);
                    }
                }
                ToRunner::Resumed(resumed) => {
                    seen.handles.insert(resumed.a, resumed.run);
                }
                ToRunner::Settled(settled) => {
                    if let Some(run) = seen.handles.get(&settled.a).copied() {
                        seen.save(run, &settled.step, u32::MAX);
                    }
                }
                ToRunner::Retry(retry) => {
                    if let Some(run) = seen.handles.get(&retry.a).copied() {
                        seen.save(run, &retry.step, retry.n);
                    }
                }
                _ => {}
            }
        }
    }

    /// A frame of the node has arrived. Tells whether the process dies of it.
    pub(super) fn on_came(&self, bytes: &[u8]) -> bool {
        let messages: Vec<ToRunner<'_>> = frame::parse(bytes).unwrap_or_default();
        let mut seen = self.lock();
        for message in messages {
            let dies = match &message {
                ToRunner::Settled(settled) => seen.end(settled.a, &settled.step),
                ToRunner::Retry(retry) => {
                    let came = Came::Failure(retry.n.saturating_sub(1));
                    let run = seen.handles.get(&retry.a).copied();
                    let at = CrashAt::AfterAcknowledgement;
                    run.is_some_and(|run| seen.spring(at, run, &retry.step, came))
                }
                // A sleep whose run was held by nobody ends with the next activation.
                ToRunner::Activate(given) => {
                    given.ended.iter().any(|ended| seen.end(given.a, &ended.step))
                }
                _ => false,
            };
            if dies {
                return true;
            }
        }
        false
    }
}

impl Watch for Watcher {
    fn begins(&self, call: Call) -> Begins {
        let (run, step, n) = (call.run, &*call.step, call.attempt);
        let mock = {
            let mut seen = self.lock();
            if call.once {
                seen.once.insert((run, call.step.clone()));
            }
            let place = seen.attempt_of(run, step, n);
            seen.meet(run, step, place);
            if seen.struck
                || seen.frozen
                || seen.spring(CrashAt::BeforeFunction, run, step, Came::Attempt(place))
            {
                return Begins::Never;
            }
            // §4.5: it may have done what must not be done twice.
            if call.once && !seen.started.insert((run, call.step.clone())) {
                let place = Place { run: seen.number(run), step: call.step.clone(), attempt: n };
                seen.repeated
                    .push(format!("{place}: it may start at most once, and started again"));
            }
            let saved = seen.saved.get(&(run, call.step.clone())).copied().unwrap_or(0);
            if n < saved {
                let number = seen.number(run);
                let place = Place { run: number, step: call.step.clone(), attempt: n };
                seen.repeated.push(format!("{place}: its function was called again"));
            }
            seen.mocks.iter().find(|mock| *mock.step == *spelled(&call.step)).cloned()
        };
        match mock {
            Some(mock) => Begins::Ends(mock.call(&call)),
            None => Begins::Call,
        }
    }

    fn ended(&self, run: RunId, step: &str, attempt: u32) {
        let mut seen = self.lock();
        let attempt = seen.attempt_of(run, step, attempt);
        seen.spring(CrashAt::BeforeSend, run, step, Came::Attempt(attempt));
    }
}
