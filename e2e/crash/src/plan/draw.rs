//! Drawing plans.

use super::shape::{How, Part, Plan, Starts, Wait, Work};
use crate::dice::Dice;

impl Plan {
    /// Draws what a run of a workflow does.
    pub fn draw(workflow: &str, dice: &mut Dice) -> Self {
        let token = dice.text(16);
        let mut drawer = Drawer { dice, made: 0 };
        let mut fails = false;
        let parts = match workflow {
            "chain" => drawer.chain(),
            "branches" => drawer.branches(),
            "naps" => drawer.naps(),
            "flaky" => drawer.flaky(),
            "letters" => drawer.letters(),
            "family" => drawer.family(),
            "races" => drawer.races(),
            "once" => drawer.once(),
            "saga" => {
                fails = !drawer.dice.one_in(3);
                drawer.saga()
            }
            "again" => drawer.again(),
            "loop" => {
                let more = drawer.dice.within(0, 2);
                return drawer.turns(token, more);
            }
            _ => drawer.mixed(),
        };
        Self { token, parts, fails, then: None, after: None }
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
        let starts = match how {
            How::Verified => Starts::AfterNotDone,
            How::Unverified => Starts::One,
            How::Waits | How::Hangs | How::OwnThread | How::BlocksThread | How::Stumbles => {
                Starts::Any
            }
        };
        let bytes = usize::try_from(bytes).unwrap_or(8);
        // Those that start at most once take long enough for some of them to be lost.
        let most_ms = if starts == Starts::Any { 60 } else { 400 };
        let plain = Work::plain(&self.id("work"), self.dice.within(1, most_ms));
        Part::Work(Work { bytes, fails, how, starts, ..plain })
    }

    fn plain(&mut self) -> Part {
        self.work(0, How::Waits)
    }

    fn undoable(&mut self) -> Part {
        let how = if self.dice.one_in(4) { How::OwnThread } else { How::Waits };
        match self.work(0, how) {
            Part::Work(work) => Part::Work(Work { undo: true, ..work }),
            part => part,
        }
    }

    fn sleep(&mut self, most_ms: u64) -> Part {
        // Some sleep through several crashes.
        let most_ms = if self.dice.one_in(10) { most_ms * 8 } else { most_ms };
        Part::Sleep { id: self.id("sleep"), ms: self.dice.within(1, most_ms) }
    }

    /// A wait whose event a client sends.
    fn awaits(&mut self, group: &str) -> Part {
        Part::Wait(Wait { id: self.id("wait"), group: group.into(), sent: true, ms: None })
    }

    /// A wait with a time limit.
    fn hopes(&mut self, sent: bool, ms: u64) -> Part {
        let id = self.id("wait");
        Part::Wait(Wait { group: id.clone(), id, sent, ms: Some(ms) })
    }

