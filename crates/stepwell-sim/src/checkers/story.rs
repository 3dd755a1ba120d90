//! The history with its journals read: what checkers look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;
use stepwell_core::operation::Operation;
use stepwell_core::record::{self, Acted, BlockCause, Continues, Record, Started};
use stepwell_core::run::Run;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

use crate::clock::Micros;
use crate::history::{Fact, ReadBack};
use crate::program::{Input, Program};

/// A record, without what no checker looks at.
#[derive(Clone, Debug)]
pub(super) enum Noted {
    Started,
    Activated {
        at: Timestamp,
        epoch: u32,
        nonce: u64,
        instance: Arc<str>,
        alone: bool,
    },
    Released,
    Lost {
        counted: bool,
    },
    AttemptFailed {
        step: Arc<str>,
        n: u32,
        next_at: Timestamp,
    },
    SleepStarted {
        step: Arc<str>,
        until: Timestamp,
    },
    ChildStarted {
        step: Arc<str>,
        child: RunId,
    },
    StepEnded {
        step: Arc<str>,
        at: Timestamp,
        status: StepStatus,
        n: u32,
        output: Option<Arc<str>>,
        /// The event that ended it.
        event: Option<Arc<str>>,
        /// It ended in a run that this one is made of.
        kept: bool,
    },
    WaitStarted {
        step: Arc<str>,
        at: Timestamp,
        since: Timestamp,
        until: Option<Timestamp>,
    },
    Looked,
    Blocked {
        crashes: bool,
        engine: bool,
        /// What is to be taken back and code did not reach.
        lost: Vec<Arc<str>>,
        bytes: Option<(u64, u64)>,
    },
    Unblocked,
    Acted {
        at: Timestamp,
        act: Operation,
        signed: bool,
        /// The step that it is about.
        step: Option<Arc<str>>,
    },
    Ending {
        at: Timestamp,
        status: RunStatus,
    },
    CleanUp {
        compensate: Vec<(Arc<str>, bool)>,
        on_failure: bool,
        uncertain: Vec<Arc<str>>,
        evicts: bool,
    },
    Retried {
        error: String,
        next_at: Timestamp,
    },
    Ended {
        status: RunStatus,
        output: Option<Arc<str>>,
        error: Option<String>,
        continued: Option<RunId>,
    },
    /// `once` is said by the first record of a step.
    StepStarted {
        step: Arc<str>,
        n: u32,
        once: bool,
    },
    Verified {
        step: Arc<str>,
        verdict: Verdict,
    },
    LateCancel,
    OrderChanged,
    Other,
}

impl Noted {
    /// Tells whether the handler has ended, and the run goes on without this copy of it: no runner
    /// gives it back (§6.5, §7.5).
    pub(super) fn leaves_runner(&self) -> bool {
        matches!(self, Self::Retried { .. } | Self::CleanUp { evicts: false, .. })
    }
}

/// A record and when it became durable.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) noted: Noted,
    /// By true time; the end of time when it is not known to be.
    pub(super) durable: Micros,
    /// When it was given to the store, by true time and by engine time.
    pub(super) given: Option<(Micros, Timestamp)>,
}

/// A run that another one is made of.
#[derive(Clone, Debug)]
pub(super) struct MadeOf {
    pub(super) source: RunId,
    /// The step from which it goes on; from its beginning where absent.
    pub(super) from: Option<Arc<str>>,
    pub(super) signed: bool,
}

/// A run with its whole journal.
#[derive(Debug)]
pub(super) struct Tale {
    pub(super) input: Option<Input>,
    pub(super) workflow: Arc<str>,
    pub(super) key: Option<Arc<str>>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    /// The run and step that invoked it.
    pub(super) parent: Option<(RunId, Arc<str>)>,
    /// The run before it in its chain, and the first of that.
    pub(super) continues: Option<Continues>,
    /// The run that it is made of by an operator.
    pub(super) made_of: Option<MadeOf>,
    pub(super) program: Option<Arc<Program>>,
    pub(super) lines: Vec<Line>,
}

impl Tale {
    /// Returns the ends of steps in their order.
    pub(super) fn ends(&self) -> impl Iterator<Item = (&Line, &Arc<str>, StepStatus)> {
        self.lines.iter().filter_map(|line| match &line.noted {
            Noted::StepEnded { step, status, .. } => Some((line, step, *status)),
            _ => None,
        })
    }

    /// Returns the run that goes on with it.
    pub(super) fn continued(&self) -> Option<RunId> {
        self.lines.iter().find_map(|line| match &line.noted {
            Noted::Ended { continued, .. } => *continued,
            _ => None,
        })
    }

    /// Returns the end of the run.
    pub(super) fn end(&self) -> Option<(&Line, RunStatus)> {
        self.lines.iter().find_map(|line| match &line.noted {
            Noted::Ended { status, .. } => Some((line, *status)),
            _ => None,
        })
    }
}

/// The row that a journal gives, or why it gives none.
type Derived = Result<Arc<Summary>, String>;

