//! What a program is made of, and what it asks for at each point.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::retry::Policy;
use stepwell_core::status::{Kind, StepStatus};

use super::input::Input;
use crate::clock::Micros;

/// What a workflow does with one input.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its steps; shapes name them by their place.
    pub steps: Vec<Step>,
    /// In what order they are asked for.
    pub shape: Shape,
    /// What another run goes on with once all is done.
    pub next: Option<Input>,
}

/// How steps hang together.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A step.
    Step(usize),
    /// One after the other.
    Sequence(Vec<Shape>),
    /// Together; the first failure ends all.
    Together(Vec<Shape>),
    /// Together; the first to settle ends all.
    First(Vec<Shape>),
    /// One of two, by what a step gave.
    Either {
        /// The step.
        of: usize,
        /// What is done for an even result.
        even: Box<Shape>,
        /// What is done for an odd one.
        odd: Box<Shape>,
    },
    /// A race, which is a step, of branches: the first to settle wins and is recorded.
    Race {
        /// The step.
        of: usize,
        /// What the branches do.
        branches: Vec<Shape>,
    },
}

/// A step of a program.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its id.
    pub id: Arc<str>,
    /// What it does.
    pub what: What,
}

impl Step {
    /// Returns what the step is made by.
    pub fn kind(&self) -> Kind {
        match self.what {
            What::Run(_) => Kind::Run,
            What::Sleep(_) => Kind::Sleep,
            What::SleepUntil(_) => Kind::SleepUntil,
            What::Skip => Kind::Skip,
            What::Race => Kind::Race,
            What::Wait(Awaited { named: true, .. }) => Kind::NamedWait,
            What::Wait(_) => Kind::WaitForEvent,
            What::Emit(_) => Kind::Emit,
            What::Invoke(_) => Kind::Invoke,
        }
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum What {
    /// Calls a function.
    Run(Function),
    /// Sleeps so long.
    Sleep(Micros),
    /// Sleeps until so long after the run was created.
    SleepUntil(Micros),
    /// Does not apply.
    Skip,
    /// Runs a child.
    Invoke(Invoked),
    /// Lets branches race.
    Race,
    /// Waits for an event.
    Wait(Awaited),
    /// Sends an event.
    Emit(Topic),
}

/// What an event is about: waits ask for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// The number of its name.
    pub name: u64,
    /// What is in its data.
    pub key: u64,
}

impl Topic {
    /// How many names and keys there are.
    pub const ALL: (u64, u64) = (2, 4);

    /// Returns the event's name.
    pub fn event(self) -> String {
        format!("event-{}", self.name)
    }

    /// Returns every topic.
    pub fn all() -> impl Iterator<Item = Self> {
        let (names, keys) = Self::ALL;
        (0..names).flat_map(move |name| (0..keys).map(move |key| Self { name, key }))
    }

    /// Returns the name of the wait for it that apps declare.
    pub fn declared(self) -> String {
        format!("for-{}-{}", self.name, self.key)
    }

    /// Returns the match of a wait for it.
    pub fn wanted(self) -> String {
        format!("{{\"key\":{}}}", self.key)
    }

    /// Returns the data of an event that says of itself that it is this one.
    pub fn data(self, which: &str) -> String {
        format!("{{\"key\":{},\"which\":\"{which}\"}}", self.key)
    }
}

/// What a wait asks for.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    /// What the event is about.
    pub topic: Topic,
    /// How long it waits.
    pub timeout: Micros,
    /// From when on events count.
    pub since: Since,
    /// It is one that the app declares.
    pub named: bool,
}

/// From when on events count for a wait.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    /// From the start of the run on.
    RunStart,
    /// From when it was parked on.
    Parked,
    /// So long back.
    Back(Micros),
}

/// A child that a step runs.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// Its workflow.
    pub workflow: Arc<str>,
    /// What it does.
    pub input: Input,
    /// Most time for it, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The code goes on when it does not complete.
    pub caught: bool,
}

impl Invoked {
    /// Returns what the step records as its input.
    pub fn recorded(&self) -> Option<Box<RawValue>> {
        let mut wanted = serde_json::json!({ "workflow": self.workflow, "input": self.input });
        if let Some(ms) = self.timeout_ms {
            wanted["timeoutMs"] = ms.into();
        }
        RawValue::from_string(wanted.to_string()).ok()
    }
}

/// The function of a step.
#[derive(Clone, Debug)]
pub struct Function {
    /// The code goes on when the step fails.
    pub caught: bool,
    /// When it is tried again; the default where absent.
    pub policy: Option<Policy>,
    /// Most time for an attempt, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Most time for all attempts, in milliseconds.
    pub total_timeout_ms: Option<u64>,
    /// What each attempt does; the last one stands for all behind it.
    pub tries: Vec<Try>,
    /// It starts at most once.
    pub once: bool,
    /// How it is taken back, if it can be.
    pub undo: Option<Undo>,
}

/// How a step is taken back.
#[derive(Clone, Debug)]
pub struct Undo {
    /// What each attempt does; the last one stands for all behind it.
    pub tries: Vec<Try>,
    /// It can be taken back without its result.
    pub unknown: bool,
}

impl Function {
    /// Returns what an attempt does.
    pub fn attempt(&self, n: u32) -> &Try {
        attempt(&self.tries, n)
    }
}

impl Undo {
    /// Returns what an attempt does.
    pub fn attempt(&self, n: u32) -> &Try {
        attempt(&self.tries, n)
    }
}

