//! Steps: functions, pauses, notes.

use alloc::sync::Arc;

use super::act::{AttemptError, EndStep, SleepStep, StartStep};
use super::command::{Change, Effect, Rejection};
use super::state::Step;
use crate::failure::{Failure, names};
use crate::payload;
use crate::planted::{self, Plant};
use crate::record::{
    Attempt, AttemptFailed, BlockCause, Opening, Record, SleepStarted, StepEnded, StepStarted,
};
use crate::status::{Kind, StepStatus};
use crate::time::Timestamp;

/// What a message about a step meets.
pub(super) enum Known {
    /// The step is new and may begin.
    New,
    /// The step is open; this many of its attempts have ended.
    Open { attempts: u32, first_started: Option<Timestamp> },
    /// The step has ended: what is told of it again changes nothing.
    Ended,
}

impl Change<'_, '_> {
    pub(super) fn start_step(&mut self, start: StartStep<'_>) -> Result<(), Rejection> {
        let kind = self.kind_of_function(&start.step, start.open.as_ref());
        match self.look_up(&start.step, kind, start.open.as_ref())? {
            Known::Ended => return Ok(()),
            Known::Open { attempts, .. } if start.attempt.n <= attempts => return Ok(()),
            Known::Open { attempts, .. } => is_next(&start.step, attempts, start.attempt)?,
            Known::New if kind == Kind::Run && self.is_full() => return Ok(()),
            Known::New => is_next(&start.step, 0, start.attempt)?,
        }
        if self.run.step(&start.step).is_some_and(|step| step.running == Some(self.run.epoch)) {
            self.tell_begin(&start.step);
            return Ok(());
        }
        if self.run.step(&start.step).is_some_and(Step::is_in_doubt) {
            // §4.5: not before it is found out how the last start ended.
            return Ok(());
        }
        let open = start.open.filter(|_| self.run.step(&start.step).is_none());
        let id = start.step.clone();
        self.push(&Record::StepStarted(StepStarted {
            step: start.step,
            attempt: start.attempt,
            open,
        }));
        self.tell_begin(&id);
        Ok(())
    }

    /// §4.5: a function that starts at most once is called when its start is durable.
    fn tell_begin(&mut self, step: &str) {
        if let Some(step) = self.run.step(step).filter(|step| step.once.is_some()) {
            let effect = Effect::Begin { step: step.id.clone(), n: step.attempts + 1 };
            self.effect(effect);
        }
    }

    /// §4.5: of such a step nothing ends that was not recorded to begin.
    fn is_begun(&self, end: &EndStep<'_>) -> bool {
        let once = |open: &Opening<'_>| open.once.is_some();
        match self.run.step(&end.step) {
            Some(step) => step.once.is_none() || step.running.is_some(),
            None => !end.open.as_ref().is_some_and(once),
        }
    }

    pub(super) fn end_step(&mut self, mut end: EndStep<'_>) -> Result<(), Rejection> {
        let kind = self.kind_of_function(&end.step, end.open.as_ref());
        let (attempts, first_started) = match self.look_up(&end.step, kind, end.open.as_ref())? {
            Known::Ended => return Ok(()),
            Known::Open { attempts, first_started } => (attempts, first_started),
            Known::New if kind == Kind::Run && self.is_full() => return Ok(()),
            Known::New => (0, None),
        };
        if end.attempt.n <= attempts {
            // §6.4: a late result of an ended attempt changes nothing; the runner hears what is next.
            self.tell_retry(&end.step);
            return Ok(());
        }
        is_next(&end.step, attempts, end.attempt)?;
        if !self.is_begun(&end) {
            return Err(Rejection::Unbegun(Arc::from(&*end.step)));
        }
        if self.run.step(&end.step).is_some() {
            end.open = None;
        }
        let first_started = first_started.unwrap_or(end.attempt.started_at);
        let limit = self.env.limits.payload_bytes_max;
        match core::mem::replace(&mut end.result, Ok(None)) {
            Ok(output) => match output.map_or(Ok(()), |raw| payload::check(raw, limit)) {
                Ok(()) => {
                    self.end_with(end, StepStatus::Completed, output, None);
                }
                Err(why) => {
                    let message =
                        alloc::format!("the result of step `{}` is refused: {why}", end.step);
                    let failure = Failure::new(names::LIMIT, message);
                    self.end_with(end, StepStatus::Failed, None, Some(failure));
                }
            },
            Err(error) => self.fail_attempt(end, error, first_started),
        }
        Ok(())
    }

