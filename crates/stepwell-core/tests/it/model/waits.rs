//! Waits for events, as §8 says it.

use std::time::Duration;

use stepwell_core::status::{Kind, StepStatus};
use stepwell_core::time::Timestamp;

use super::{Fact, Model, Verdict};

/// What a wait asks for; all of them wait for one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) since: From,
    pub(crate) timeout: Option<Duration>,
    /// A time-out fails the step.
    pub(crate) fails: bool,
    /// It is known that nothing was accepted before.
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    RunStart,
    Parked,
    Back(Duration),
}

impl Model {
    pub(crate) fn wait(&mut self, step: usize, ask: Ask, open: (Kind, u32)) -> Verdict {
        let kind = if open.0 == Kind::NamedWait { Kind::NamedWait } else { Kind::WaitForEvent };
        match self.meets(step, kind, Some(open)) {
            Err(verdict) => return verdict,
            Ok(false) => return Verdict::Taken,
            Ok(true) => {}
        }
        if self.full() || self.decided().is_some() {
            return Verdict::Taken;
        }
        self.open(step, Some(open));
        self.note(Fact::Waited { step, ask });
        Verdict::Taken
    }

    pub(crate) fn emit(&mut self, step: usize, open: (Kind, u32)) -> Verdict {
        match self.meets(step, Kind::Emit, Some(open)) {
            Err(verdict) => return verdict,
            Ok(false) => return Verdict::Taken,
            Ok(true) => {}
        }
        if self.full() || self.decided().is_some() {
            return Verdict::Taken;
        }
        self.open(step, Some(open));
        self.note(Fact::Ended { step, status: StepStatus::Completed, n: None });
        Verdict::Taken
    }

    /// When the step was parked, and what for, while it waits.
    fn parked(&self, step: usize) -> Option<(Timestamp, Ask)> {
        let waits = self.step(step).0 == StepStatus::Waiting;
        self.last(|at, fact| match fact {
            Fact::Waited { step: one, ask } if *one == step => Some((*at, *ask)),
            _ => None,
        })
        .filter(|_| waits)
    }

    /// §8.4: whether nobody has to look for events from before it was parked.
    pub(crate) fn looked(&self, step: usize) -> bool {
        let told = self
            .facts
            .iter()
            .any(|(_, fact)| matches!(fact, Fact::Looked { step: one } if *one == step));
        let need = self
            .parked(step)
            .is_some_and(|(_, ask)| !ask.quiet && !matches!(ask.since, From::Parked));
        told || !need
    }

    /// When somebody has to look, if anybody has.
    pub(crate) fn look_due(&self) -> Option<Timestamp> {
        let steps = self.steps().into_iter().filter(|(step, _)| !self.looked(*step));
        steps.filter_map(|(step, _)| self.parked(step)).map(|(at, _)| at).min()
    }

    pub(crate) fn deliver(&mut self, step: usize, id: usize, accepted: Timestamp) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        let Some((at, ask)) = self.parked(step) else {
            return Verdict::Taken;
        };
        let begin = self.facts[0].0;
        // §8.4: the bound, and what another wait of the run took.
        let within = match ask.since {
            From::RunStart => accepted >= begin,
            From::Parked => false,
            From::Back(time) => accepted >= at.before(time),
        };
        let taken =
            self.facts.iter().any(|(_, fact)| matches!(fact, Fact::Took { id: one } if *one == id));
        if accepted > at || within && !taken {
            self.note(Fact::Took { id });
            self.note(Fact::Ended { step, status: StepStatus::Completed, n: None });
        }
        Verdict::Taken
    }

    pub(crate) fn look(&mut self, step: usize) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        if self.parked(step).is_some() && !self.looked(step) {
            self.note(Fact::Looked { step });
        }
        Verdict::Taken
    }

    /// §8.6.
    pub(crate) fn time_out(&mut self, step: usize) -> Verdict {
        if self.over().is_some() {
            return Verdict::Rejected;
        }
        let due = self.step(step).1.is_some_and(|until| until <= self.now);
        if let Some((_, ask)) = self.parked(step).filter(|_| due && self.forward()) {
            let status = if ask.fails { StepStatus::Failed } else { StepStatus::TimedOut };
            self.note(Fact::Ended { step, status, n: None });
        }
        Verdict::Taken
    }
}
