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
        Record::StepEnded(r) => (&r.step, r.open.as_ref()),
        _ => return None,
    };
    Some((step, open?))
}

fn races(run: RunId, journal: &[u8], at: Micros, found: &mut Found) {
    let mut race_of: BTreeMap<String, String> = BTreeMap::new();
    let (mut known, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let mut over = false;
    for record in record::decode(journal).filter_map(Result::ok) {
        if let Some((step, open)) = opening(&record) {
            known.insert(step.to_owned());
            if let Some(branch) = &open.branch {
                let late = !matches!(&record, Record::StepEnded(end) if end.status == StepStatus::Cancelled);
                if late && ended.contains(&*branch.race) {
                    found.add(at, format!("{run}: {step} began after its race had ended"));
                }
                race_of.insert(step.to_owned(), branch.race.to_string());
            }
        }
        match record {
            Record::StepEnded(one) => {
                ended.insert(one.step.into_owned());
            }
            Record::Ended(_) => over = true,
            _ => {}
        }
    }
    // The end of the run ends all.
    for (step, race) in race_of.iter().filter(|(step, _)| !over && !ended.contains(*step)) {
        let mut outer = Some(race);
        while let Some(race) = outer {
            if ended.contains(race) {
                found.add(at, format!("{run}: {step} is open, and its race {race} has ended"));
            }
            outer = race_of.get(race);
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
}