fn attempt(tries: &[Try], n: u32) -> &Try {
    let last = tries.len() - 1;
    &tries[usize::try_from(n).unwrap_or(1).saturating_sub(1).min(last)]
}

/// What one attempt does.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// How long it takes.
    pub takes: Micros,
    /// How it ends.
    pub end: TryEnd,
    /// It stops soon after its signal; else it goes on to its end.
    pub heeds: bool,
    /// How many lines it logs.
    pub logs: u8,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryEnd {
    /// It returns so many bytes, or about.
    Value(usize),
    /// It returns nothing.
    Nothing,
    /// It fails.
    Fails,
    /// It fails, and trying again is of no use.
    Terminal,
    /// It fails, and says in how many milliseconds to try again.
    RetryAfter(u64),
    /// Its runner's process ends with it.
    Kills,
}

/// What the code was given of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// How the step ended.
    pub status: StepStatus,
    /// Its result.
    pub output: Option<Arc<str>>,
}

impl Delivered {
    /// Tells which of two ways code goes that looks at the result.
    pub fn is_even(&self) -> bool {
        let sum: u32 = self.output.iter().flat_map(|text| text.bytes()).map(u32::from).sum();
        sum.is_multiple_of(2)
    }
}

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It waits for steps.
    Waits,
    /// It returned.
    Returned,
    /// It failed for this step.
    Failed(usize),
}

impl Program {
    /// Looks where the program stands with what was delivered, and which steps it waits for.
    pub fn look(&self, given: &HashMap<usize, Delivered>, asks: &mut Vec<usize>) -> Look {
        self.look_at(&self.shape, given, asks)
    }

    fn look_at(
        &self,
        shape: &Shape,
        given: &HashMap<usize, Delivered>,
        asks: &mut Vec<usize>,
    ) -> Look {
        match shape {
            Shape::Step(at) => self.look_at_step(*at, given, asks),
            Shape::Sequence(parts) => {
                for part in parts {
                    match self.look_at(part, given, asks) {
                        Look::Returned => {}
                        other => return other,
                    }
                }
                Look::Returned
            }
            Shape::Together(parts) => {
                let begun = asks.len();
                let mut waits = false;
                for part in parts {
                    match self.look_at(part, given, asks) {
                        Look::Waits => waits = true,
                        Look::Returned => {}
                        Look::Failed(step) => {
                            asks.truncate(begun);
                            return Look::Failed(step);
                        }
                    }
                }
                if waits { Look::Waits } else { Look::Returned }
            }
            Shape::First(parts) => {
                let begun = asks.len();
                for part in parts {
                    let look = self.look_at(part, given, asks);
                    if look != Look::Waits {
                        asks.truncate(begun);
                        return look;
                    }
                }
                if parts.is_empty() { Look::Returned } else { Look::Waits }
            }
            // No runner that looks at a program is given one with a race.
            Shape::Race { of, .. } => self.look_at_step(*of, given, asks),
            Shape::Either { of, even, odd } => {
                let is_even = given.get(of).is_none_or(Delivered::is_even);
                self.look_at(if is_even { even } else { odd }, given, asks)
            }
        }
    }

    fn look_at_step(
        &self,
        at: usize,
        given: &HashMap<usize, Delivered>,
        asks: &mut Vec<usize>,
    ) -> Look {
        let Some(delivered) = given.get(&at) else {
            asks.push(at);
            return Look::Waits;
        };
        let caught = match &self.steps[at].what {
            What::Run(function) => function.caught,
            What::Invoke(invoked) => invoked.caught,
            What::Sleep(_) | What::SleepUntil(_) | What::Skip | What::Race | What::Emit(_) => false,
            // A wait that times out gives nothing.
            What::Wait(_) => delivered.status == StepStatus::TimedOut,
        };
        match delivered.status {
            StepStatus::Completed | StepStatus::Skipped => Look::Returned,
            _ if caught => Look::Returned,
            _ => Look::Failed(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at: usize) -> Step {
        Step { id: format!("s{at}").into(), what: What::Skip }
    }

    fn program(shape: Shape) -> Program {
        Program { steps: (0..5).map(step).collect(), shape, next: None }
    }

    #[track_caller]
    fn check(shape: Shape, given: &[(usize, StepStatus)], look: Look, asks: &[usize]) {
        let given = given
            .iter()
            .map(|(at, status)| (*at, Delivered { status: *status, output: None }))
            .collect();
        let mut found = Vec::new();
        assert_eq!(program(shape).look(&given, &mut found), look);
        assert_eq!(found, asks);
    }

    #[test]
    fn a_program_asks_for_what_it_waits_for() {
        use Shape::{First, Sequence, Step, Together};
        use StepStatus::{Completed, Failed};
        let join = || Together(vec![Step(0), Sequence(vec![Step(1), Step(2)])]);
        check(join(), &[], Look::Waits, &[0, 1]);
        check(join(), &[(1, Completed)], Look::Waits, &[0, 2]);
        check(join(), &[(0, Failed)], Look::Failed(0), &[]);
        check(join(), &[(0, Completed), (1, Completed), (2, Completed)], Look::Returned, &[]);
        let first = || Sequence(vec![First(vec![Step(0), Step(1)]), Step(2)]);
        check(first(), &[], Look::Waits, &[0, 1]);
        check(first(), &[(1, Completed)], Look::Waits, &[2]);
    }
}