/// What was read of the store at one moment, and what follows from its journals.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) at: Micros,
    pub(super) read: &'a ReadBack,
    /// The rows that the journals give.
    pub(super) rows: BTreeMap<RunId, Derived>,
}

/// The history with its journals read.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) facts: &'a [(Micros, Fact)],
    pub(super) readings: Vec<Reading<'a>>,
    /// Runs as the store had them at last.
    pub(super) runs: BTreeMap<RunId, Tale>,
}

/// A batch that was given: when, by true time and by engine time, and how many bytes of which runs.
type Given = (Micros, Timestamp, Vec<(RunId, u64)>);

type Growth = BTreeMap<RunId, Vec<(u64, Micros, Option<(Micros, Timestamp)>)>>;

impl<'a> Story<'a> {
    /// Reads the journals of a history.
    pub(super) fn of(facts: &'a [(Micros, Fact)]) -> Self {
        let readings = readings(facts);
        let growth = growth(facts);
        let last = readings.last().map(|reading| &reading.read.journals[..]).unwrap_or_default();
        let tale =
            |(run, journal): &(RunId, Arc<[u8]>)| Some((*run, tale(*run, journal, &growth)?));
        Self { facts, runs: last.iter().filter_map(tale).collect(), readings }
    }
}

impl Story<'_> {
    /// Returns the last run of a chain that is there.
    pub(super) fn last_of(&self, run: RunId) -> RunId {
        let mut last = run;
        while let Some(next) = self.runs.get(&last).and_then(Tale::continued) {
            last = next;
        }
        last
    }
}

fn readings(facts: &[(Micros, Fact)]) -> Vec<Reading<'_>> {
    let mut known: BTreeMap<RunId, (Arc<[u8]>, Derived)> = BTreeMap::new();
    let mut readings = Vec::new();
    for (at, fact) in facts {
        let Fact::Read(read) = fact else { continue };
        let mut rows = BTreeMap::new();
        for (run, journal) in &read.journals {
            let same = known.get(run).filter(|(bytes, _)| bytes == journal);
            let row = same.map_or_else(|| row_of(*run, journal), |(_, row)| row.clone());
            known.insert(*run, (Arc::clone(journal), row.clone()));
            rows.insert(*run, row);
        }
        readings.push(Reading { at: *at, read, rows });
    }
    readings
}

fn row_of(run: RunId, journal: &[u8]) -> Result<Arc<Summary>, String> {
    let replayed = Run::replay(run, journal).map_err(|error| error.to_string())?;
    Ok(Arc::new(Summary::of(&replayed)))
}

/// How long each journal was known to be when, in bytes.
fn growth(facts: &[(Micros, Fact)]) -> Growth {
    let mut growth = Growth::new();
    let mut given: BTreeMap<u32, Given> = BTreeMap::new();
    for (now, fact) in facts {
        match fact {
            Fact::Given { batch, at, runs, .. } => {
                let size = |one: &crate::history::Written| (one.run, one.records.len() as u64);
                given.insert(*batch, (*now, *at, runs.iter().map(size).collect()));
            }
            Fact::Durable { batch } => {
                let Some((given_at, engine, runs)) = given.remove(batch) else { continue };
                for (run, bytes) in runs {
                    let run = growth.entry(run).or_default();
                    let before = run.last().map_or(0, |(len, ..)| *len);
                    run.push((before + bytes, *now, Some((given_at, engine))));
                }
            }
            Fact::Turned { batch } => {
                given.remove(batch);
            }
            Fact::Down => given.clear(),
            Fact::Read(read) => {
                for (run, journal) in &read.journals {
                    let run = growth.entry(*run).or_default();
                    let bytes = journal.len() as u64;
                    if run.last().is_none_or(|(len, ..)| *len < bytes) {
                        run.push((bytes, *now, None));
                    }
                }
            }
            _ => {}
        }
    }
    growth
}

fn tale(run: RunId, journal: &[u8], growth: &Growth) -> Option<Tale> {
    let growth = growth.get(&run).map(Vec::as_slice).unwrap_or_default();
    let mut tale = Tale {
        input: None,
        workflow: Arc::from(""),
        key: None,
        deadline: None,
        not_before: None,
        parent: None,
        continues: None,
        made_of: None,
        program: None,
        lines: Vec::new(),
    };
    let mut end = 0_u64;
    for record in record::decode(journal) {
        let record = record.ok()?;
        if let Record::Started(started) = &record {
            tale.input = Input::read(started.input);
            tale.workflow = Arc::from(&*started.workflow);
            tale.key = started.key.as_deref().map(Arc::from);
            tale.deadline = started.deadline;
            tale.not_before = started.not_before;
            let parent = started.parent.as_ref();
            tale.parent = parent.map(|parent| (parent.run, Arc::from(&*parent.step)));
            tale.continues = started.continues;
            tale.made_of = made_of(started);
            tale.program = tale.input.as_ref().map(Program::of);
        }
        end = end_of(journal, end);
        let grown = growth.iter().find(|(len, ..)| *len >= end);
        tale.lines.push(Line {
            noted: noted(record),
            durable: grown.map_or(Micros::MAX, |(_, at, _)| *at),
            given: grown.and_then(|(.., given)| *given),
        });
    }
    Some(tale)
}

