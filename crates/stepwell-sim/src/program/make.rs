//! Making a program from numbers.

use std::sync::Arc;

use stepwell_core::retry::Policy;
use stepwell_core::step_id;

use super::input::{Input, Profile};
use super::shape::{
    Awaited, Function, Invoked, Program, Shape, Since, Step, Topic, Try, TryEnd, Undo, What,
};
use crate::clock::{Micros, SECOND};
use crate::rng::Rng;

/// The stream that programs are drawn from.
const STREAM: u64 = 11;

impl Program {
    /// Makes the program that an input names; the same for everyone.
    pub fn of(input: &Input) -> Arc<Self> {
        let rng = Rng::new(input.program, STREAM);
        let mut maker = Maker { rng, profile: input.profile, steps: Vec::new() };
        let shape = maker.whole();
        let next = maker.next();
        Arc::new(Self { steps: maker.steps, shape, next })
    }
}

struct Maker {
    rng: Rng,
    profile: Profile,
    steps: Vec<Step>,
}

impl Maker {
    fn whole(&mut self) -> Shape {
        let parts = match self.profile {
            Profile::Plain | Profile::Failing | Profile::Waiting | Profile::Saga => {
                self.rng.within(2, 6)
            }
            Profile::Branches | Profile::Dropping | Profile::Chain => self.rng.within(1, 2),
            Profile::Long => self.rng.spread(10, 40),
            Profile::Sleepy | Profile::Delicate => self.rng.within(2, 5),
            Profile::Large | Profile::Poison | Profile::Parent => self.rng.within(1, 4),
        };
        let mut shapes: Vec<Shape> = (0..parts).map(|_| self.part(0)).collect();
        if self.profile == Profile::Poison {
            let at = self.rng.place(shapes.len() + 1);
            let poison = self.poison();
            shapes.insert(at, poison);
        }
        Shape::Sequence(shapes)
    }

    fn part(&mut self, depth: u32) -> Shape {
        let weights = match self.profile {
            Profile::Branches => [3, 4, 1, 1],
            Profile::Dropping => [3, 1, 4, 1],
            Profile::Long => [30, 1, 0, 1],
            Profile::Plain | Profile::Failing | Profile::Sleepy | Profile::Chain => [8, 2, 1, 1],
            // What completed in the branches of a race is taken back too.
            Profile::Saga if self.rng.chance(150) && depth < 2 => return self.race(depth),
            Profile::Saga => [8, 2, 1, 0],
            Profile::Parent => [4, 3, 2, 0],
            Profile::Large | Profile::Poison => [6, 1, 1, 0],
            Profile::Delicate if self.rng.chance(400) && depth < 2 => return self.race(depth),
            Profile::Delicate => [6, 2, 1, 1],
            Profile::Waiting => [6, 3, 2, 0],
        };
        match if depth >= 2 { 0 } else { self.rng.weighed(&weights) } {
            1 => Shape::Together(self.branches(depth, 4)),
            2 => Shape::First(self.branches(depth, 3)),
            3 => self.either(depth),
            _ => self.step(),
        }
    }

    fn branches(&mut self, depth: u32, most: u64) -> Vec<Shape> {
        let count = self.rng.within(2, most);
        let mut branch = || {
            let length = self.rng.spread(1, 3);
            Shape::Sequence((0..length).map(|_| self.part(depth + 1)).collect())
        };
        (0..count).map(|_| branch()).collect()
    }

    fn race(&mut self, depth: u32) -> Shape {
        let of = self.add("race", What::Race);
        Shape::Race { of, branches: self.branches(depth, 3) }
    }

    fn either(&mut self, depth: u32) -> Shape {
        let (of, looked_at) = self.function();
        let even = Box::new(self.part(depth + 1));
        let odd = Box::new(self.part(depth + 1));
        Shape::Sequence(vec![looked_at, Shape::Either { of, even, odd }])
    }

    fn add(&mut self, name: &str, what: What) -> usize {
        let at = self.steps.len();
        let mut step = Step { id: format!("{name}-{at}").into(), what };
        step.id = step_id::of(step.kind(), &step.id).into();
        self.steps.push(step);
        at
    }

