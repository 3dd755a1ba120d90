//! I8: attempts are bounded and counted over crashes; a run that keeps killing its runner is given
//! one to itself, and is blocked after three losses there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::retry::Policy;
use stepwell_core::status::StepStatus;

use super::all::Found;
use super::story::{Noted, Story, Tale};
use crate::clock::Micros;
use crate::history::{Call, Fact, Held, Process};
use crate::program::What;

/// Losses from which on a run is given a runner to itself.
const SUSPECT: u32 = 2;

/// Losses of a run that had its runner to itself, after which it is blocked.
const LONE_MAX: u32 = 3;

/// Losses with a function in progress that may not count: word of it is lost with its process at
/// times, but not again and again.
const UNCOUNTED_MAX: u32 = 2;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        attempts(*run, tale, found);
        losses(*run, tale, found);
    }
    kills(story, found);
    company(story, found);
}

fn most_attempts(tale: &Tale, step: &str) -> u32 {
    let steps = tale.program.iter().flat_map(|program| &program.steps);
    let function = steps.filter(|one| *one.id == *step).find_map(|one| match &one.what {
        What::Run(function) => Some(function),
        What::Sleep(_)
        | What::SleepUntil(_)
        | What::Skip
        | What::Race
        | What::Invoke(_)
        | What::Wait(_)
        | What::Emit(_) => None,
    });
    let policy = function.and_then(|function| function.policy.clone());
    policy.unwrap_or_else(Policy::default).max_attempts.max(1)
}

fn attempts(run: RunId, tale: &Tale, found: &mut Found) {
    let mut failed: BTreeMap<Arc<str>, u32> = BTreeMap::new();
    let mut kept = BTreeSet::new();
    for line in &tale.lines {
        let (step, n, is_end) = match &line.noted {
            // Those were attempts of the run that this one is made of.
            Noted::StepEnded { kept: true, .. } => continue,
            // §6.5: what did not complete begins anew.
            Noted::Retried { .. } => {
                failed.retain(|step, _| kept.contains(step));
                continue;
            }
            Noted::StepEnded { step, status: StepStatus::Completed, n, .. } if *n > 0 => {
                kept.insert(Arc::clone(step));
                (step, *n, true)
            }
            Noted::AttemptFailed { step, n, .. } => (step, *n, false),
            Noted::StepEnded { step, n, .. } if *n > 0 => (step, *n, true),
            _ => continue,
        };
        if step.starts_with("once-") {
            // Lost starts of these are counted: `once` looks at them.
            continue;
        }
        let before = failed.entry(Arc::clone(step)).or_default();
        if n != *before + 1 {
            found.add(line.durable, format!("{run}: attempt {n} of {step} follows {before}"));
        }
        *before = n;
        let most = most_attempts(tale, step);
        if n > most || (n == most && !is_end) {
            found.add(line.durable, format!("{run}: {step} has {n} attempts of at most {most}"));
        }
    }
}

fn losses(run: RunId, tale: &Tale, found: &mut Found) {
    let (mut losses, mut lone, mut alone, mut doomed) = (0, 0, false, false);
    for line in &tale.lines {
        if doomed
            && !matches!(line.noted, Noted::Blocked { crashes: true, .. } | Noted::Ended { .. })
        {
            found.add(line.durable, format!("{run} was lost alone {lone} times and goes on"));
        }
        doomed = false;
        match &line.noted {
            Noted::Activated { alone: is_alone, .. } => {
                alone = *is_alone;
                if alone != (losses >= SUSPECT) {
                    let what = format!("{run}: alone is {alone} after {losses} losses");
                    found.add(line.durable, what);
                }
            }
            Noted::Lost { counted: true } => {
                losses += 1;
                lone += u32::from(alone);
                doomed = lone >= LONE_MAX;
            }
            Noted::StepEnded { .. } | Noted::Unblocked => (losses, lone) = (0, 0),
            Noted::Blocked { crashes: true, .. } if lone < LONE_MAX => {
                found.add(line.durable, format!("{run} is blocked after {lone} losses alone"));
            }
            _ => {}
        }
    }
}

/// An activation whose function was in progress when its process ended counts as lost.
fn kills(story: &Story<'_>, found: &mut Found) {
    let mut running: BTreeMap<Call, (Process, Held)> = BTreeMap::new();
    let mut over: Vec<(u64, Process, Held)> = Vec::new();
    let mut killed: BTreeSet<Held> = BTreeSet::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Began { call, by, held, .. } => {
                running.insert(*call, (*by, *held));
            }
            Fact::Over { call } => {
                over.retain(|(then, ..)| then == at);
                over.extend(running.remove(call).map(|(by, held)| (*at, by, held)));
            }
            Fact::Died { process } => {
                let ended = over.iter().filter(|(then, by, _)| then == at && by == process);
                killed.extend(ended.map(|(.., held)| *held));
            }
            _ => {}
        }
    }
    for (run, tale) in &story.runs {
        let (mut last, mut uncounted) = (None, 0);
        for line in &tale.lines {
            match &line.noted {
                Noted::Activated { epoch, nonce, .. } => {
                    last = Some(Held { run: *run, epoch: *epoch, nonce: *nonce });
                }
                Noted::Lost { counted: false }
                    if last.is_some_and(|held| killed.contains(&held)) =>
                {
                    uncounted += 1;
                    if uncounted > UNCOUNTED_MAX {
                        let what = "with a function in progress, and it does not count";
                        found.add(line.durable, format!("{run} was lost {uncounted} times {what}"));
                    }
                }
                Noted::Lost { counted: true } | Noted::StepEnded { .. } => uncounted = 0,
                _ => {}
            }
        }
    }
}

