//! §5.5: with the end of a race nothing of its branches is open any more, and nothing of them begins.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_core::id::RunId;
use stepwell_core::record::{self, Opening, Record};
use stepwell_core::status::StepStatus;

use super::all::Found;
use super::story::Story;
use crate::clock::Micros;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for reading in &story.readings {
        for (run, journal) in &reading.read.journals {
            races(*run, journal, reading.at, found);
        }
    }
}

/// The first record of a step, where this is it.
fn opening<'r, 'a>(record: &'r Record<'a>) -> Option<(&'r str, &'r Opening<'a>)> {
    let (step, open) = match record {
        Record::StepStarted(r) => (&r.step, r.open.as_ref()),
        Record::AttemptFailed(r) => (&r.step, r.open.as_ref()),
        Record::SleepStarted(r) => (&r.step, Some(&r.open)),
        Record::RaceStarted(r) => (&r.step, Some(&r.open)),
        Record::WaitStarted(r) => (&r.step, Some(&r.open)),
        Record::ChildStarted(r) => (&r.step, Some(&r.open)),
        Record::StepEnded(r) => (&r.step, r.open.as_ref()),
        _ => return None,
    };
    Some((step, open?))
}

/// What a journal says so far.
#[derive(Default)]
struct So {
    /// The race that a step stands in, for steps in branches.
    race_of: BTreeMap<String, String>,
    /// Steps that ended, and whether a later run of the handler keeps that.
    ended: BTreeMap<String, bool>,
    /// Sleeps and waits for events, which a decided end cancels without a word (§7.2).
    parked: BTreeSet<String>,
    /// Children, whose ends an ending run awaits (§7.2).
    children: BTreeSet<String>,
    /// The end of the run, or what decided it, ended all.
    over: bool,
}

impl So {
    fn read(&mut self, record: &Record<'_>) {
        match record {
            Record::SleepStarted(one) => drop(self.parked.insert(one.step.to_string())),
            Record::WaitStarted(one) => drop(self.parked.insert(one.step.to_string())),
            Record::ChildStarted(one) => drop(self.children.insert(one.step.to_string())),
            Record::StepEnded(one) => {
                let kept = matches!(one.status, StepStatus::Completed | StepStatus::Skipped);
                self.ended.insert(one.step.to_string(), kept);
            }
            Record::Ending(_) => {
                for step in std::mem::take(&mut self.parked) {
                    self.ended.entry(step).or_insert(false);
                }
                for step in std::mem::take(&mut self.children) {
                    self.race_of.remove(&step);
                }
            }
            // §6.5: what did not complete is over, and its id is free again.
            Record::Retried(_) => {
                self.ended.retain(|_, kept| *kept);
                let ended = &self.ended;
                self.race_of.retain(|step, _| ended.contains_key(step));
                self.parked.clear();
                self.children.clear();
            }
            Record::CleanUp(_) | Record::Ended(_) => self.over = true,
            _ => {}
        }
    }
}

fn races(run: RunId, journal: &[u8], at: Micros, found: &mut Found) {
    let mut so = So::default();
    for record in record::decode(journal).filter_map(Result::ok) {
        if let Some((step, open)) = opening(&record)
            && let Some(branch) = &open.branch
        {
            let late =
                !matches!(&record, Record::StepEnded(end) if end.status == StepStatus::Cancelled);
            if late && so.ended.contains_key(&*branch.race) {
                found.add(at, format!("{run}: {step} began after its race had ended"));
            }
            so.race_of.insert(step.to_owned(), branch.race.to_string());
        }
        so.read(&record);
    }
    let is_open = |step: &str| !so.over && !so.ended.contains_key(step);
    for (step, race) in so.race_of.iter().filter(|(step, _)| is_open(step)) {
        let mut outer = Some(race);
        while let Some(race) = outer {
            if so.ended.contains_key(race) {
                found.add(at, format!("{run}: {step} is open, and its race {race} has ended"));
            }
            outer = so.race_of.get(race);
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::record::Branch;
    use stepwell_core::run::{Act, Command, EndRace, SleepStep};
    use stepwell_core::status::Kind;
    use stepwell_core::time::Timestamp;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn opening(kind: Kind, branch: Option<Branch<'static>>) -> Opening<'static> {
        let at = Timestamp::from_millis(1);
        Opening {
            kind,
            after: 0,
            at,
            input: None,
            metadata: None,
            once: None,
            branch,
            kept_from: None,
            compensable: stepwell_core::clean_up::Compensable::No,
        }
    }

    #[test]
    fn what_outlives_its_race_is_refused() {
        let mut world = World::begun();
        let mut act = |act| world.apply(Command::Runner { epoch: 1, act });
        act(Act::StartRace { step: "race".into(), open: opening(Kind::Race, None) });
        let branch = Branch { race: "race".into(), name: "one".into() };
        let open = opening(Kind::Sleep, Some(branch));
        let until = Timestamp::from_millis(i64::from(u32::MAX) * 4_000);
        act(Act::Sleep(SleepStep { step: "nap".into(), until, open }));
        let (step, at) = ("race".into(), Timestamp::from_millis(2));
        act(Act::EndRace(EndRace { step, at, result: Ok(None) }));
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite("\"stepEnded\":{\"step\":\"nap\"", "\"stepEnded\":{\"step\":\"other\"");
        assert!(run(check, &world.history)[0].contains("is open"));
    }
    /// A journal in which a race is won, after what is done before that.
    fn won(before: impl Fn(&mut World)) -> World {
        let mut world = World::begun();
        let at = Timestamp::from_millis(2);
        let open = opening(Kind::Race, None);
        world
            .apply(Command::Runner { epoch: 1, act: Act::StartRace { step: "race".into(), open } });
        let branch = Branch { race: "race".into(), name: "one".into() };
        let open = opening(Kind::Sleep, Some(branch));
        let until = Timestamp::from_millis(i64::from(u32::MAX) * 4_000);
        let nap = Act::Sleep(SleepStep { step: "nap".into(), until, open });
        world.apply(Command::Runner { epoch: 1, act: nap });
        before(&mut world);
        let end = Act::EndRace(EndRace { step: "race".into(), at, result: Ok(None) });
        world.apply(Command::Runner { epoch: 1, act: end });
        world.finish();
        world
    }

    #[test]
    fn a_sleep_that_the_decided_end_cancelled_is_not_open() {
        let cancelled = won(|world| world.apply(Command::Cancel { by: None, reason: None }));
        assert_eq!(run(check, &cancelled.history), [""; 0]);
    }
}