    fn step(&mut self) -> Shape {
        if self.profile == Profile::Waiting && self.rng.chance(750) {
            return self.of_events();
        }
        if self.profile == Profile::Parent && self.rng.chance(600) {
            return self.child();
        }
        let weights = match self.profile {
            Profile::Sleepy => [2, 4, 3, 1],
            Profile::Long => [40, 0, 0, 1],
            Profile::Failing | Profile::Large | Profile::Saga => [12, 1, 1, 1],
            Profile::Plain
            | Profile::Branches
            | Profile::Dropping
            | Profile::Delicate
            | Profile::Poison
            | Profile::Parent
            | Profile::Chain => [6, 1, 1, 1],
            Profile::Waiting => [4, 1, 0, 0],
        };
        match self.rng.weighed(&weights) {
            1 => {
                let time = self.pause();
                Shape::Step(self.add("sleep", What::Sleep(time)))
            }
            2 => {
                let time = self.pause();
                Shape::Step(self.add("until", What::SleepUntil(time)))
            }
            3 => Shape::Step(self.add("skip", What::Skip)),
            _ => self.function().1,
        }
    }

    fn topic(&mut self) -> Topic {
        let (names, keys) = Topic::ALL;
        Topic { name: self.rng.below(names), key: self.rng.below(keys) }
    }

    fn of_events(&mut self) -> Shape {
        let topic = self.topic();
        if self.rng.chance(500) {
            return Shape::Step(self.add("emit", What::Emit(topic)));
        }
        let since = match self.rng.weighed(&[4, 2, 2]) {
            0 => Since::RunStart,
            1 => Since::Parked,
            _ => Since::Back(self.rng.spread(1_000, 10 * SECOND)),
        };
        let long = self.rng.chance(300);
        let timeout = if long { self.rng.spread(9 * SECOND, 40 * SECOND) } else { self.pause() };
        let named = self.rng.chance(400);
        Shape::Step(self.add("wait", What::Wait(Awaited { topic, timeout, since, named })))
    }

    /// A child: mostly of a few steps, at times with children of its own, or a chain.
    fn child(&mut self) -> Shape {
        let all = [
            Profile::Plain,
            Profile::Sleepy,
            Profile::Failing,
            Profile::Dropping,
            Profile::Chain,
            Profile::Parent,
        ];
        let profile = all[self.rng.weighed(&[4, 5, 3, 1, 2, 1])];
        let nowhere = self.rng.chance(40);
        let invoked = Invoked {
            workflow: if nowhere { "nowhere".into() } else { "workflow-0".into() },
            input: Input { program: self.rng.below(1 << 40), profile, n: 0 },
            timeout_ms: self.rng.chance(150).then(|| self.rng.spread(50, 20_000)),
            caught: self.rng.chance(800),
        };
        Shape::Step(self.add("child", What::Invoke(invoked)))
    }

    fn next(&mut self) -> Option<Input> {
        if self.profile != Profile::Chain || self.rng.chance(200) {
            return None;
        }
        let profile = if self.rng.chance(500) { Profile::Chain } else { Profile::Plain };
        Some(Input { program: self.rng.below(1 << 40), profile, n: 0 })
    }

    fn pause(&mut self) -> Micros {
        match self.rng.weighed(&[12, 4, 1]) {
            0 => self.rng.spread(1_000, SECOND),
            1 => self.rng.spread(SECOND, 8 * SECOND),
            _ => self.rng.spread(4 * SECOND, 40 * SECOND),
        }
    }

