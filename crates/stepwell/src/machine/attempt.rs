//! Attempts end.

use std::sync::Arc;

use super::cell::Cell;
use super::line::{Level, Line};
use super::state::{Core, Failed, Out, Outcome, Phase, State};
use crate::duration::to_millis;
use crate::error::{Error, ErrorKind, cut_at};
use crate::signal::Signal;

impl Outcome {
    /// What an error of a step's function means for the step (§6.2).
    pub(crate) fn of_error(error: &Error) -> Self {
        Self::Failed(Box::new(Failed {
            failure: error.to_failure(),
            terminal: error.kind().is_terminal(),
            timed_out: false,
            retry_in_ms: error
                .retries_after()
                .filter(|_| error.kind() == ErrorKind::RetryAfter)
                .map(to_millis),
            verdict: error.found(),
        }))
    }
}

/// Most lines that wait to be sent, and the most bytes of each.
const LINES_MAX: usize = 10_000;
const LINE_BYTES_MAX: usize = 16 * 1024;

/// How long a line of a log may wait for others.
const LINES_WAIT: std::time::Duration = std::time::Duration::from_millis(200);

impl Cell {
    /// A step's function ended, having been called for attempt `n`.
    pub(crate) fn on_function_end(self: &Arc<Self>, place: usize, n: u32, outcome: Outcome) {
        self.warn_of_size(place, &outcome);
        let mut core = self.lock();
        let attempt = core.steps[place].attempt.as_ref().map(|attempt| attempt.n);
        // §6.4: a late result of an ended attempt changes nothing.
        if core.steps[place].state == State::Running && attempt == Some(n) {
            let verifies = core.steps[place].attempt.as_ref().is_some_and(|one| one.verifies);
            if verifies {
                self.end_verify(&mut core, place, outcome);
            } else {
                self.end_attempt(&mut core, place, outcome);
            }
            drop(core);
            self.notify_from_code();
        }
    }

    /// A blocking function ended, on a thread of its own.
    pub(crate) fn on_blocking_end(self: &Arc<Self>, place: usize, n: u32, outcome: Outcome) {
        self.warn_of_size(place, &outcome);
        let waker = {
            let mut core = self.lock();
            core.blocking -= 1;
            let step = &mut core.steps[place];
            let attempt = step.attempt.as_ref().map(|attempt| attempt.n);
            if step.state == State::Running && attempt == Some(n) {
                self.end_attempt(&mut core, place, outcome);
                None
            } else {
                step.stray = step.stray.saturating_sub(1);
                let waker = step.waker.clone();
                self.tell_who_waits(&core);
                waker
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.notify();
    }

    /// §12: a result that comes near to the limit says so before one is over it.
    fn warn_of_size(self: &Arc<Self>, place: usize, outcome: &Outcome) {
        let max = self.terms.payload_bytes_max;
        if let Outcome::Returned(Some(output)) = outcome
            && output.get().len() > max / 2
        {
            let bytes = output.get().len();
            let text =
                format!("the result has {bytes} bytes, more than half of the limit of {max}");
            self.log(Some(place), Level::Warn, text);
        }
    }

    pub(super) fn end_attempt(&self, core: &mut Core, place: usize, outcome: Outcome) {
        let now = self.now();
        if let Some(attempt) = &mut core.steps[place].attempt {
            attempt.ended_at = now;
            attempt.outcome = Some(outcome);
        }
        core.set(place, State::Telling);
        core.outbox.push_back(Out::Ended(place));
        self.tell_who_waits(core);
    }

    /// Without a connection the session may wait for functions to end, and for nothing else.
    fn tell_who_waits(&self, core: &Core) {
        if core.attached.is_none() {
            self.shared.timers.nudge();
        }
    }

    /// Returns the signal of the attempt in progress.
    pub(crate) fn signal(&self, place: usize) -> Signal {
        let mut core = self.lock();
        match &mut core.steps[place].attempt {
            Some(attempt) => attempt.signal.get_or_insert_default().clone(),
            None => Signal::default(),
        }
    }

    /// Code logged a line; `step` is absent for the handler.
    pub(crate) fn log(self: &Arc<Self>, step: Option<usize>, level: Level, message: String) {
        let now = self.now();
        let mut core = self.lock();
        // §2.3: what the handler logs is shown once, not again on replay.
        let replays = core.is_replaying() || core.phase == Phase::Gathering;
        if step.is_none() && replays {
            return;
        }
        self.print(&core, step, level, &message);
        if matches!(core.phase, Phase::Finished | Phase::Closed) {
            return;
        }
        let (level, message) = match core.lines.len() {
            0..LINES_MAX => (level, cut_at(message, LINE_BYTES_MAX)),
            LINES_MAX => (Level::Warn, "lines are left out: they come faster than they go".into()),
            _ => return,
        };
        core.lines.push_back(Line { step, at: now, level, message });
        // Where the thread is held by a function, nobody but the session sends the line.
        self.set_timer(&mut core, now.after(LINES_WAIT), None);
    }

    fn print(&self, core: &Core, step: Option<usize>, level: Level, message: &str) {
        let (run, workflow) = (self.info.run, &*self.info.workflow);
        let step = step.map_or("", |place| &*core.steps[place].id);
        match level {
            Level::Debug => tracing::debug!(%run, workflow, step, "{message}"),
            Level::Info => tracing::info!(%run, workflow, step, "{message}"),
            Level::Warn => tracing::warn!(%run, workflow, step, "{message}"),
            Level::Error => tracing::error!(%run, workflow, step, "{message}"),
        }
    }
}
