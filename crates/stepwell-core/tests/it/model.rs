//! A naive model of a run, written from docs/semantics.md and from nothing else.
//!
//! It keeps a list of facts and answers every question by going through all of them. It is slow,
//! and short enough to be read beside the statements. What commands do is in `commands`.

mod commands;
mod waits;

use std::time::Duration;

use stepwell_core::retry::Policy;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

pub(crate) use waits::{Ask, From};

/// Something that happened to the run.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Accepted,
    /// `alone` as the run was held, not as the runner offered.
    Held {
        alone: bool,
    },
    Parked {
        seen: u32,
    },
    Lost {
        counted: bool,
    },
    Woken,
    /// A step is seen for the first time.
    Opened {
        step: usize,
        kind: Kind,
        after: u32,
    },
    Began {
        step: usize,
        n: u32,
    },
    Failed {
        step: usize,
        n: u32,
        next: Timestamp,
    },
    Slept {
        step: usize,
        until: Timestamp,
    },
    /// §9.2: a child was started for the step.
    Invoked {
        step: usize,
    },
    Ended {
        step: usize,
        status: StepStatus,
        n: Option<u32>,
    },
    Blocked,
    Unblocked,
    /// §9.5: an operator wants backoffs to end.
    Retried,
    /// §9.6.
    Paused,
    Resumed,
    Decided {
        status: RunStatus,
    },
    Over {
        status: RunStatus,
    },
    /// §8.2: a step is parked for an event.
    Waited {
        step: usize,
        ask: Ask,
    },
    Looked {
        step: usize,
    },
    /// A wait took an event.
    Took {
        id: usize,
    },
}

/// What the model says to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Taken,
    Rejected,
}

/// What the runner says of a step's attempt that ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) step: usize,
    pub(crate) n: u32,
    pub(crate) began: Timestamp,
    /// `None` for a result, else how the attempt failed.
    pub(crate) failed: Option<Fail>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) terminal: bool,
    pub(crate) timed_out: bool,
    pub(crate) retry_at: Option<Timestamp>,
    pub(crate) policy: Policy,
    pub(crate) total: Option<Duration>,
}

/// What opens a step: its kind and how many ends the code had been given.
pub(crate) type Open = Option<(Kind, u32)>;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) facts: Vec<(Timestamp, Fact)>,
    pub(crate) now: Timestamp,
    deadline: Option<Timestamp>,
    /// §9.1: until when the start is delayed.
    not_before: Option<Timestamp>,
    grace: Duration,
    steps_max: usize,
}

impl Model {
    pub(crate) fn new(
        now: Timestamp,
        (deadline, not_before): (Option<Timestamp>, Option<Timestamp>),
        steps_max: usize,
    ) -> Self {
        let grace = Duration::from_secs(30);
        Self { facts: vec![(now, Fact::Accepted)], now, deadline, not_before, grace, steps_max }
    }

    fn note(&mut self, fact: Fact) {
        self.facts.push((self.now, fact));
    }

    fn last<T>(&self, pick: impl Fn(&Timestamp, &Fact) -> Option<T>) -> Option<T> {
        self.facts.iter().rev().find_map(|(at, fact)| pick(at, fact))
    }

    pub(crate) fn over(&self) -> Option<RunStatus> {
        self.last(|_, fact| match fact {
            Fact::Over { status } => Some(*status),
            _ => None,
        })
    }

    /// §7.1: the status that is decided, and until when what is in flight may return.
    pub(crate) fn decided(&self) -> Option<(RunStatus, Timestamp)> {
        self.last(|at, fact| match fact {
            Fact::Decided { status } => Some((*status, at.after(self.grace))),
            _ => None,
        })
    }

    pub(crate) fn blocked(&self) -> bool {
        let last = self.last(|_, fact| match fact {
            Fact::Blocked => Some(true),
            Fact::Unblocked | Fact::Decided { .. } => Some(false),
            _ => None,
        });
        last == Some(true)
    }

