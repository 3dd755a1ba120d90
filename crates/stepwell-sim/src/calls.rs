//! Calls of steps' functions that are in progress, in whatever runner.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::clock::Micros;
use crate::history::{Call, Held, Process};
use crate::program::{Try, TryEnd};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It returned this text of JSON, or nothing.
    Returned(Option<Arc<str>>),
    /// It failed.
    Failed {
        /// Trying again is of no use.
        terminal: bool,
        /// It says in how many milliseconds to try again.
        retry_in_ms: Option<u64>,
    },
    /// It stopped for its signal.
    Stopped,
    /// It ended its process.
    Killed,
}

/// A call in progress.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The process.
    pub process: Process,
    /// The activation.
    pub held: Held,
    /// The step.
    pub step: Arc<str>,
    /// What it does.
    pub does: Try,
    /// When it ends, by true time.
    pub ends: Micros,
    stops: bool,
}

/// The calls in progress.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    running: BTreeMap<Call, Progress>,
    last: u32,
}

impl Calls {
    /// Notes a call that begins now.
    pub(crate) fn begin(&mut self, mut progress: Progress) -> Call {
        self.last += 1;
        progress.stops = false;
        self.running.insert(Call(self.last), progress);
        Call(self.last)
    }

    /// Makes a call's progress.
    pub(crate) fn progress(
        process: Process,
        held: Held,
        step: &Arc<str>,
        does: Try,
        now: Micros,
    ) -> Progress {
        let ends = now + does.takes;
        Progress { process, held, step: Arc::clone(step), does, ends, stops: false }
    }

    /// Gives a call its signal. Returns when it ends now, if that changed.
    pub(crate) fn signal(&mut self, call: Call, at: Micros) -> Option<Micros> {
        let progress = self.running.get_mut(&call)?;
        if !progress.does.heeds || progress.ends <= at || progress.does.end == TryEnd::Kills {
            return None;
        }
        progress.stops = true;
        progress.ends = at;
        Some(at)
    }

    /// Ends a call that is due at this moment; `None` when it is not.
    pub(crate) fn end(&mut self, call: Call, now: Micros) -> Option<(Progress, Outcome)> {
        if self.running.get(&call)?.ends != now {
            return None;
        }
        let progress = self.running.remove(&call)?;
        let outcome = if progress.stops { Outcome::Stopped } else { outcome(call, &progress.does) };
        Some((progress, outcome))
    }

    /// Returns the process of a call.
    pub(crate) fn process(&self, call: Call) -> Option<Process> {
        self.running.get(&call).map(|one| one.process)
    }

    /// Puts off the end of a call.
    pub(crate) fn put_off(&mut self, call: Call, ends: Micros) {
        if let Some(progress) = self.running.get_mut(&call) {
            progress.ends = ends;
        }
    }

    /// Ends a call whose future was dropped.
    pub(crate) fn forget(&mut self, call: Call) {
        self.running.remove(&call);
    }

    /// Ends the calls of a process that ended.
    pub(crate) fn drop_of(&mut self, process: Process) -> Vec<Call> {
        let mut gone = Vec::new();
        self.running.retain(|call, one| {
            let stays = one.process != process;
            if !stays {
                gone.push(*call);
            }
            stays
        });
        gone
    }
}

fn outcome(call: Call, does: &Try) -> Outcome {
    match does.end {
        TryEnd::Value(bytes) => {
            // Each call gives another result, and its spelling shows whether bytes are kept.
            let mut text = format!("{{ \"call\":{},", call.0);
            let _ = write!(text, "\t\"pad\": \"{}\"}}", "x".repeat(bytes));
            Outcome::Returned(Some(text.into()))
        }
        TryEnd::Nothing => Outcome::Returned(None),
        TryEnd::Fails => Outcome::Failed { terminal: false, retry_in_ms: None },
        TryEnd::Terminal => Outcome::Failed { terminal: true, retry_in_ms: None },
        TryEnd::RetryAfter(ms) => Outcome::Failed { terminal: false, retry_in_ms: Some(ms) },
        TryEnd::Kills => Outcome::Killed,
    }
}
