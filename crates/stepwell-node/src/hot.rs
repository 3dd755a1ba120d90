//! Runs in memory: loading them, applying commands to them, dropping them when they are cold.

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::run::{Command, Env, Outcome, Rejection, Run};
use stepwell_core::time::Timestamp;
use stepwell_store::shared::Away;

use crate::defer::Deferred;
use crate::enquiry::Enquiry;
use crate::input::SessionId;
use crate::look::Looking;
use crate::meter::Counted;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::sharing::Left;

/// A run that a runner holds, as this node knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The connection; absent while the runner is away.
    pub(crate) session: Option<SessionId>,
    /// Its handle there.
    pub(crate) a: u32,
    /// The fence.
    pub(crate) epoch: u32,
    /// No code of it is in progress: it takes no slot.
    pub(crate) idle: bool,
}

/// Whether the journal of a run in memory is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    No,
    Asked,
    /// Records were written meanwhile: what is read is too old.
    Outdated,
}

/// A run in memory.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) run: Run,
    /// Its start is durable. Until then nothing is done with it that came after, since the store may
    /// refuse the start.
    born: bool,
    /// Batches with records of it that are open or given out.
    pub(crate) unwritten: u32,
    pub(crate) held: Option<Held>,
    /// The timer of it that stands among the near ones.
    pub(crate) timer: Option<Timestamp>,
    /// What waits for its journal; asked for when all its records are written.
    pub(crate) reads: Vec<Deferred>,
    reading: Reading,
    pub(crate) counted: Counted,
    /// Steps for which somebody looks for events: the run stays, without a timer.
    pub(crate) looking: Vec<Looking>,
    /// How many runs had been claimed when this one was, in a shared store.
    claimed: u64,
    /// The batch that is on its way releases it: what comes now is done once it is claimed again.
    leaving: bool,
}

impl Live {
    fn of(run: Run) -> Self {
        Self {
            run,
            born: false,
            unwritten: 0,
            held: None,
            timer: None,
            reads: Vec::new(),
            reading: Reading::No,
            counted: Counted::default(),
            looking: Vec::new(),
            claimed: 0,
            leaving: false,
        }
    }

    /// Tells whether nobody holds the run and nothing of it is on its way.
    pub(crate) fn is_cold(&self) -> bool {
        let unheld = self.held.is_none() && self.run.activation().is_none();
        unheld && self.born && self.unwritten == 0 && self.looking.is_empty()
    }

    /// What is written of it next may be refused: as with a start, nothing that comes after is done
    /// before that is durable.
    pub(crate) fn join(&mut self) {
        self.born = false;
        self.unwritten += 1;
    }

    /// Returns when the run is to be fired; what is looked for is not waited for.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.run.next_timer().filter(|_| self.looking.is_empty())
    }
}

#[derive(Debug)]
enum Place {
    Loading(Vec<Deferred>),
    Live(Box<Live>),
}

/// The runs in memory.
#[derive(Debug, Default)]
pub(crate) struct Hot {
    runs: FxHashMap<RunId, Place>,
}

impl Hot {
    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(crate) fn live(&mut self, run: RunId) -> Option<&mut Live> {
        match self.runs.get_mut(&run) {
            Some(Place::Live(live)) => Some(live),
            Some(Place::Loading(_)) | None => None,
        }
    }

    /// Tells whether the run is in memory, or about to be.
    pub(crate) fn contains(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Returns how many runs had been claimed when this one was.
    pub(crate) fn claimed(&self, run: RunId) -> u64 {
        match self.runs.get(&run) {
            Some(Place::Live(live)) => live.claimed,
            Some(Place::Loading(_)) | None => 0,
        }
    }

    /// Tells whether a run that is being written is in memory for nothing else. Whoever asks releases it.
    pub(crate) fn leaves(&mut self, run: RunId) -> bool {
        let Some(Place::Live(live)) = self.runs.get_mut(&run) else { return false };
        live.leaving = live.held.is_none()
            && live.run.activation().is_none()
            && live.unwritten == 1
            && live.reading == Reading::No
            && live.reads.is_empty()
            && live.looking.is_empty();
        live.leaving
    }

    /// Takes what waits for a run that is not to be had.
    pub(crate) fn cannot_load(&mut self, run: RunId) -> Vec<Deferred> {
        match self.runs.get(&run) {
            Some(Place::Loading(_)) => {}
            Some(Place::Live(_)) | None => return Vec::new(),
        }
        match self.runs.remove(&run) {
            Some(Place::Loading(waiting)) => waiting,
            Some(Place::Live(_)) | None => Vec::new(),
        }
    }

    pub(crate) fn run(&self, run: RunId) -> Option<&Run> {
        match self.runs.get(&run) {
            Some(Place::Live(live)) => Some(&live.run),
            Some(Place::Loading(_)) | None => None,
        }
    }

    /// Adds a new run, whose start is about to be written.
    pub(crate) fn insert_new(&mut self, run: Run) {
        self.insert(Live { unwritten: 1, counted: Counted::NOT_YET, ..Live::of(run) });
    }

    /// Adds a run that was read. Its timer, if near, stands among the near ones already.
    fn insert_read(&mut self, run: Run) {
        let timer = run.next_timer();
        self.insert(Live { born: true, timer, ..Live::of(run) });
    }

    fn insert(&mut self, live: Live) {
        self.runs.insert(live.run.id(), Place::Live(Box::new(live)));
    }

    pub(crate) fn remove(&mut self, run: RunId) -> Option<Box<Live>> {
        match self.runs.remove(&run) {
            Some(Place::Live(live)) => Some(live),
            Some(Place::Loading(_)) | None => None,
        }
    }
}

impl Node {
    /// Does something with a run, now or when its journal has been read.
    pub(crate) fn with_run(&mut self, run: RunId, what: Deferred, out: &mut Outputs) {
        match self.hot.runs.get_mut(&run) {
            Some(Place::Loading(waiting)) => waiting.push(what),
            Some(Place::Live(live)) => {
                if live.born && !live.leaving && !what.needs_journal() {
                    self.perform(run, what, &[], out);
                    return;
                }
                live.reads.push(what);
                self.read_if_written(run, out);
            }
            None if self.config.shared && what.only_looks() => self.peek(run, what, out),
            None => {
                self.hot.runs.insert(run, Place::Loading(vec![what]));
                self.commits.keep(run);
                self.load(run, out);
            }
        }
    }

