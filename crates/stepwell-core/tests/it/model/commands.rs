//! What commands do, as the semantics say it: each adds facts, or is rejected.

use std::time::Duration;

use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

use super::{End, Fact, Fail, Model, Open, Verdict};

impl Model {
    pub(crate) fn activate(&mut self, alone: bool) -> Verdict {
        let suspect = self.losses().0 >= 2;
        if self.status() != RunStatus::Queued || self.owed() || (suspect && !alone) {
            return Verdict::Rejected;
        }
        if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            return Verdict::Rejected;
        }
        self.note(Fact::Held { alone: suspect });
        Verdict::Taken
    }

    /// Tells whether a runner that presents this epoch may give the run back.
    pub(crate) fn lets_go(&self, epoch: u32) -> bool {
        !self.fences(epoch) || self.over().is_none() && self.owed() && self.epoch() == epoch
    }

    /// Tells whether a runner that presents this epoch may say nothing.
    pub(crate) fn fences(&self, epoch: u32) -> bool {
        self.over().is_some() || self.held().is_none() || self.epoch() != epoch
    }

    /// §7.2: what was asked for in an ending run did not begin, and nothing comes of it.
    fn came_too_late(&self, step: usize, open: Open) -> bool {
        self.decided().is_some() && self.kind(step).is_none() && open.is_none()
    }

    /// Whether the step is new, known as this kind, or neither fits.
    pub(super) fn meets(&self, step: usize, kind: Kind, open: Open) -> Result<bool, Verdict> {
        match (self.kind(step), open) {
            (_, Some((opened, _))) if opened != kind => Err(Verdict::Rejected),
            (Some(known), _) if known != kind => Err(Verdict::Rejected),
            (None, None) => Err(Verdict::Rejected),
            (known, _) => Ok(known.is_none()),
        }
    }

    /// §12: a step over the limit is not recorded; it blocks a run whose end is open.
    pub(super) fn full(&mut self) -> bool {
        let full = self.steps().len() >= self.steps_max;
        if full && self.forward() {
            self.note(Fact::Blocked);
        }
        full
    }

    pub(super) fn open(&mut self, step: usize, open: Open) {
        if let (None, Some((kind, after))) = (self.kind(step), open) {
            self.note(Fact::Opened { step, kind, after });
        }
    }

    pub(crate) fn begin(&mut self, step: usize, n: u32, open: Open) -> Verdict {
        if self.came_too_late(step, open) {
            return Verdict::Taken;
        }
        let new = match self.meets(step, Kind::Run, open) {
            Ok(new) => new,
            Err(verdict) => return verdict,
        };
        let (status, _) = self.step(step);
        if !new && (status.is_ended() || n <= self.attempts(step)) {
            return Verdict::Taken;
        }
        if new && self.full() {
            return Verdict::Taken;
        }
        if n != self.attempts(step) + 1 {
            return Verdict::Rejected;
        }
        if status != StepStatus::Running {
            self.open(step, open);
            self.note(Fact::Began { step, n });
        }
        Verdict::Taken
    }

    pub(crate) fn end(&mut self, end: &End, open: Open) -> Verdict {
        let step = end.step;
        if self.came_too_late(step, open) {
            return Verdict::Taken;
        }
        let new = match self.meets(step, Kind::Run, open) {
            Ok(new) => new,
            Err(verdict) => return verdict,
        };
        if !new && self.step(step).0.is_ended() {
            return Verdict::Taken;
        }
        if new && self.full() {
            return Verdict::Taken;
        }
        if end.n <= self.attempts(step) {
            return Verdict::Taken;
        }
        if end.n != self.attempts(step) + 1 {
            return Verdict::Rejected;
        }
        let first = self.first_begin(step).unwrap_or(end.began);
        self.open(step, open);
        let next = end.failed.as_ref().map(|fail| self.after_failure(end.n, fail, first));
        match next {
            None => self.note(Fact::Ended { step, status: StepStatus::Completed, n: Some(end.n) }),
            Some(Err(status)) => self.note(Fact::Ended { step, status, n: Some(end.n) }),
            Some(Ok(next)) => self.note(Fact::Failed { step, n: end.n, next }),
        }
        Verdict::Taken
    }

    fn first_begin(&self, step: usize) -> Option<Timestamp> {
        // The generator lets every attempt begin when it is told, so these are the same instants.
        self.facts.iter().find_map(|(at, fact)| match fact {
            Fact::Began { step: one, .. } | Fact::Failed { step: one, .. } if *one == step => {
                Some(*at)
            }
            _ => None,
        })
    }

    /// §6.1, §6.2, §6.4: when the next attempt is due, or how the step ends.
    fn after_failure(
        &self,
        n: u32,
        fail: &Fail,
        first: Timestamp,
    ) -> Result<Timestamp, StepStatus> {
        if self.decided().is_some() {
            return Err(StepStatus::Cancelled);
        }
        let last = if fail.timed_out { StepStatus::TimedOut } else { StepStatus::Failed };
        let past = |at: Timestamp| fail.total.is_some_and(|total| at >= first.after(total));
        if past(self.now) {
            return Err(StepStatus::TimedOut);
        }
        if fail.terminal || n >= fail.policy.max_attempts {
            return Err(last);
        }
        // Constant pauses without jitter: what they are is tested with the vectors.
        let pause = Duration::from_millis(fail.policy.backoff_ms);
        let next = fail.retry_at.unwrap_or_else(|| self.now.after(pause));
        if past(next) { Err(StepStatus::TimedOut) } else { Ok(next) }
    }

    pub(crate) fn sleep(&mut self, step: usize, until: Timestamp, open: (Kind, u32)) -> Verdict {
        let kind = if open.0 == Kind::SleepUntil { Kind::SleepUntil } else { Kind::Sleep };
        match self.meets(step, kind, Some(open)) {
            Err(verdict) => return verdict,
            Ok(false) => return Verdict::Taken,
            Ok(true) => {}
        }
        if self.full() || self.decided().is_some() {
            return Verdict::Taken;
        }
        self.open(step, Some(open));
        self.note(Fact::Slept { step, until });
        if until <= self.now {
            self.fire();
        }
        Verdict::Taken
    }

    /// A skip, or a drop of a step of any kind.
    pub(crate) fn note_end(
        &mut self,
        step: usize,
        kind: Kind,
        end: StepStatus,
        open: Open,
    ) -> Verdict {
        if self.came_too_late(step, open) {
            return Verdict::Taken;
        }
        let waited_for = self.step(step).0 == StepStatus::Waiting;
        if self.decided().is_some() && waited_for {
            // §7.2: the child is told, and its end is awaited.
            return Verdict::Taken;
        }
        let new = match self.meets(step, kind, open) {
            Ok(new) => new,
            Err(verdict) => return verdict,
        };
        let ended = !new && self.step(step).0.is_ended();
        let late = new && end == StepStatus::Skipped && self.decided().is_some();
        if ended || late || (new && self.full()) {
            return Verdict::Taken;
        }
        self.open(step, open);
        self.note(Fact::Ended { step, status: end, n: None });
        Verdict::Taken
    }

    /// §9.2: a child is started, or there is none to start.
    pub(crate) fn invoke(&mut self, step: usize, finds: bool, open: (Kind, u32)) -> Verdict {
        match self.meets(step, Kind::Invoke, Some(open)) {
            Err(verdict) => return verdict,
            Ok(false) => return Verdict::Taken,
            Ok(true) => {}
        }
        if self.full() || self.decided().is_some() {
            return Verdict::Taken;
        }
        self.open(step, Some(open));
        if finds {
            self.note(Fact::Invoked { step });
        } else {
            self.note(Fact::Ended { step, status: StepStatus::Failed, n: None });
        }
        Verdict::Taken
    }

    /// §9.3: a child ended; `right`: it is the one that the step waits for.
    pub(crate) fn hear(&mut self, step: usize, status: RunStatus, right: bool) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        if !self.children().contains(&step) || !right {
            return Verdict::Taken;
        }
        let status = match status {
            RunStatus::Completed => StepStatus::Completed,
            RunStatus::Cancelled if self.decided().is_some() => StepStatus::Cancelled,
            RunStatus::TimedOut => StepStatus::TimedOut,
            _ => StepStatus::Failed,
        };
        self.note(Fact::Ended { step, status, n: None });
        let late = self.decided().is_some_and(|(_, until)| until <= self.now);
        if self.held().is_none() || late {
            self.end_if_decided();
        }
        Verdict::Taken
    }

    pub(crate) fn block(&mut self) -> Verdict {
        if self.forward() {
            self.note(Fact::Blocked);
        }
        Verdict::Taken
    }

    pub(crate) fn release(&mut self, seen: u32, goes_on: bool) -> Verdict {
        self.note(Fact::Parked { seen });
        self.end_if_decided();
        if goes_on && self.forward() && self.would_want().is_none() {
            self.note(Fact::Woken);
        }
        Verdict::Taken
    }

    pub(crate) fn lose(&mut self, counted: bool) -> Verdict {
        let counted = counted && !self.owed();
        self.note(Fact::Lost { counted });
        self.end_if_decided();
        if counted && self.over().is_none() && self.losses().1 >= 3 {
            self.note(Fact::Blocked);
        }
        Verdict::Taken
    }

    pub(crate) fn finish(&mut self, status: RunStatus) -> Verdict {
        if self.decided().is_some() {
            if !self.children().is_empty() {
                // §7.2: its runner has nothing left to do; children's ends are awaited.
                self.note(Fact::Parked { seen: self.ends() });
            }
            self.end_if_decided();
        } else {
            self.note(Fact::Over { status });
        }
        Verdict::Taken
    }

    pub(crate) fn cancel(&mut self) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        if self.decided().is_none() {
            self.decide(RunStatus::Cancelled);
        }
        Verdict::Taken
    }

    fn decide(&mut self, status: RunStatus) {
        self.note(Fact::Decided { status });
        if self.held().is_none() {
            self.end_if_decided();
        }
    }

    fn end_if_decided(&mut self) {
        if let Some((status, _)) = self.decided() {
            // §7.2: children's ends are awaited.
            if self.children().is_empty() {
                self.note(Fact::Over { status });
            }
        }
    }

    pub(crate) fn unblock(&mut self) -> Verdict {
        if !self.blocked() || self.over().is_some() {
            return Verdict::Rejected;
        }
        self.note(Fact::Unblocked);
        Verdict::Taken
    }

    /// §7.6: the run ends at once, with the status that is decided or as cancelled.
    pub(crate) fn terminate(&mut self) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        let status = self.decided().map_or(RunStatus::Cancelled, |(status, _)| status);
        self.note(Fact::Over { status });
        Verdict::Taken
    }

    /// §9.6: only the forward phase can be held back.
    pub(crate) fn pause(&mut self) -> Verdict {
        if self.over().is_some() || self.decided().is_some() {
            return Verdict::Rejected;
        }
        if !self.paused() {
            self.note(Fact::Paused);
        }
        Verdict::Taken
    }

    pub(crate) fn resume(&mut self) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        if self.paused() {
            self.note(Fact::Resumed);
        }
        Verdict::Taken
    }

    /// §9.5: backoffs end, and a blocked run is tried again.
    pub(crate) fn retry(&mut self) -> Verdict {
        if self.over().is_some() || self.decided().is_some() {
            return Verdict::Rejected;
        }
        let waits = self
            .wakes()
            .into_iter()
            .any(|(at, _, step)| at > self.now && self.step(step).0 == StepStatus::Retrying);
        if !waits && !self.blocked() {
            return Verdict::Taken;
        }
        self.note(Fact::Retried);
        if self.blocked() {
            self.note(Fact::Unblocked);
        }
        if self.held().is_none() {
            self.fire();
        }
        Verdict::Taken
    }

    pub(crate) fn fire(&mut self) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        if let Some((_, until)) = self.decided() {
            if until <= self.now {
                self.end_if_decided();
            }
            return Verdict::Taken;
        }
        if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            self.decide(RunStatus::TimedOut);
            return Verdict::Taken;
        }
        if self.blocked() {
            return Verdict::Taken;
        }
        let due: Vec<_> = self.wakes().into_iter().filter(|(at, ..)| *at <= self.now).collect();
        for (_, _, step) in &due {
            if self.step(*step).0 == StepStatus::Sleeping {
                self.note(Fact::Ended { step: *step, status: StepStatus::Completed, n: None });
            }
        }
        // §6.1: a backoff that is over brings a parked run back.
        let begins = self.delayed().is_some_and(|at| at <= self.now);
        // What waits for an event is looked for first.
        let backoffs = due.iter().any(|(_, _, step)| self.step(*step).0 == StepStatus::Retrying);
        let slept = due.iter().any(|(_, _, step)| self.step(*step).0 == StepStatus::Completed);
        if (begins || backoffs || slept) && self.place() == RunStatus::Waiting {
            self.note(Fact::Woken);
        }
        Verdict::Taken
    }
}
