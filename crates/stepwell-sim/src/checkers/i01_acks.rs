//! I1: what was acknowledged is there in every later read, byte for byte.

use std::collections::BTreeMap;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;

use super::all::Found;
use super::story::{Noted, Story};
use crate::clock::Micros;
use crate::history::{Answer, Asked, Fact, Request, Written};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    batches(story, found);
    answers(story, found);
    settles(story, found);
}

/// Every durable batch is in every later read.
fn batches(story: &Story<'_>, found: &mut Found) {
    let mut given: BTreeMap<u32, &[Written]> = BTreeMap::new();
    let mut durable: BTreeMap<RunId, Vec<u8>> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Given { batch, runs, .. } => {
                given.insert(*batch, runs);
            }
            Fact::Durable { batch } => {
                for write in given.remove(batch).unwrap_or_default() {
                    durable.entry(write.run).or_default().extend_from_slice(&write.records);
                }
            }
            Fact::Read(read) => {
                let journals: BTreeMap<_, _> =
                    read.journals.iter().map(|(run, journal)| (*run, journal)).collect();
                for (run, bytes) in &mut durable {
                    let journal = journals.get(run).map(|journal| &journal[..]).unwrap_or_default();
                    if !journal.starts_with(bytes) {
                        let (wanted, got) = (bytes.len(), journal.len());
                        found.add(*at, format!(
                            "{run}: {wanted} bytes were durable, the journal of {got} bytes does not \
                             begin with them"
                        ));
                    }
                    // What is there now has to stay, whether it was acknowledged or not.
                    if journal.len() >= bytes.len() {
                        bytes.clear();
                        bytes.extend_from_slice(journal);
                    }
                }
                for (run, journal) in journals {
                    durable.entry(run).or_insert_with(|| journal.to_vec());
                }
            }
            _ => {}
        }
    }
}

/// Every start, cancel and terminate that was answered is in the journal.
fn answers(story: &Story<'_>, found: &mut Found) {
    let mut asked: BTreeMap<Request, &Asked> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Asked { request, what } => {
                asked.insert(*request, what);
            }
            Fact::Answered { request, answer: Answer::Started { run, created } } => {
                let Some(tale) = story.runs.get(run) else {
                    found.add(*at, format!("{run} was acknowledged and is not there"));
                    continue;
                };
                // Runs that are made of others are the business of `forks`.
                let input = match asked.get(request) {
                    Some(Asked::Start { input, .. }) => Some(*input),
                    _ => continue,
                };
                if *created && tale.input != input {
                    found.add(*at, format!("{run} has another input than its start"));
                }
            }
            Fact::Answered { request, answer: Answer::Acted(_) }
                if matches!(asked.get(request), Some(Asked::Resolve { .. })) =>
            {
                let Some(Asked::Resolve { run, step, .. }) = asked.get(request) else { continue };
                let is = |noted: &Noted| {
                    matches!(noted, Noted::Acted { act: Operation::Resolve, step: Some(one), .. }
                        if one == step)
                };
                let mut lines = story.runs.get(run).into_iter().flat_map(|tale| &tale.lines);
                if !lines.any(|line| is(&line.noted) && line.durable <= *at) {
                    found.add(*at, format!("{run}: how {step} ended was taken and lost"));
                }
            }
            Fact::Answered { request, answer: Answer::Acted(status) } => {
                let (run, ends) = match asked.get(request) {
                    Some(Asked::Cancel(run)) => (run, false),
                    Some(Asked::Operate(Operation::Terminate, run)) => (run, true),
                    _ => continue,
                };
                let decided = story.runs.get(run).is_some_and(|tale| {
                    tale.lines.iter().any(|line| {
                        let ended = matches!(line.noted, Noted::Ended { .. });
                        let ending = matches!(line.noted, Noted::Ending { .. });
                        (ended || ending && !ends) && line.durable <= *at
                    })
                });
                if !decided {
                    found.add(*at, format!("the act on {run} was answered ({status}) and lost"));
                }
                let goes_on = match status {
                    RunStatus::Compensating => true,
                    // §7.5, §7.6: a clean-up that is blocked stays so; a cancel that decides the end
                    // of a blocked run has it go on.
                    RunStatus::Blocked => blocked_in_clean_up(story, *run, *at),
                    _ => false,
                };
                let fits = status.is_ended() || goes_on && !ends;
                if !fits {
                    found.add(*at, format!("{run} is {status} after it was to end"));
                }
            }
            _ => {}
        }
    }
}