    fn load(&self, run: RunId, out: &mut Outputs) {
        out.list.push(if self.config.shared {
            Output::Enquire(Enquiry::Claim(run))
        } else {
            Output::Load(run)
        });
    }

    /// A journal is read only when all of the run's records are in it.
    fn read_if_written(&mut self, run: RunId, out: &mut Outputs) {
        let Some(live) = self.hot.live(run) else {
            return;
        };
        if live.unwritten == 0 && live.reading == Reading::No && !live.reads.is_empty() {
            live.reading = Reading::Asked;
            self.load(run, out);
        }
    }

    pub(crate) fn on_loaded(
        &mut self,
        run: RunId,
        (journal, away): (Result<Option<Vec<u8>>, stepwell_store::Error>, Option<Away>),
        out: &mut Outputs,
    ) {
        if let Some(live) = self.hot.live(run) {
            let reading = std::mem::replace(&mut live.reading, Reading::No);
            if reading == Reading::Outdated || live.unwritten > 0 {
                // It changed meanwhile: what waits is done when that is written and read.
                return self.read_if_written(run, out);
            }
            let reads = std::mem::take(&mut live.reads);
            let whole = live.run.journal_bytes();
            match journal {
                Ok(Some(bytes)) if bytes.len() as u64 == whole => {
                    self.perform_all(run, reads, bytes, out);
                }
                // It was deleted since it came into memory, which only what has ended is.
                Ok(None) if live.run.status().is_ended() => {
                    self.missing(run, reads, None, out);
                    self.cool_down(run, out);
                }
                Ok(bytes) => {
                    let found = bytes.map_or(0, |bytes| bytes.len());
                    let why = format!("{found} bytes are stored, {whole} were written");
                    let error = stepwell_store::Error::Quarantined { run, why };
                    self.missing(run, reads, Some(&error), out);
                    self.cool_down(run, out);
                }
                Err(error) => {
                    self.missing(run, reads, Some(&error), out);
                    self.cool_down(run, out);
                }
            }
            return;
        }
        let Some(Place::Loading(waiting)) = self.hot.runs.remove(&run) else {
            return;
        };
        let Some((waiting, journal)) = self.read_in(run, waiting, journal, out) else { return };
        if self.config.shared {
            self.follow(run);
            self.await_runner(run, away);
            if let Some(live) = self.hot.live(run) {
                // Timers of runs that are not in memory are nobody's here.
                live.timer = None;
                self.inbox.claims += 1;
                live.claimed = self.inbox.claims;
            }
            self.set_timer(run);
        }
        self.perform_all(run, waiting, journal, out);
    }

    /// Brings a run into memory, with its journal.
    pub(crate) fn read_in(
        &mut self,
        run: RunId,
        waiting: Vec<Deferred>,
        journal: Result<Option<Vec<u8>>, stepwell_store::Error>,
        out: &mut Outputs,
    ) -> Option<(Vec<Deferred>, Vec<u8>)> {
        let journal = match journal {
            Ok(Some(journal)) => journal,
            Ok(None) => {
                self.missing(run, waiting, None, out);
                return None;
            }
            Err(error) => {
                self.missing(run, waiting, Some(&error), out);
                return None;
            }
        };
        match Run::replay(run, &journal) {
            Ok(state) => {
                self.hot.insert_read(state);
                Some((waiting, journal))
            }
            Err(error) => {
                let why = error.to_string();
                let error = stepwell_store::Error::Quarantined { run, why };
                self.missing(run, waiting, Some(&error), out);
                None
            }
        }
    }

