//! §4.5: a function that starts at most once starts when that is durable, again only after it is known
//! to have done nothing, and four times at most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::once::{STARTS_MAX, Verdict};

use super::all::Found;
use super::story::{Noted, Story, Tale};
use crate::clock::Micros;
use crate::history::Fact;

/// Starts of a step: its number, and when it was durable.
type Starts = BTreeMap<(RunId, Arc<str>), Vec<(u32, Micros)>>;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut starts = Starts::new();
    for (run, tale) in &story.runs {
        recorded(*run, tale, &mut starts, found);
    }
    let mut called: BTreeSet<(RunId, Arc<str>, u32)> = BTreeSet::new();
    for (at, fact) in story.facts {
        let Fact::Began { held, step, n, by, .. } = fact else { continue };
        let Some(starts) = starts.get(&(held.run, Arc::clone(step))) else { continue };
        let run = held.run;
        if !starts.iter().any(|(start, durable)| start == n && durable <= at) {
            found
                .add(*at, format!("{run}: {by:?} began start {n} of {step} before it was durable"));
        }
        if !called.insert((run, Arc::clone(step), *n)) {
            found.add(*at, format!("{run}: {by:?} began start {n} of {step} a second time"));
        }
    }
}

fn recorded(run: RunId, tale: &Tale, starts: &mut Starts, found: &mut Found) {
    // Whether a start may follow.
    let mut free: BTreeMap<Arc<str>, bool> = BTreeMap::new();
    for line in &tale.lines {
        match &line.noted {
            Noted::StepStarted { step, n, once } if *once || free.contains_key(step) => {
                let all = starts.entry((run, Arc::clone(step))).or_default();
                if free.insert(Arc::clone(step), false) == Some(false) {
                    let what =
                        format!("{run}: start {n} of {step} follows one that may have done it");
                    found.add(line.durable, what);
                }
                if *n > STARTS_MAX {
                    found.add(line.durable, format!("{run}: {step} starts {n} times"));
                }
                all.push((*n, line.durable));
            }
            Noted::Verified { step, verdict: Verdict::NotDone | Verdict::NotBegun } => {
                free.insert(Arc::clone(step), true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::once::Once;
    use stepwell_core::record::{Attempt, Opening};
    use stepwell_core::run::{Act, Command, StartStep, VerifyStep};
    use stepwell_core::status::Kind;
    use stepwell_core::time::Timestamp;

    use stepwell_core::clean_up::Compensable;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn start(world: &mut World, n: u32) {
        let (at, once) = (Timestamp::from_millis(1), Some(Once::default()));
        let (input, metadata, branch) = (None, None, None);
        let (kind, after, kept_from, compensable) = (Kind::Run, 0, None, Compensable::No);
        let open =
            Opening { kind, after, at, input, metadata, once, branch, kept_from, compensable };
        let attempt = Attempt { n, started_at: at, overlapped: false };
        let start = StartStep { step: "wire".into(), attempt, open: Some(open) };
        world.apply(Command::Runner { epoch: 1, act: Act::StartStep(start) });
    }

    #[test]
    fn a_second_start_is_refused() {
        let mut world = World::begun();
        start(&mut world, 1);
        let (step, verdict, output) = ("wire".into(), Verdict::NotBegun, None);
        let verify = VerifyStep { step, n: 1, verdict, output };
        world.apply(Command::Runner { epoch: 1, act: Act::Verify(verify) });
        start(&mut world, 1);
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite("\"verdict\":\"notBegun\"", "\"verdict\":\"unknown\"");
        assert!(run(check, &world.history)[0].contains("follows one that may have done it"));
    }
}