    fn function(&mut self) -> (usize, Shape) {
        let failing = self.profile == Profile::Failing;
        let saga = self.profile == Profile::Saga;
        let fails = if saga {
            600
        } else if failing {
            500
        } else {
            60
        };
        let mut tries = Vec::new();
        while self.rng.chance(fails) && tries.len() < 5 {
            let end = match self.rng.weighed(&[8, 1, 2]) {
                0 => TryEnd::Fails,
                1 => TryEnd::Terminal,
                _ => TryEnd::RetryAfter(self.rng.spread(1, 3_000)),
            };
            let one = self.attempt(end);
            tries.push(one);
        }
        let end = self.value();
        let last = self.attempt(end);
        tries.push(last);
        let once = self.profile == Profile::Delicate && self.rng.chance(500);
        let timeout = (failing || once) && self.rng.chance(400);
        let total = failing && self.rng.chance(150);
        let function = Function {
            caught: self.rng.chance(if saga {
                100
            } else if failing {
                700
            } else {
                900
            }),
            policy: if once { None } else { self.policy() },
            timeout_ms: timeout.then(|| self.rng.spread(5, 2_000)),
            total_timeout_ms: total.then(|| self.rng.spread(50, 10_000)),
            tries,
            once,
            blocks: once && self.rng.chance(500),
            undo: if saga { self.undo() } else { None },
        };
        let at = self.add(if once { "once" } else { "run" }, What::Run(function));
        (at, Shape::Step(at))
    }

    fn undo(&mut self) -> Option<Undo> {
        if self.rng.chance(250) {
            return None;
        }
        let mut tries = Vec::new();
        while self.rng.chance(350) && tries.len() < 5 {
            let end = if self.rng.chance(200) { TryEnd::Terminal } else { TryEnd::Fails };
            let one = self.attempt(end);
            tries.push(one);
        }
        let last = self.attempt(TryEnd::Nothing);
        tries.push(last);
        Some(Undo { tries, unknown: self.rng.chance(400) })
    }

    fn attempt(&mut self, end: TryEnd) -> Try {
        let takes = match self.profile {
            Profile::Long => self.rng.spread(10, 5_000),
            _ => match self.rng.weighed(&[40, 10, 1]) {
                0 => self.rng.spread(100, 30_000),
                1 => self.rng.spread(30_000, SECOND),
                _ => self.rng.spread(SECOND, 15 * SECOND),
            },
        };
        let logs = if self.rng.chance(150) { 1 + u8::from(self.rng.chance(300)) } else { 0 };
        Try { takes, end, heeds: self.rng.chance(700), logs }
    }

    fn value(&mut self) -> TryEnd {
        if self.rng.chance(80) {
            return TryEnd::Nothing;
        }
        let large = self.profile == Profile::Large && self.rng.chance(600);
        TryEnd::Value(if large {
            let most = if self.rng.chance(30) { 300_000 } else { 20_000 };
            usize::try_from(self.rng.spread(500, most)).unwrap_or(1_000)
        } else {
            self.rng.place(200)
        })
    }

    fn policy(&mut self) -> Option<Policy> {
        match self.rng.weighed(&[2, 1, 5]) {
            0 => None,
            1 => Some(Policy::never()),
            _ => Some(Policy {
                max_attempts: u32::try_from(self.rng.within(1, 5)).unwrap_or(1),
                backoff_ms: self.rng.spread(1, 2_000),
                factor_milli: u32::try_from(self.rng.within(1_000, 3_000)).unwrap_or(1_000),
                max_backoff_ms: self.rng.spread(10, 5_000),
                jitter: self.rng.chance(500),
            }),
        }
    }

    fn poison(&mut self) -> Shape {
        let kills = self.attempt(TryEnd::Kills);
        let takes = self.rng.spread(100, 2 * SECOND);
        let function = Function {
            caught: true,
            policy: None,
            timeout_ms: None,
            total_timeout_ms: None,
            once: false,
            blocks: false,
            tries: vec![Try { takes, ..kills }],
            undo: None,
        };
        Shape::Step(self.add("poison", What::Run(function)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_input_always_names_the_same_program() {
        for profile in Profile::ALL {
            let input = Input { program: 9, profile, n: 0 };
            let (one, other) = (Program::of(&input), Program::of(&Input { n: 1, ..input }));
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            let ids: BTreeSet<_> = one.steps.iter().map(|step| step.id.clone()).collect();
            assert_eq!(ids.len(), one.steps.len(), "ids are used once");
        }
    }
}