/// A runner that has a suspect is given nothing else until the suspect gets on or is over.
fn company(story: &Story<'_>, found: &mut Found) {
    // Lone activations, with the instant at which the run got on under them and is no suspect.
    let mut lone: BTreeMap<Held, Micros> = BTreeMap::new();
    for (run, tale) in &story.runs {
        let mut last = None;
        for line in &tale.lines {
            match line.noted {
                Noted::Activated { epoch, nonce, alone, .. } => {
                    last = alone.then_some(Held { run: *run, epoch, nonce });
                    lone.extend(last.map(|held| (held, Micros::MAX)));
                }
                Noted::StepEnded { .. } => {
                    if let Some(held) = last.take() {
                        lone.insert(held, line.durable);
                    }
                }
                _ => {}
            }
        }
    }
    let mut keeps: BTreeMap<Process, Held> = BTreeMap::new();
    let mut given: BTreeMap<u32, Vec<RunId>> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Gave { to, held, .. } => {
                if let Some(suspect) = keeps.get(to).filter(|suspect| suspect.run != held.run) {
                    let (run, suspect) = (held.run, suspect.run);
                    found.add(
                        *at,
                        format!("{run} was given to {to:?}, which has suspect {suspect}"),
                    );
                }
                if lone.get(held).is_some_and(|got_on| *got_on > *at) {
                    keeps.insert(*to, *held);
                }
            }
            // Whatever is written of the suspect may end its being one.
            Fact::Given { batch, runs, .. } => {
                given.insert(*batch, runs.iter().map(|write| write.run).collect());
            }
            Fact::Durable { batch } => {
                let runs = given.remove(batch).unwrap_or_default();
                keeps.retain(|_, suspect| !runs.contains(&suspect.run));
            }
            // What a process does not present it does not hold.
            Fact::Greeted { by, resumes } => {
                keeps.retain(|process, suspect| process != by || resumes.contains(suspect));
            }
            Fact::Down => keeps.clear(),
            Fact::Died { process } => {
                keeps.remove(process);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::run::Command;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn attempts_within_their_bound_pass() {
        assert_eq!(run(check, &World::whole().history), [""; 0]);
    }

    #[test]
    fn an_attempt_that_is_not_the_next_is_refused() {
        let mut world = World::whole();
        world.rewrite("\"n\":1", "\"n\":9");
        let found = run(check, &world.history).join("\n");
        assert!(found.contains("attempt 9 of") && found.contains("of at most"), "{found}");
    }

    #[test]
    fn a_suspect_in_company_is_refused() {
        let mut world = World::begun();
        for _ in 0..2 {
            let epoch = world.state.epoch();
            world.apply(Command::Lose { epoch, counted: true });
            world.activate();
        }
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite(",\"alone\":true", "");
        assert!(run(check, &world.history)[0].contains("alone is false after 2 losses"));
    }

    #[test]
    fn a_suspect_that_is_never_blocked_is_refused() {
        let mut world = World::begun();
        for _ in 0..2 {
            let epoch = world.state.epoch();
            world.apply(Command::Lose { epoch, counted: true });
            world.activate();
        }
        world.finish();
        world.rewrite(
            "\"counted\":true}}",
            "\"counted\":true}},{\"lost\":{\"at\":1,\"counted\":true}}",
        );
        // Each loss now stands twice: four losses, none of them alone.
        let found = run(check, &world.history).join("\n");
        assert!(found.contains("alone is true after 4") || found.contains("losses"), "{found}");
    }

    #[test]
    fn a_kill_that_does_not_count_is_refused() {
        let mut world = World::begun();
        let held = world.held_under(world.state.epoch());
        let call = Call(50);
        let step = Arc::from("run-0");
        let (by, n, grant, due) = (Process(1), 1, u64::MAX, 0);
        world.add(Fact::Began { call, by, held, step, n, grant, due });
        world.add_now(Fact::Over { call });
        world.add_now(Fact::Died { process: by });
        let epoch = held.epoch;
        world.apply(Command::Lose { epoch, counted: false });
        for _ in 0..UNCOUNTED_MAX {
            world.activate();
            let held = world.held_under(world.state.epoch());
            let step = Arc::from("run-0");
            world.add(Fact::Began { call, by, held, step, n, grant, due });
            world.add_now(Fact::Over { call });
            world.add_now(Fact::Died { process: by });
            world.apply(Command::Lose { epoch: held.epoch, counted: false });
        }
        world.finish();
        assert!(run(check, &world.history)[0].contains("does not count"));
    }
}
