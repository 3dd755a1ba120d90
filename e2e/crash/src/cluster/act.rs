//! Doing faults.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::database::Journals;
use super::draw::{Kind, Manner, Step};
use super::times::Times;
use super::town::{Node, Town};
use crate::drive::lock;
use crate::error::Error;
use crate::ledger::{Fault, What};
use crate::report::tell;

/// How often the faults so far are told.
const TOLD_EVERY: Duration = Duration::from_secs(15);

/// How long a runner that is killed has its runs: what goes on by then is not measured.
const TTL: Duration = Duration::from_secs(11);

/// How long a node is watched whose runs should go on.
const WATCHED: Duration = Duration::from_secs(20);

/// How long a commit is waited for whose answer is to be lost.
const COMMIT: Duration = Duration::from_secs(2);

/// Until a dead node's runs go on, for ninety-nine of a hundred, with the lease as it comes (3 s).
pub(super) const TAKEN_MAX: Duration = Duration::from_secs(6);

/// Until a node that is told to stop has let its runs go.
pub(super) const RELEASED_MAX: Duration = Duration::from_secs(1);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What a node is not at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    /// It stands still until then.
    Paused(Instant),
    /// It is started again then.
    Down(Instant),
}

/// Who does faults.
pub(super) struct Actor<'a> {
    town: &'a Town,
    absent: Vec<Option<Absent>>,
    runner_killed: Option<Instant>,
    done: usize,
    forgets: bool,
    /// From the death of a node until each of its runs goes on.
    pub(super) taken: Times,
    /// From a node being told to stop until none of its runs is its own any more.
    pub(super) released: Times,
    /// Runs of dead nodes that did not go on while they were watched.
    pub(super) stuck: usize,
}

impl<'a> Actor<'a> {
    pub(super) fn of(town: &'a Town, forgets: bool) -> Self {
        Self {
            town,
            absent: vec![None; town.nodes.len()],
            runner_killed: None,
            done: 0,
            forgets,
            taken: Times::default(),
            released: Times::default(),
            stuck: 0,
        }
    }

    /// Does all of it, and lets everything be as it was.
    pub(super) fn play(&mut self, steps: &[Step]) -> Result<(), Error> {
        let (begun, mut told) = (Instant::now(), Duration::ZERO);
        for step in steps {
            match step.manner {
                Manner::Calm => self.calm(step)?,
                Manner::Wild => self.wild(step)?,
            }
            self.done += 1;
            if begun.elapsed() >= told + TOLD_EVERY {
                told = begun.elapsed();
                tell(&format!("{:4} s: {} faults", told.as_secs(), self.done));
            }
        }
        self.await_all()
    }

    /// Ends the database, and every node.
    pub(super) fn end_all(&mut self) -> Result<(), Error> {
        self.end_database(Duration::ZERO)?;
        for node in &self.town.nodes {
            node.kill(&self.town.desk.pen)?;
        }
        for node in &self.town.nodes {
            node.start()?;
        }
        self.town.await_nodes()
    }

    /// Waits until everything is there, and nothing of what was before can be taken for what comes.
    fn calm(&mut self, step: &Step) -> Result<(), Error> {
        self.await_all()?;
        if let Some(killed) = self.runner_killed.take() {
            self.pass(TTL.saturating_sub(killed.elapsed()))?;
        }
        self.pass(Duration::from_millis(step.gap_ms))?;
        let Some((at, node)) = self.fullest()? else { return Ok(()) };
        if step.kind == Kind::Shutdown {
            self.shut_down(node)?;
        } else {
            self.kill(node)?;
        }
        node.start()?;
        self.absent[at] = None;
        self.town.await_nodes()
    }

    fn wild(&mut self, step: &Step) -> Result<(), Error> {
        self.pass(Duration::from_millis(step.gap_ms))?;
        let hold = Duration::from_millis(step.hold_ms);
        match step.kind {
            Kind::KillRunner => {
                self.runner_killed = Some(Instant::now());
                self.town.kill_runner(step.which)
            }
            Kind::Database => self.end_database(hold),
            Kind::Cut => self.cut(step.which),
            Kind::Pause => {
                let (at, node) = self.present(step.which)?;
                node.signal(Signal::STOP)?;
                self.absent[at] = Some(Absent::Paused(Instant::now() + hold));
                Ok(())
            }
            Kind::KillNode => {
                let (at, node) = self.present(step.which)?;
                node.kill(&self.town.desk.pen)?;
                self.absent[at] = Some(Absent::Down(Instant::now() + hold));
                Ok(())
            }
            Kind::Shutdown => {
                let (at, node) = self.present(step.which)?;
                node.signal(Signal::TERM)?;
                node.await_end(|| Ok(()))?;
                self.note(Fault::Shutdown, &node.name)?;
                self.absent[at] = Some(Absent::Down(Instant::now() + hold));
                Ok(())
            }
        }
    }