    fn fail_attempt(&mut self, end: EndStep<'_>, error: AttemptError<'_>, first: Timestamp) {
        if self.is_ending() {
            // §7.2: what does not return in time to be kept is cancelled, with its error to see.
            self.end_with(end, StepStatus::Cancelled, None, Some(error.failure));
            return;
        }
        let once = self.run.step(&end.step).is_some_and(|step| step.once.is_some());
        let next = if once {
            // §4.5: what was thrown is final; what ran out of time may have been done.
            if error.timed_out { Next::At(end.at) } else { Next::None { timed_out: false } }
        } else {
            self.next_attempt_at(&end, &error, first)
        };
        match next {
            Next::At(next_at) => {
                let (id, n) = (end.step, end.attempt.n);
                self.push(&Record::AttemptFailed(AttemptFailed {
                    step: (&*id).into(),
                    at: end.at,
                    attempt: end.attempt,
                    error: error.failure,
                    timed_out: error.timed_out,
                    next_at,
                    open: end.open,
                }));
                if let Some(step) = self.run.step(&id) {
                    let step = step.id.clone();
                    self.effect(Effect::Retry { step, n: n + 1, at: next_at });
                }
            }
            Next::None { timed_out } => {
                let status = if timed_out { StepStatus::TimedOut } else { StepStatus::Failed };
                self.end_with(end, status, None, Some(error.failure));
            }
        }
    }

    fn next_attempt_at(
        &self,
        end: &EndStep<'_>,
        error: &AttemptError<'_>,
        first: Timestamp,
    ) -> Next {
        let total_end = end.total_timeout.map(|total| first.after(total));
        let out_of_time = |at: Timestamp| total_end.is_some_and(|end| at >= end);
        if out_of_time(self.env.now) {
            return Next::None { timed_out: true };
        }
        if error.terminal {
            return Next::None { timed_out: error.timed_out };
        }
        let policy = end.policy.clone().unwrap_or_default();
        let Some(pause) = policy.next_pause(end.attempt.n, self.env.entropy) else {
            return Next::None { timed_out: error.timed_out };
        };
        let next_at = error.retry_at.unwrap_or_else(|| self.env.now.after(pause));
        // Waiting for an attempt that may not begin helps nobody: the step ends now.
        if out_of_time(next_at) { Next::None { timed_out: true } } else { Next::At(next_at) }
    }

    fn end_with(
        &mut self,
        end: EndStep<'_>,
        status: StepStatus,
        output: Option<&serde_json::value::RawValue>,
        error: Option<Failure<'_>>,
    ) {
        let told = error.clone().map(Failure::into_owned);
        self.push(&Record::StepEnded(StepEnded {
            step: (&*end.step).into(),
            at: end.at,
            status,
            attempt: Some(end.attempt),
            output,
            error,
            open: end.open,
            event: None,
        }));
        self.settle(&end.step, end.at, status, told);
    }

    pub(super) fn settle(
        &mut self,
        step: &str,
        at: Timestamp,
        status: StepStatus,
        error: Option<Failure<'static>>,
    ) {
        if let Some(step) = self.run.step(step) {
            let step = step.id.clone();
            self.effect(Effect::Settle { step, at, status, error });
        }
    }

    fn tell_retry(&mut self, step: &str) {
        let Some(step) = self.run.step(step) else {
            return;
        };
        let id = step.id.clone();
        if step.once.is_some() {
            return self.tell_start(&id);
        }
        if let Some(at) = step.wake {
            let effect = Effect::Retry { step: step.id.clone(), n: step.attempts + 1, at };
            self.effect(effect);
        }
    }

    pub(super) fn sleep(&mut self, sleep: SleepStep<'_>) -> Result<(), Rejection> {
        let kind = match sleep.open.kind {
            Kind::Sleep | Kind::SleepUntil => sleep.open.kind,
            Kind::Run
            | Kind::WaitForEvent
            | Kind::NamedWait
            | Kind::Invoke
            | Kind::Emit
            | Kind::Race
            | Kind::Skip
            | Kind::Compensate
            | Kind::OnFailure => Kind::Sleep,
        };
        match self.look_up(&sleep.step, kind, Some(&sleep.open))? {
            Known::Ended | Known::Open { .. } => return Ok(()),
            Known::New if self.is_full() => return Ok(()),
            Known::New => {}
        }
        if self.is_ending() {
            return Ok(());
        }
        self.push(&Record::SleepStarted(SleepStarted {
            step: sleep.step,
            until: sleep.until,
            open: sleep.open,
        }));
        if sleep.until <= self.env.now {
            self.fire();
        }
        Ok(())
    }