    pub(crate) fn epoch(&self) -> u32 {
        let held = self.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Held { .. }));
        u32::try_from(held.count()).unwrap()
    }

    /// §4.7: whether a runner holds the run; and has it to itself.
    pub(crate) fn held(&self) -> Option<bool> {
        self.last(|_, fact| match fact {
            Fact::Held { alone } => Some(Some(*alone)),
            Fact::Parked { .. } | Fact::Lost { .. } | Fact::Blocked | Fact::Over { .. } => {
                Some(None)
            }
            _ => None,
        })
        .flatten()
    }

    /// §4.7: whether the run was taken from a runner that has not given it back.
    pub(crate) fn owed(&self) -> bool {
        let mut holds = false;
        for (_, fact) in &self.facts {
            match fact {
                Fact::Held { .. } => holds = true,
                Fact::Parked { .. } | Fact::Lost { .. } | Fact::Over { .. } => holds = false,
                _ => {}
            }
        }
        holds && self.held().is_none()
    }

    /// §9.1: until when the start is delayed, while it is.
    pub(crate) fn delayed(&self) -> Option<Timestamp> {
        let began = |fact: &Fact| matches!(fact, Fact::Woken | Fact::Over { .. });
        self.not_before.filter(|_| !self.facts.iter().any(|(_, fact)| began(fact)))
    }

    /// §9.6: whether an operator holds the run back.
    pub(crate) fn paused(&self) -> bool {
        let last = self.last(|_, fact| match fact {
            Fact::Paused => Some(true),
            Fact::Resumed | Fact::Decided { .. } | Fact::Over { .. } => Some(false),
            _ => None,
        });
        last == Some(true)
    }

    /// Since when the run wants a runner, if it does.
    pub(crate) fn ready(&self) -> Option<Timestamp> {
        self.would_want().filter(|_| !self.paused())
    }

    /// The same, were it not paused.
    fn would_want(&self) -> Option<Timestamp> {
        let mut ready = None;
        for (index, (at, fact)) in self.facts.iter().enumerate() {
            let before = Self { facts: self.facts[..index].to_vec(), ..self.clone() };
            match fact {
                Fact::Lost { .. } | Fact::Parked { .. } if before.owed() => {
                    ready = before.forward().then_some(*at);
                }
                Fact::Unblocked if before.owed() => {}
                Fact::Accepted if self.not_before.is_some() => {}
                // §7.2: what is ending wants no runner.
                Fact::Lost { .. } | Fact::Parked { .. } if before.decided().is_some() => {
                    ready = None;
                }
                Fact::Accepted | Fact::Lost { .. } | Fact::Woken | Fact::Unblocked => {
                    ready = Some(*at);
                }
                Fact::Parked { seen } => {
                    // It missed an end, or waits for nothing that the engine could bring.
                    let waits = |(step, _)| before.step(step).0 == StepStatus::Waiting;
                    let nothing = before.wakes().is_empty()
                        && before.children().is_empty()
                        && !before.steps().into_iter().any(waits);
                    let missed = *seen < before.ends() || nothing;
                    ready = missed.then_some(*at);
                }
                Fact::Ended { .. }
                    if before.held().is_none() && !before.owed() && before.forward() =>
                {
                    ready = ready.or(Some(*at));
                }
                Fact::Held { .. } | Fact::Blocked | Fact::Decided { .. } | Fact::Over { .. } => {
                    ready = None;
                }
                _ => {}
            }
        }
        ready
    }

    fn forward(&self) -> bool {
        self.over().is_none() && self.decided().is_none() && !self.blocked()
    }

    /// §3.2.
    pub(crate) fn status(&self) -> RunStatus {
        if let Some(status) = self.over() {
            return status;
        }
        if self.decided().is_some() {
            return RunStatus::Compensating;
        }
        if self.blocked() {
            return RunStatus::Blocked;
        }
        if self.paused() { RunStatus::Paused } else { self.place() }
    }

    /// Where the run is that nothing but its code or a runner keeps.
    fn place(&self) -> RunStatus {
        match (self.held(), self.would_want()) {
            (Some(_), _) => RunStatus::Running,
            (None, Some(_)) => RunStatus::Queued,
            (None, None) if self.owed() => RunStatus::Queued,
            (None, None) => RunStatus::Waiting,
        }
    }

    /// §4.4: losses that count, since a step last ended or the run was last unblocked: in all, and
    /// while it had its runner to itself.
    pub(crate) fn losses(&self) -> (u32, u32) {
        let (mut losses, mut lone, mut alone) = (0, 0, false);
        for (_, fact) in &self.facts {
            match fact {
                Fact::Held { alone: held } => alone = *held,
                Fact::Lost { counted: true } => {
                    losses += 1;
                    lone += u32::from(alone);
                }
                Fact::Ended { .. } | Fact::Unblocked => (losses, lone) = (0, 0),
                _ => {}
            }
        }
        (losses, lone)
    }

    /// §3.5: steps in the order of their positions.
    pub(crate) fn steps(&self) -> Vec<(usize, Kind)> {
        let opened = self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Opened { step, kind, .. } => Some((*step, *kind)),
            _ => None,
        });
        opened.collect()
    }

    pub(crate) fn kind(&self, step: usize) -> Option<Kind> {
        self.steps().into_iter().find(|(one, _)| *one == step).map(|(_, kind)| kind)
    }

    /// §3.1, and when the step wakes or is tried again.
    pub(crate) fn step(&self, step: usize) -> (StepStatus, Option<Timestamp>) {
        let mut state: (_, Option<Timestamp>) = (StepStatus::Pending, None);
        let invoked = self.kind(step) == Some(Kind::Invoke);
        let (mut held, mut decided) = (false, false);
        for (at, fact) in &self.facts {
            let ended = state.0.is_ended();
            match fact {
                Fact::Held { .. } => held = true,
                Fact::Parked { .. } | Fact::Lost { .. } | Fact::Blocked => held = false,
                Fact::Decided { .. } => decided = true,
                _ => {}
            }
            match fact {
                Fact::Began { step: one, .. } if *one == step => {
                    state = (StepStatus::Running, None);
                }
                Fact::Failed { step: one, next, .. } if *one == step => {
                    state = (StepStatus::Retrying, Some(*next));
                }
                Fact::Slept { step: one, until } if *one == step => {
                    state = (StepStatus::Sleeping, Some(*until));
                }
                Fact::Waited { step: one, ask } if *one == step => {
                    state = (StepStatus::Waiting, ask.timeout.map(|timeout| at.after(timeout)));
                }
                Fact::Ended { step: one, status, .. } if *one == step => state = (*status, None),
                Fact::Invoked { step: one } if *one == step => state.0 = StepStatus::Waiting,

                // §4.2: what ran on a runner that is gone begins again.
                Fact::Parked { .. } | Fact::Lost { .. } | Fact::Blocked
                    if state.0 == StepStatus::Running =>
                {
                    state.0 = StepStatus::Pending;
                }
                // §9.5: a backoff ends at once.
                Fact::Retried if state.0 == StepStatus::Retrying => {
                    state.1 = state.1.map(|next| next.min(*at));
                }
                // §7.2: sleeps and waits are cancelled, functions get time, children's ends are awaited.
                Fact::Decided { .. }
                    if !invoked
                        && matches!(state.0, StepStatus::Sleeping | StepStatus::Waiting) =>
                {
                    state = (StepStatus::Cancelled, None);
                }
                Fact::Decided { .. } => state.1 = None,
                Fact::Over { .. } if !ended => state = (StepStatus::Cancelled, None),
                _ => {}
            }
            // §7.2: without a runner nothing is awaited but children.
            if decided && !held && !invoked && !state.0.is_ended() {
                state = (StepStatus::Cancelled, None);
            }
        }
        state
    }

    /// How many of a step's attempts have ended; lost ones do not count (§4.4).
    pub(crate) fn attempts(&self, step: usize) -> u32 {
        let ended = self.facts.iter().filter(|(_, fact)| match fact {
            Fact::Failed { step: one, .. } | Fact::Ended { step: one, n: Some(_), .. } => {
                *one == step
            }
            _ => false,
        });
        u32::try_from(ended.count()).unwrap()
    }

    /// §3.3: every attempt as it is shown.
    pub(crate) fn shown_attempts(&self, step: usize) -> Vec<(u32, &'static str)> {
        let mut shown: Vec<(u32, &'static str)> = Vec::new();
        let running = |shown: &mut Vec<(u32, &'static str)>, now: &'static str| {
            if let Some(last) = shown.last_mut().filter(|last| last.1 == "running") {
                last.1 = now;
            }
        };
        for (_, fact) in &self.facts {
            match fact {
                Fact::Began { step: one, n } if *one == step => shown.push((*n, "running")),
                Fact::Failed { step: one, n, .. } if *one == step => {
                    shown.pop_if(|last| last.1 == "running");
                    shown.push((*n, "failed"));
                }
                Fact::Ended { step: one, status, n } if *one == step => match n {
                    Some(n) => {
                        shown.pop_if(|last| last.1 == "running");
                        shown.push((*n, status.as_str()));
                    }
                    None => running(&mut shown, "cancelled"),
                },
                Fact::Parked { .. } | Fact::Lost { .. } | Fact::Blocked => {
                    running(&mut shown, "lost");
                }
                Fact::Over { .. } => running(&mut shown, "cancelled"),
                _ => {}
            }
        }
        shown
    }

    /// §5.4: the ends in the order of their delivery.
    pub(crate) fn end_order(&self) -> Vec<usize> {
        let ends = self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Ended { step, .. } => Some(*step),
            _ => None,
        });
        ends.collect()
    }

    pub(crate) fn ends(&self) -> u32 {
        u32::try_from(self.end_order().len()).unwrap()
    }

    /// §3.3: what a step had been given when it began, without what others of these imply.
    pub(crate) fn edges(&self, step: usize) -> Vec<usize> {
        let order = self.end_order();
        let given = |step: usize| -> Vec<usize> {
            let after = self.last(|_, fact| match fact {
                Fact::Opened { step: one, after, .. } if *one == step => Some(*after),
                _ => None,
            });
            let count = usize::try_from(after.unwrap()).unwrap().min(order.len());
            let delivered = |step: &&usize| self.step(**step).0 != StepStatus::Cancelled;
            order[..count].iter().filter(delivered).copied().collect()
        };
        let all = given(step);
        let implied = |one: &usize| all.iter().any(|other| given(*other).contains(one));
        all.iter().filter(|one| !implied(one)).copied().collect()
    }

    /// When steps wake, with their position.
    fn wakes(&self) -> Vec<(Timestamp, usize, usize)> {
        let steps = self.steps().into_iter().enumerate();
        let mut wakes: Vec<_> = steps
            .filter_map(|(position, (step, _))| Some((self.step(step).1?, position, step)))
            .collect();
        wakes.sort_unstable();
        wakes
    }

    /// §9.2: the steps that wait for a child.
    pub(crate) fn children(&self) -> Vec<usize> {
        let invoked = self.steps().into_iter().filter(|(_, kind)| *kind == Kind::Invoke);
        let steps = invoked.map(|(step, _)| step);
        steps.filter(|step| self.step(*step).0 == StepStatus::Waiting).collect()
    }

    /// §5.6, §7.7: the steps whose children nobody waited for before they ended, in their order.
    pub(crate) fn unwanted(&self) -> Vec<usize> {
        let (mut waiting, mut unwanted) = (Vec::new(), Vec::new());
        let mut decided = false;
        for (_, fact) in &self.facts {
            match fact {
                Fact::Invoked { step } => waiting.push(*step),
                Fact::Ended { step, status, .. } => {
                    let waited = waiting.contains(step);
                    waiting.retain(|one| one != step);
                    if waited && !decided && *status == StepStatus::Cancelled {
                        unwanted.push(*step);
                    }
                }
                Fact::Decided { .. } | Fact::Over { .. } => {
                    if !decided {
                        unwanted.append(&mut waiting.clone());
                    }
                    decided = true;
                }
                _ => {}
            }
        }
        unwanted.sort_unstable();
        unwanted
    }

    pub(crate) fn timer(&self) -> Option<Timestamp> {
        if self.over().is_some() {
            return None;
        }
        if let Some((_, until)) = self.decided() {
            // While children's ends are awaited, nothing else is.
            return Some(until).filter(|_| self.children().is_empty());
        }
        let timed = |status| matches!(status, StepStatus::Sleeping | StepStatus::Waiting);
        let sleeping = |step| timed(self.step(step).0);
        let wake = self.wakes().into_iter().find(|(_, _, step)| match self.place() {
            _ if self.blocked() => false,
            // The runner keeps backoffs; what is ready or blocked is not woken by steps.
            RunStatus::Running => sleeping(*step),
            RunStatus::Waiting => true,
            // §9.6: of a paused run sleeps end all the same.
            _ => self.paused() && !self.owed() && sleeping(*step),
        });
        // §8.4: what was not looked for is due, but for a run that is told of it when it is given out.
        let told_later = self.blocked() || self.owed() || self.ready().is_some();
        let look = self.look_due().filter(|_| !told_later);
        let timers = wake.map(|(at, ..)| at).into_iter().chain(self.delayed());
        timers.chain(look).chain(self.deadline).min()
    }
}