    fn emit(&mut self) -> Part {
        Part::Emit { id: self.id("emit"), to: None }
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

    /// Events from clients and from the run itself, one for which nobody waits long enough, and one that
    /// starts a run.
    fn letters(&mut self) -> Vec<Part> {
        let own = Part::Emit { id: self.id("emit"), to: Some("own".into()) };
        let own_wait =
            Part::Wait(Wait { id: self.id("wait"), group: "own".into(), sent: false, ms: None });
        let never = self.dice.within(1, 400);
        let branches = vec![vec![self.awaits("left")], vec![self.plain(), self.awaits("right")]];
        vec![
            self.plain(),
            self.awaits("both"),
            own,
            self.awaits("both"),
            own_wait,
            self.hopes(false, never),
            Part::Branches(branches),
            self.emit(),
        ]
    }

    /// Children, side by side with other steps, and a child of a child.
    fn family(&mut self) -> Vec<Part> {
        let first = self.invoke(1);
        let (second, plain) = (self.invoke(0), self.plain());
        vec![first, Part::Branches(vec![vec![second], vec![plain]]), self.plain()]
    }

    fn invoke(&mut self, deep: u32) -> Part {
        let workflow =
            ["chain", "naps", "flaky", "loop"][usize::try_from(self.dice.next() % 4).unwrap_or(0)];
        let mut plan = Plan::draw(workflow, self.dice);
        if deep > 0 {
            let grandchild = Drawer { dice: &mut *self.dice, made: 100 }.invoke(deep - 1);
            plan.parts.push(grandchild);
        }
        Part::Invoke { id: self.id("invoke"), workflow: workflow.into(), plan: Box::new(plan) }
    }

    /// Races: an event against time, work against work, and a child against a pause.
    fn races(&mut self) -> Vec<Part> {
        let limit = self.dice.within(50, 900);
        let answer = vec![self.hopes(true, 60_000), self.plain()];
        let late = vec![Part::Sleep { id: self.id("sleep"), ms: limit }];
        let first = Part::Race { id: self.id("race"), branches: vec![answer, late] };
        let branches = vec![
            vec![self.plain(), self.plain()],
            vec![self.work(1, How::Waits)],
            vec![self.sleep(80), self.work(0, How::OwnThread)],
        ];
        let second = Part::Race { id: self.id("race"), branches };
        let (child, pause) = (self.invoke(0), self.sleep(300));
        let third = Part::Race { id: self.id("race"), branches: vec![vec![child], vec![pause]] };
        vec![first, self.plain(), second, third, self.plain()]
    }

    fn once(&mut self) -> Vec<Part> {
        let verified = |drawer: &mut Self| drawer.work(0, How::Verified);
        vec![
            verified(self),
            self.plain(),
            self.work(0, How::Unverified),
            Part::Branches(vec![vec![verified(self)], vec![verified(self)]]),
            self.plain(),
        ]
    }

    /// Steps that can be taken back, some of them side by side, and what cannot.
    fn saga(&mut self) -> Vec<Part> {
        let branches = vec![vec![self.undoable()], vec![self.undoable(), self.plain()]];
        vec![
            self.undoable(),
            self.plain(),
            Part::Branches(branches),
            self.sleep(100),
            self.undoable(),
            self.emit(),
        ]
    }

    /// The handler fails and runs again, with what completed before.
    fn again(&mut self) -> Vec<Part> {
        vec![
            self.plain(),
            self.work(0, How::Stumbles),
            self.sleep(50),
            self.plain(),
            self.work(0, How::Stumbles),
        ]
    }

    /// A loop. Its runs take events that carry the same: what one took stays taken (§8.4).
    fn turns(&mut self, token: String, more: u64) -> Plan {
        let parts = vec![self.plain(), self.sleep(60), self.awaits("turn")];
        let then = (more > 0).then(|| Box::new(self.turns(token.clone(), more - 1)));
        Plan { token, parts, fails: false, then, after: None }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::WORKFLOWS;

    fn ids(parts: &[Part], found: &mut Vec<String>) {
        for part in parts {
            match part {
                Part::Work(work) => found.push(work.id.clone()),
                Part::Wait(wait) => found.push(wait.id.clone()),
                Part::Sleep { id, .. }
                | Part::Until { id, .. }
                | Part::Skip { id }
                | Part::Emit { id, .. }
                | Part::Invoke { id, .. } => found.push(id.clone()),
                Part::Branches(branches) => branches.iter().for_each(|one| ids(one, found)),
                Part::Race { id, branches } => {
                    found.push(id.clone());
                    for one in branches {
                        ids(one, found);
                    }
                }
            }
        }
    }

    #[test]
    fn a_plan_names_each_step_once_and_reads_back_the_same() {
        let mut dice = Dice::of(7);
        for at in 0..600 {
            let plan = Plan::draw(WORKFLOWS[at % WORKFLOWS.len()], &mut dice);
            let mut found = Vec::new();
            ids(&plan.parts, &mut found);
            let different: BTreeSet<&String> = found.iter().collect();
            assert_eq!(different.len(), found.len(), "{found:?}");
            assert!(found.len() >= plan.steps() as usize, "{found:?}");
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        }
    }

    #[test]
    fn each_wait_that_has_to_get_an_event_gets_one() {
        let mut dice = Dice::of(8);
        for _ in 0..50 {
            let letters = Plan::draw("letters", &mut dice).letters();
            let groups: Vec<&str> = letters.iter().map(|letter| &*letter.group).collect();
            assert_eq!(groups, ["both", "both", "left", "right"]);
            let looped = Plan::draw("loop", &mut dice);
            let mut runs = 1;
            let mut then = &looped.then;
            while let Some(next) = then {
                (runs, then) = (runs + 1, &next.then);
            }
            assert_eq!(looped.letters().len(), runs);
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