    /// Kills a node, and measures when each of its runs goes on.
    fn kill(&mut self, node: &Node) -> Result<(), Error> {
        let before = lock(&self.town.database).held(&node.name)?;
        node.kill(&self.town.desk.pen)?;
        let killed = Instant::now();
        let (mut left, mut late, mut last) = (before, 0_usize, Duration::ZERO);
        while !left.is_empty() && killed.elapsed() < WATCHED {
            self.town.check()?;
            std::thread::sleep(LOOK);
            let now = lock(&self.town.database).journals_of(&left)?;
            let goes_on = |run: &String, at: i64| now.get(run).is_some_and(|now| *now > at);
            let gone_on: Vec<String> = left
                .iter()
                .filter(|(run, at)| goes_on(run, **at))
                .map(|(run, _)| run.clone())
                .collect();
            for run in gone_on {
                left.remove(&run);
                last = killed.elapsed();
                late += usize::from(last > TAKEN_MAX);
                self.taken.add(last);
            }
        }
        if late > 0 {
            let name = &node.name;
            tell(&format!(
                "{late} runs of {name}, which died, went on late, the last after {last:.1?}"
            ));
        }
        self.stuck += left.len();
        told_stuck(&left, node);
        Ok(())
    }

    /// Tells a node to stop, and measures when none of its runs is its own any more.
    fn shut_down(&mut self, node: &Node) -> Result<(), Error> {
        let members = lock(&self.town.database).members(&node.name)?;
        let told = Instant::now();
        node.signal(Signal::TERM)?;
        loop {
            if lock(&self.town.database).owned_by(&members)? == 0 {
                break;
            }
            if told.elapsed() > WATCHED {
                let (what, last) =
                    (format!("the runs of {}", node.name), "they are its own".into());
                return Err(Error::Late { what, after: WATCHED, last });
            }
            std::thread::sleep(LOOK / 4);
        }
        let took = told.elapsed();
        if took > RELEASED_MAX {
            tell(&format!("{} let its runs go {took:.1?} after it was told to stop", node.name));
        }
        self.released.add(took);
        node.await_end(|| Ok(()))?;
        self.note(Fault::Shutdown, &node.name)
    }

    fn end_database(&mut self, after: Duration) -> Result<(), Error> {
        self.town.end_database(after)?;
        if self.forgets {
            lock(&self.town.database).forget()?;
        }
        self.note(Fault::Database, "database")
    }

    /// Lets the answer to the next commit of a node be lost: of that of a number, or of another one that commits.
    fn cut(&mut self, which: u64) -> Result<(), Error> {
        let begun = Instant::now();
        for other in 0.. {
            let (_, node) = self.present(which.wrapping_add(other))?;
            let before = node.proxy.lost();
            node.proxy.arm();
            let armed = Instant::now();
            while node.proxy.lost() == before && armed.elapsed() < COMMIT {
                self.pass(LOOK)?;
            }
            node.proxy.disarm();
            if node.proxy.lost() > before {
                return self.note(Fault::Cut, &node.name);
            }
            if begun.elapsed() > WATCHED * 2 {
                break;
            }
        }
        let what = "a commit whose answer can be lost was due".to_owned();
        Err(Error::Late { what, after: WATCHED * 2, last: "no node commits".into() })
    }

    /// Returns a node that is there: that of a number, or the next one, or whichever comes first.
    fn present(&mut self, which: u64) -> Result<(usize, &'a Node), Error> {
        loop {
            let count = self.town.nodes.len();
            let first = usize::try_from(which % count.max(1) as u64).unwrap_or_default();
            let mut all = (first..count).chain(0..first);
            let found = all.find(|at| self.absent.get(*at).is_some_and(Option::is_none));
            if let Some(found) = found.and_then(|at| Some((at, self.town.nodes.get(at)?))) {
                return Ok(found);
            }
            self.pass(LOOK)?;
        }
    }

    /// Returns the node that has most runs with code in progress.
    fn fullest(&self) -> Result<Option<(usize, &'a Node)>, Error> {
        let mut fullest = None;
        for (at, node) in self.town.nodes.iter().enumerate() {
            let count = lock(&self.town.database).held(&node.name)?.len();
            if fullest.is_none_or(|(most, _, _)| count > most) {
                fullest = Some((count, at, node));
            }
        }
        Ok(fullest.map(|(_, at, node)| (at, node)))
    }

    /// Lets time pass, in which nodes come back.
    fn pass(&mut self, time: Duration) -> Result<(), Error> {
        let until = Instant::now() + time;
        loop {
            self.town.check()?;
            self.bring_back()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    fn bring_back(&mut self) -> Result<(), Error> {
        for (at, node) in self.town.nodes.iter().enumerate() {
            let Some(absent) = self.absent.get(at).copied().flatten() else { continue };
            let (Absent::Paused(until) | Absent::Down(until)) = absent;
            if Instant::now() < until {
                continue;
            }
            match absent {
                Absent::Down(_) => node.start()?,
                Absent::Paused(_) => {
                    node.signal(Signal::CONT)?;
                    self.note(Fault::Pause, &node.name)?;
                }
            }
            self.absent[at] = None;
        }
        Ok(())
    }

    fn await_all(&mut self) -> Result<(), Error> {
        while self.absent.iter().any(Option::is_some) {
            self.pass(LOOK)?;
        }
        self.town.await_nodes()
    }

    fn note(&self, fault: Fault, victim: &str) -> Result<(), Error> {
        let victim = victim.to_owned();
        let noted = self.town.desk.pen.note(What::Fault { fault, victim });
        noted.map(drop).map_err(Error::io("a fault is noted"))
    }
}

fn told_stuck(left: &Journals, node: &Node) {
    for run in left.keys() {
        tell(&format!("run {run} of {} has not gone on {WATCHED:?} after its death", node.name));
    }
}
