//! I10: once nothing goes wrong any more every run ends, or is blocked for a reason of its own, and
//! everyone who waits for an end is told.

use std::collections::BTreeMap;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;

use super::all::Found;
use super::story::{Line, Noted, Story, Tale};
use crate::clock::Micros;
use crate::history::{Answer, Asked, Fact};

/// How long after the healing a node may still be starting, in microseconds.
const SETTLED: Micros = 10_000_000;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let Some((finished, _)) = story.facts.iter().rfind(|(_, fact)| *fact == Fact::Finished) else {
        return;
    };
    for (run, tale) in &story.runs {
        if tale.end().is_none()
            && let Err(why) = may_stay(story, tale)
        {
            found.add(*finished, format!("{run} ({}) has not ended: {why}", tale.workflow));
        }
    }
    waits(story, found);
}

/// Tells whether a run may stay as it is: it is blocked, or waits for a child that may.
fn may_stay(story: &Story<'_>, tale: &Tale) -> Result<(), String> {
    let blocked = is_blocked(tale);
    let mut children = BTreeMap::new();
    for line in &tale.lines {
        match &line.noted {
            Noted::ChildStarted { step, child } => drop(children.insert(step, *child)),
            Noted::StepEnded { step, .. } => drop(children.remove(step)),
            _ => {}
        }
    }
    let stays = |child: RunId| {
        let last = story.runs.get(&story.last_of(child));
        last.is_some_and(|last| last.end().is_none() && may_stay(story, last).is_ok())
    };
    if blocked.is_err() && children.into_values().any(stays) { Ok(()) } else { blocked }
}

/// Tells whether a run is blocked for a reason of its own.
fn is_blocked(tale: &Tale) -> Result<(), String> {
    if tale.lines.is_empty() {
        return Err("it has no journal".into());
    }
    // Its runner gave it back after it was blocked, or was lost, if it had one.
    let is_with = |noted: &Noted| matches!(noted, Noted::Activated { .. });
    let is_back = |noted: &Noted| matches!(noted, Noted::Released | Noted::Lost { .. });
    let is_over = |noted: &Noted| is_back(noted) || noted.leaves_runner();
    let holder = tale.lines.iter().rfind(|line| is_with(&line.noted) || is_over(&line.noted));
    if holder.is_some_and(|line| is_with(&line.noted)) {
        return Err("it is still with a runner".into());
    }
    // A pause that is over leaves a blocked run blocked.
    let is_pause = |noted: &Noted| {
        matches!(noted, Noted::Acted { act: Operation::Pause | Operation::Resume, .. })
    };
    // Events reach the waits of a blocked run too, and so does a child's end.
    let is_heard = |noted: &Noted| {
        matches!(
            noted,
            Noted::Looked | Noted::StepEnded { event: Some(_), .. } | Noted::StepEnded { n: 0, .. }
        )
    };
    // §7.6: a cancel of a run whose end is decided is recorded, and changes nothing.
    let is_noted = |noted: &Noted| matches!(noted, Noted::CancelNoted);
    let told =
        |noted: &Noted| is_back(noted) || is_pause(noted) || is_heard(noted) || is_noted(noted);
    let tells = |line: &&Line| !told(&line.noted);
    let last = tale.lines.iter().rfind(tells);
    match last.map_or(&Noted::Other, |line| &line.noted) {
        // §7.5: the last run of the handler need not reach what an earlier one did.
        Noted::Blocked { lost: true, .. }
            if tale.lines.iter().any(|line| matches!(line.noted, Noted::Retried { .. })) =>
        {
            Ok(())
        }
        Noted::Blocked { engine: true, .. } => {
            Err("it is blocked, and nothing is wrong with it".into())
        }
        Noted::Blocked { bytes: Some((bytes, limit)), .. } if bytes <= limit => {
            Err(format!("it is blocked for {bytes} bytes of {limit}"))
        }
        Noted::Blocked { .. } => Ok(()),
        other => Err(format!("its last record is {other:?}")),
    }
}