/// Returns where the record that begins at `start` ends, its comma included: records are objects, and
/// the next one begins after `},` where brackets and texts are closed.
fn end_of(journal: &[u8], start: u64) -> u64 {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let (mut depth, mut text, mut escaped) = (0_u32, false, false);
    for (at, byte) in journal.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            _ if text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at as u64 + 2;
                }
            }
            _ => {}
        }
    }
    journal.len() as u64
}

fn made_of(started: &Started<'_>) -> Option<MadeOf> {
    let signed = started.by.is_some() && started.reason.is_some();
    let of = |source, from| MadeOf { source, from, signed };
    let forked = started.forked_from.as_ref();
    let forked = forked.map(|from| of(from.run, Some(Arc::from(&*from.step))));
    forked.or_else(|| started.rerun_of.map(|source| of(source, None)))
}

fn noted(record: Record<'_>) -> Noted {
    match record {
        Record::Started(_) => Noted::Started,
        Record::Activated(r) => Noted::Activated {
            at: r.at,
            epoch: r.epoch,
            nonce: r.nonce,
            instance: Arc::from(&*r.instance),
            alone: r.alone,
        },
        Record::Released(_) => Noted::Released,
        Record::Lost(r) => Noted::Lost { counted: r.counted },
        Record::AttemptFailed(r) => {
            Noted::AttemptFailed { step: Arc::from(&*r.step), n: r.attempt.n, next_at: r.next_at }
        }
        Record::SleepStarted(r) => {
            Noted::SleepStarted { step: Arc::from(&*r.step), until: r.until }
        }
        Record::ChildStarted(r) => {
            Noted::ChildStarted { step: Arc::from(&*r.step), child: r.child }
        }
        Record::StepEnded(r) => Noted::StepEnded {
            step: Arc::from(&*r.step),
            at: r.at,
            status: r.status,
            n: r.attempt.map_or(0, |attempt| attempt.n),
            output: r.output.map(|raw| Arc::from(raw.get())),
            event: r.event.map(|id| Arc::from(&*id)),
            kept: r.open.is_some_and(|open| open.kept_from.is_some()),
        },
        Record::Blocked(r) => blocked(&r.cause),
        Record::Unblocked(_) => Noted::Unblocked,
        Record::Acted(r) => acted(r),
        Record::Ending(r) => Noted::Ending { at: r.at, status: r.status },
        Record::CleanUp(r) => Noted::CleanUp {
            compensate: r.compensate.iter().map(|c| (Arc::from(&*c.step), c.unknown)).collect(),
            on_failure: r.on_failure,
            uncertain: r.uncertain.iter().map(|step| Arc::from(&**step)).collect(),
            evicts: r.evicts,
        },
        Record::Retried(r) => {
            Noted::Retried { error: r.error.name.into_owned(), next_at: r.next_at }
        }
        Record::Ended(r) => Noted::Ended {
            status: r.status,
            output: r.output.map(|raw| Arc::from(raw.get())),
            error: r.error.map(|error| error.name.into_owned()),
            continued: r.continued_as,
        },
        Record::StepStarted(r) => Noted::StepStarted {
            step: Arc::from(&*r.step),
            n: r.attempt.n,
            once: r.open.is_some_and(|open| open.once.is_some()),
        },
        Record::Verified(r) => Noted::Verified { step: Arc::from(&*r.step), verdict: r.verdict },
        Record::CancelNoted(_) => Noted::LateCancel,
        Record::RaceStarted(_) | Record::SearchSet(_) | Record::Woken(_) | Record::Logged(_) => {
            Noted::Other
        }
        Record::OrderChanged(_) => Noted::OrderChanged,
        Record::Looked(_) => Noted::Looked,
        Record::WaitStarted(r) => Noted::WaitStarted {
            step: Arc::from(&*r.step),
            at: r.at,
            since: r.since,
            until: r.until,
        },
    }
}

fn acted(r: Acted<'_>) -> Noted {
    let signed = r.by.is_some() && r.reason.is_some();
    let step = r.step.map(|step| Arc::from(&*step));
    Noted::Acted { at: r.at, act: r.act, signed, step }
}

fn blocked(cause: &BlockCause<'_>) -> Noted {
    Noted::Blocked {
        crashes: matches!(cause, BlockCause::CrashesRunner { .. }),
        engine: !matches!(
            cause,
            BlockCause::CrashesRunner { .. }
                | BlockCause::JournalFull { .. }
                | BlockCause::StepsFull { .. }
                | BlockCause::OutcomeUnknown { .. }
        ),
        lost: match cause {
            BlockCause::CleanUpLost { steps } => steps.iter().map(|s| Arc::from(&**s)).collect(),
            _ => Vec::new(),
        },
        bytes: match cause {
            BlockCause::JournalFull { bytes, limit } => Some((*bytes, *limit)),
            _ => None,
        },
    }
}
