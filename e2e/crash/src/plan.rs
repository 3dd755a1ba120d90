//! What a run does. The client draws it and gives it to the run as its input.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// Names of the workflows. All play a plan; several names share runners, as in life.
pub const WORKFLOWS: [&str; 5] = ["chain", "branches", "naps", "flaky", "mixed"];

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its parts, one after the other.
    pub parts: Vec<Part>,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Part {
    /// A step with a function.
    Work(Work),
    /// A pause.
    Sleep {
        /// The step.
        id: String,
        /// How long, in milliseconds.
        ms: u64,
    },
    /// A pause until an instant.
    Until {
        /// The step.
        id: String,
        /// How far from the run's now, in milliseconds.
        ms: u64,
    },
    /// A step that does not apply.
    Skip {
        /// The step.
        id: String,
    },
    /// Branches side by side.
    Branches(Vec<Vec<Self>>),
}

/// A step with a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Work {
    /// The step.
    pub id: String,
    /// How long the function takes, in milliseconds.
    pub ms: u64,
    /// How large its result is, in bytes.
    pub bytes: usize,
    /// How many attempts do not succeed.
    pub fails: u32,
    /// How they do not succeed, and what the function runs on.
    pub how: How,
    /// Nothing happens that would allow a second start of the function.
    pub once: bool,
}

/// What a function does while it takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It waits, and fails with an error.
    Waits,
    /// It waits, and hangs in place of failing, until its time is out.
    Hangs,
    /// It blocks a thread of its own, and fails with an error.
    OwnThread,
    /// It blocks the thread that it is polled on.
    BlocksThread,
}

impl Work {
    /// Returns how many attempts the step may have. A lost attempt does not count (§4.4), so there is
    /// one to spare only where an attempt can be late for no fault of the engine.
    pub fn attempts_max(&self) -> u32 {
        match self.how {
            How::Hangs => self.fails + 4,
            How::Waits | How::OwnThread | How::BlocksThread => self.fails + 1,
        }
    }
}

impl Plan {
    /// Draws what a run of a workflow does.
    pub fn draw(workflow: &str, dice: &mut Dice) -> Self {
        let mut drawer = Drawer { dice, made: 0 };
        let parts = match workflow {
            "chain" => drawer.chain(),
            "branches" => drawer.branches(),
            "naps" => drawer.naps(),
            "flaky" => drawer.flaky(),
            _ => drawer.mixed(),
        };
        Self { parts }
    }

    /// Returns what a run does that blocks a thread for so long.
    pub fn block(how: How, ms: u64) -> Self {
        let id = "block".to_owned();
        let work = Work { id, ms, bytes: 16, fails: 0, how, once: true };
        Self { parts: vec![Part::Work(work)] }
    }

    /// Returns how many steps with a function it has.
    pub fn steps(&self) -> u32 {
        fn count(parts: &[Part]) -> u32 {
            let of = |part: &Part| match part {
                Part::Work(_) => 1,
                Part::Branches(branches) => branches.iter().map(|branch| count(branch)).sum(),
                Part::Sleep { .. } | Part::Until { .. } | Part::Skip { .. } => 0,
            };
            parts.iter().map(of).sum()
        }
        count(&self.parts)
    }
}

struct Drawer<'a> {
    dice: &'a mut Dice,
    made: u32,
}

impl Drawer<'_> {
    fn id(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    fn work(&mut self, fails: u32, how: How) -> Part {
        // Most results are small; some take several frames of a socket and blocks of a log.
        let large = self.dice.one_in(25);
        let bytes = if large { self.dice.within(20_000, 60_000) } else { self.dice.within(8, 200) };
        Part::Work(Work {
            id: self.id("work"),
            ms: self.dice.within(1, 60),
            bytes: usize::try_from(bytes).unwrap_or(8),
            fails,
            how,
            once: false,
        })
    }

    fn plain(&mut self) -> Part {
        self.work(0, How::Waits)
    }

    fn sleep(&mut self, most_ms: u64) -> Part {
        // Some sleep through several crashes.
        let most_ms = if self.dice.one_in(10) { most_ms * 8 } else { most_ms };
        Part::Sleep { id: self.id("sleep"), ms: self.dice.within(1, most_ms) }
    }

    fn fails(&mut self) -> u32 {
        if self.dice.one_in(2) { 1 } else { 2 }
    }

    fn chain(&mut self) -> Vec<Part> {
        (0..self.dice.within(3, 7)).map(|_| self.plain()).collect()
    }

    fn branches(&mut self) -> Vec<Part> {
        let first = self.plain();
        let mut branches = Vec::new();
        for _ in 0..self.dice.within(2, 5) {
            branches.push((0..self.dice.within(1, 3)).map(|_| self.plain()).collect());
        }
        vec![first, Part::Branches(branches), self.plain()]
    }

    fn naps(&mut self) -> Vec<Part> {
        let until = Part::Until { id: self.id("until"), ms: self.dice.within(1, 300) };
        let skip = Part::Skip { id: self.id("skip") };
        vec![self.plain(), self.sleep(600), self.plain(), until, skip, self.plain()]
    }

    fn flaky(&mut self) -> Vec<Part> {
        let (failing, hanging) = (self.fails(), self.fails() - 1);
        vec![
            self.work(failing, How::Waits),
            self.plain(),
            self.work(hanging, How::Hangs),
            self.work(1, How::OwnThread),
        ]
    }

    fn mixed(&mut self) -> Vec<Part> {
        let fails = self.fails();
        let branches = vec![
            vec![self.work(fails, How::Waits)],
            vec![self.sleep(200), self.plain()],
            vec![self.work(0, How::OwnThread), self.sleep(50), self.plain()],
        ];
        vec![self.work(0, How::OwnThread), Part::Branches(branches), self.sleep(100), self.plain()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(parts: &[Part], found: &mut Vec<String>) {
        for part in parts {
            match part {
                Part::Work(work) => found.push(work.id.clone()),
                Part::Sleep { id, .. } | Part::Until { id, .. } | Part::Skip { id } => {
                    found.push(id.clone());
                }
                Part::Branches(branches) => branches.iter().for_each(|one| ids(one, found)),
            }
        }
    }

    #[test]
    fn a_plan_names_each_step_once_and_reads_back_the_same() {
        let mut dice = Dice::of(7);
        for at in 0..500 {
            let plan = Plan::draw(WORKFLOWS[at % WORKFLOWS.len()], &mut dice);
            let mut found = Vec::new();
            ids(&plan.parts, &mut found);
            let different: BTreeSet<&String> = found.iter().collect();
            assert_eq!(different.len(), found.len(), "{found:?}");
            let works = found.iter().filter(|id| id.starts_with("work")).count();
            assert_eq!(works, plan.steps() as usize);
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_plans() {
        let draw = |seed| -> Vec<Plan> {
            let mut dice = Dice::of(seed);
            WORKFLOWS.iter().map(|workflow| Plan::draw(workflow, &mut dice)).collect()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }
}