/// Nobody has to give up who asks for an end that is there, once all is well.
fn waits(story: &Story<'_>, found: &mut Found) {
    let healed = story.facts.iter().find(|(_, fact)| *fact == Fact::Healed).map(|(at, _)| *at);
    let Some(healed) = healed else { return };
    let mut waiting = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Asked { request, what: Asked::Wait(run) } if *at >= healed + SETTLED => {
                waiting.insert(*request, (*at, *run));
            }
            Fact::Answered { request, answer: Answer::Ended { .. } } => {
                waiting.remove(request);
            }
            Fact::GaveUp { request } => {
                let Some((asked, run)) = waiting.remove(request) else { continue };
                let ended = story
                    .runs
                    .get(&story.last_of(run))
                    .and_then(Tale::end)
                    .map(|(line, _)| line.durable);
                if ended.is_some_and(|ended| ended < asked) {
                    found.add(
                        *at,
                        format!("{request:?} waited for the end of {run}, which was there"),
                    );
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::clean_up::EndOptions;
    use stepwell_core::failure::Failure;
    use stepwell_core::limits::Limits;
    use stepwell_core::record::BlockCause;
    use stepwell_core::retry::Policy;
    use stepwell_core::run::{Act, Command, Finish, Then};

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Request;

    #[test]
    fn a_run_that_does_not_end_is_refused() {
        assert_eq!(run(check, &World::whole().history), [""; 0]);
        let mut world = World::begun();
        world.finish();
        assert!(run(check, &world.history)[0].contains("has not ended"));
    }

    #[test]
    fn a_blocked_run_that_its_runner_keeps_is_refused() {
        let mut world = World::begun();
        let cause = BlockCause::StepsFull { limit: 1 };
        world.apply(Command::Runner { epoch: 1, act: Act::Block(cause) });
        world.finish();
        assert!(run(check, &world.history)[0].contains("still with a runner"));
        world.apply(Command::Runner { epoch: 1, act: Act::Release { seen: 0, then: Then::Wait } });
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
    }

    #[test]
    fn a_run_that_is_blocked_as_its_handler_is_to_run_again_may_stay() {
        let mut world = World::begun();
        world.give_back();
        let retry = Some(Policy::default());
        world.activate_with(Some(&EndOptions { retry, ..EndOptions::default() }));
        let finish = Finish::Failed(Failure::new("Error", "no"));
        // The limit is met by what the end of the handler is recorded with.
        let limits = Limits { journal_bytes_max: 1, ..Limits::default() };
        world.apply_within(Command::Runner { epoch: 2, act: Act::Finish(finish) }, &limits);
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
    }

    #[test]
    fn a_run_that_is_blocked_in_its_clean_up_stays_so_when_it_is_cancelled() {
        let mut world = World::begun();
        world.give_back();
        world.activate_with(Some(&EndOptions { on_failure: true, ..EndOptions::default() }));
        let finish = Finish::Failed(Failure::new("Error", "no"));
        world.apply(Command::Runner { epoch: 2, act: Act::Finish(finish) });
        world.finish();
        assert!(run(check, &world.history)[0].contains("has not ended"));
        world.activate();
        let cause = BlockCause::JournalFull { bytes: 2, limit: 1 };
        world.apply(Command::Runner { epoch: 3, act: Act::Block(cause) });
        world.give_back();
        world.apply(Command::Cancel { by: None, reason: None });
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
    }

    #[test]
    fn a_wait_that_is_not_answered_is_refused() {
        let mut world = World::whole();
        let (request, what) = (Request(7), Asked::Wait(world.run));
        world.add(Fact::Healed);
        world.pass(SETTLED);
        world.add(Fact::Asked { request, what });
        world.add(Fact::GaveUp { request });
        assert!(run(check, &world.history)[0].contains("which was there"));
    }
}