    /// Does what waited for the journal. What needs it after the run was changed waits again: the
    /// journal that was read does not have the change.
    fn perform_all(
        &mut self,
        run: RunId,
        waiting: Vec<Deferred>,
        journal: Vec<u8>,
        out: &mut Outputs,
    ) {
        for what in waiting {
            match self.hot.live(run) {
                Some(live) if live.unwritten > 0 && what.needs_journal() => live.reads.push(what),
                Some(_) | None => self.perform(run, what, &journal, out),
            }
        }
        self.give_at_once(run, journal, out);
        self.cool_down(run, out);
    }

    /// Gives a run that was read, and then woken, to a runner in the commit that wakes it.
    fn give_at_once(&mut self, run: RunId, mut journal: Vec<u8>, out: &mut Outputs) {
        let Some(live) = self.hot.live(run) else { return };
        let only = live.unwritten == 1 && live.reads.is_empty() && live.looking.is_empty();
        let whole = live.run.journal_bytes();
        if !only || live.held.is_some() || live.run.ready_since().is_none() {
            return;
        }
        let Some(records) = self.commits.records(run) else { return };
        journal.extend_from_slice(records);
        if journal.len() as u64 == whole {
            self.try_at_once(run, &journal, out);
        }
    }

    /// Applies a command to a run in memory, adds its records to the open batch and hangs its
    /// effects on that. `output` is what the handler or child returned, where the command is its end.
    pub(crate) fn apply(
        &mut self,
        id: RunId,
        command: Command<'_>,
        output: Option<&RawValue>,
    ) -> Result<(), Rejection> {
        let entropy = self.entropy();
        let Some(live) = self.hot.live(id) else {
            return Err(Rejection::NotReady);
        };
        let env = Env { now: self.now, entropy, limits: &self.config.limits };
        let mut outcome = Outcome::default();
        let steps_before = live.run.steps().len();
        live.run.apply(command, env, &mut outcome)?;
        let begun = live.run.steps().len().saturating_sub(steps_before);
        let held = live.held;
        if !outcome.records.is_empty() && self.commits.add(id, &outcome.records) {
            live.unwritten += 1;
        }
        if begun > 0 {
            self.count_steps(id, begun);
        }
        for effect in outcome.effects {
            self.stage(id, held, effect, output);
        }
        self.after_change(id);
        Ok(())
    }

    /// Keeps what is derived from a run's state in step with it.
    pub(crate) fn after_change(&mut self, id: RunId) {
        let Some(live) = self.hot.live(id) else {
            return;
        };
        if live.run.activation().is_none()
            && let Some(held) = live.held.take()
        {
            self.let_go(id, held);
        }
        self.set_timer(id);
    }

    /// All records of a batch that holds this run's are durable.
    pub(crate) fn on_written(&mut self, id: RunId, out: &mut Outputs) {
        self.count_start(id);
        let Some(live) = self.hot.live(id) else {
            return;
        };
        live.born = true;
        if live.reading != Reading::No {
            live.reading = Reading::Outdated;
        }
        live.unwritten = live.unwritten.saturating_sub(1);
        if live.unwritten > 0 {
            return;
        }
        // The horizon may have moved while the records were on their way to the store.
        live.timer = live.next_timer();
        if let Some(at) = live.timer {
            self.timers.insert_near(at, id);
        }
        self.on_key_written(id, out);
        self.cool_down(id, out);
    }

    /// Drops a run that nothing in memory needs, and queues one that wants a runner.
    pub(crate) fn cool_down(&mut self, id: RunId, out: &mut Outputs) {
        let Some(live) = self.hot.live(id) else {
            return;
        };
        if live.leaving && live.unwritten == 0 {
            let left = Left::of(&live.run);
            self.has_left(left);
            return self.leave(id, out);
        }
        if live.unwritten > 0 || live.reading != Reading::No || !live.reads.is_empty() {
            self.read_if_written(id, out);
            return;
        }
        if self.config.shared {
            return self.cool_down_shared(id, out);
        }
        if live.held.is_some() || live.run.activation().is_some() || !live.looking.is_empty() {
            return;
        }
        let ready = live.run.ready_since();
        let Some(live) = self.hot.remove(id) else {
            return;
        };
        if let Some(since) = ready {
            self.enqueue(&live.run, since);
        }
    }

    /// Drops a new run whose start was refused.
    pub(crate) fn forget_unborn(
        &mut self,
        id: RunId,
        why: &stepwell_store::Error,
        out: &mut Outputs,
    ) {
        let Some(live) = self.hot.remove(id) else {
            return;
        };
        if let Some(held) = live.held {
            self.let_go(id, held);
        }
        if let Some(at) = live.timer {
            self.timers.remove(at, id);
        }
        self.missing(id, live.reads, Some(why), out);
        self.refuse_waiters(id, why, out);
        self.on_key_written(id, out);
    }
}