    pub(super) fn skip(&mut self, step: &str, open: Opening<'_>) -> Result<(), Rejection> {
        if self.is_ending() && self.run.step(step).is_none() {
            return Ok(());
        }
        self.note(step, Kind::Skip, StepStatus::Skipped, Some(open))
    }

    pub(super) fn drop_step(
        &mut self,
        step: &str,
        open: Option<Opening<'_>>,
    ) -> Result<(), Rejection> {
        let known = || self.run.step(step).map(|step| step.kind);
        let kind = open.as_ref().map(|open| open.kind).or_else(known).unwrap_or(Kind::Run);
        self.note(step, kind, StepStatus::Cancelled, open)?;
        if kind == Kind::Race { self.cancel_losers(step) } else { Ok(()) }
    }

    pub(super) fn note(
        &mut self,
        step: &str,
        kind: Kind,
        status: StepStatus,
        open: Option<Opening<'_>>,
    ) -> Result<(), Rejection> {
        let open = match self.look_up(step, kind, open.as_ref())? {
            Known::Ended => return Ok(()),
            Known::New if self.is_full() => return Ok(()),
            Known::New => open,
            Known::Open { .. } => None,
        };
        // §5.6: a child whose step the code dropped is not wanted any more.
        if let Some(child) = self.run.child_of(step) {
            if self.is_ending() {
                // §7.2: it is told already, and its end is awaited.
                return Ok(());
            }
            self.effect(Effect::CancelChild { child });
        }
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at: self.env.now,
            status,
            attempt: None,
            output: None,
            error: None,
            open,
            event: None,
        }));
        self.settle(step, self.env.now, status, None);
        Ok(())
    }

    /// §7.2: nothing new begins in an ending run; the code is not answered.
    pub(super) fn is_ending(&self) -> bool {
        self.run.is_ending()
    }

    /// Tells whether a step that its message opens is known.
    pub(super) fn is_known(
        &self,
        id: &str,
        kind: Kind,
        open: &Opening<'_>,
    ) -> Result<bool, Rejection> {
        Ok(!matches!(self.look_up(id, kind, Some(open))?, Known::New))
    }

    pub(super) fn look_up(
        &self,
        id: &str,
        kind: Kind,
        open: Option<&Opening<'_>>,
    ) -> Result<Known, Rejection> {
        if let Some(open) = open.filter(|open| open.kind != kind) {
            let (step, kind) = (Arc::from(id), open.kind);
            return Err(Rejection::ForeignKind { step, kind });
        }
        let Some(step) = self.run.step(id) else {
            self.may_begin(kind, id)?;
            return match open {
                // Nothing begins any more, in a branch that lost least of all.
                Some(open) if self.is_ending() && self.run.lost_its_race(open) => Ok(Known::Ended),
                Some(_) => Ok(Known::New),
                // It was told of with its opening, and did not begin any more.
                None if self.is_ending() => Ok(Known::Ended),
                None => Err(Rejection::Unopened(Arc::from(id))),
            };
        };
        if step.kind != kind {
            let (step, expected, found) = (step.id.clone(), step.kind, kind);
            return Err(Rejection::KindChanged { step, expected, found });
        }
        if step.is_ended() {
            if planted::has(Plant::SecondResult) && kind == Kind::Run {
                return Ok(Known::Open {
                    attempts: step.attempts.saturating_sub(1),
                    first_started: None,
                });
            }
            return Ok(Known::Ended);
        }
        self.may_begin(kind, id)?;
        Ok(Known::Open { attempts: step.attempts, first_started: step.first_started })
    }

    /// §12: a step over the limit blocks the run; SDKs refuse it before its function starts.
    pub(super) fn is_full(&mut self) -> bool {
        let limit = self.env.limits.steps_max;
        let full = u32::try_from(self.run.steps.len()).is_ok_and(|steps| steps >= limit);
        if full {
            self.block(BlockCause::StepsFull { limit });
        }
        full
    }
}

fn is_next(step: &str, attempts: u32, attempt: Attempt) -> Result<(), Rejection> {
    let expected = attempts + 1;
    if attempt.n == expected {
        return Ok(());
    }
    Err(Rejection::AttemptMismatch { step: Arc::from(step), expected, found: attempt.n })
}

enum Next {
    At(Timestamp),
    None { timed_out: bool },
}