/// Tells whether the clean-up of a run was blocked by then.
fn blocked_in_clean_up(story: &Story<'_>, run: RunId, by: Micros) -> bool {
    let lines = story.runs.get(&run).into_iter().flat_map(|tale| &tale.lines);
    let mut known = lines.take_while(|line| line.durable <= by);
    known.any(|line| matches!(line.noted, Noted::CleanUp { .. }))
        && known.any(|line| matches!(line.noted, Noted::Blocked { .. }))
}

/// Every end that a runner was told is in the journal before.
fn settles(story: &Story<'_>, found: &mut Found) {
    for (at, fact) in story.facts {
        let Fact::Settled { held, end, .. } = fact else { continue };
        let kept = story.runs.get(&held.run).is_some_and(|tale| {
            tale.ends().any(|(line, step, status)| {
                *step == end.step && status == end.status && line.durable <= *at
            })
        });
        if !kept {
            let (run, step) = (held.run, &end.step);
            found.add(*at, format!("{run}: the end of {step} was told before it was durable"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::all::run;
    use stepwell_core::run::Command;

    use super::super::testing::{World, journal_of};
    use super::*;

    #[test]
    fn a_history_that_keeps_what_it_acknowledged_passes() {
        assert_eq!(run(check, &World::whole().history), [""; 0]);
    }

    #[test]
    fn a_lost_journal_is_refused() {
        let mut world = World::whole();
        let read = world.last_read();
        read.journals.clear();
        assert!(!run(check, &world.history).is_empty());
    }

    #[test]
    fn a_changed_byte_is_refused() {
        let mut world = World::whole();
        let journal = journal_of(world.last_read());
        let text = String::from_utf8(journal.to_vec()).unwrap().replace("first", "thirs");
        *journal = Arc::from(text.as_bytes());
        assert!(!run(check, &world.history).is_empty());
    }

    #[test]
    fn an_end_that_is_told_too_early_is_refused() {
        let mut world = World::whole();
        let settled = world.place(|fact| matches!(fact, Fact::Settled { .. }));
        let (_, fact) = world.history.facts.remove(settled);
        world.history.facts.insert(0, (0, fact));
        assert!(run(check, &world.history)[0].contains("told before it was durable"));
    }

    #[test]
    fn a_cancel_that_leaves_a_run_blocked_is_refused_outside_of_a_clean_up() {
        let cancelled = |world: &mut World| {
            let (request, what) = (Request(9), Asked::Cancel(world.run));
            world.add(Fact::Asked { request, what });
            let answer = Answer::Acted(RunStatus::Blocked);
            world.add(Fact::Answered { request, answer });
            world.finish();
            run(check, &world.history)
        };
        let mut world = World::begun();
        world.block();
        world.apply(Command::Cancel { by: None, reason: None });
        assert!(cancelled(&mut world)[0].contains("is blocked after it was to end"));
        let mut world = World::begun();
        world.clean_up();
        world.block();
        assert_eq!(cancelled(&mut world), [""; 0]);
    }

    #[test]
    fn an_answered_cancel_that_is_not_there_is_refused() {
        let mut world = World::whole();
        let (request, run_id) = (Request(9), world.run);
        world.add(Fact::Asked { request, what: Asked::Cancel(run_id) });
        let answer = Answer::Acted(RunStatus::Compensating);
        world.history.facts.insert(0, (0, Fact::Asked { request, what: Asked::Cancel(run_id) }));
        world.history.facts.insert(1, (0, Fact::Answered { request, answer }));
        assert!(run(check, &world.history)[0].contains("lost"));
    }
}
