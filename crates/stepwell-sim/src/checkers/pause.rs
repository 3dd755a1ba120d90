//! Pause (§9.6): while a run is paused it is given to no runner, and a runner that was told begins no
//! function of it.

use std::collections::BTreeSet;

use stepwell_core::operation::Operation;

use super::all::Found;
use super::story::{Noted, Story};
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        let mut paused = false;
        for line in &tale.lines {
            match &line.noted {
                Noted::Acted { act: Operation::Pause, .. } => {
                    if paused {
                        found.add(line.durable, format!("{run} was paused twice"));
                    }
                    paused = true;
                }
                Noted::Acted { act: Operation::Resume, .. } => {
                    if !paused {
                        found.add(line.durable, format!("{run} was resumed and was not paused"));
                    }
                    paused = false;
                }
                // The pause of a run whose end is decided is over.
                Noted::Ending { .. } => paused = false,
                Noted::Activated { epoch, .. } if paused => {
                    let what = format!("{run} is paused and was given out as epoch {epoch}");
                    found.add(line.durable, what);
                }
                _ => {}
            }
        }
    }
    told(story, found);
}

fn told(story: &Story<'_>, found: &mut Found) {
    let mut told = BTreeSet::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::ToldPause { by, held, paused: true } => {
                told.insert((*by, *held));
            }
            Fact::ToldPause { by, held, paused: false } => {
                told.remove(&(*by, *held));
            }
            Fact::Began { by, held, step, .. } if told.contains(&(*by, *held)) => {
                let run = held.run;
                found.add(*at, format!("{run} is paused, and {by:?} began {step}"));
            }
            Fact::Delivered { by, held, end } if told.contains(&(*by, *held)) => {
                let (run, step) = (held.run, &end.step);
                found.add(*at, format!("{run} is paused, and {by:?} gave its code {step}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::run::{Command, Operate};

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Process;

    fn operate(act: Operation) -> Command<'static> {
        Command::Operate(Operate { act, by: Some("who"), reason: Some("why") })
    }

    #[test]
    fn a_paused_run_that_is_given_out_is_refused() {
        let mut world = World::begun();
        world.apply(operate(Operation::Pause));
        world.apply(Command::Lose { epoch: 1, counted: true });
        world.apply(operate(Operation::Resume));
        world.activate();
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite("\"act\":\"resume\"", "\"act\":\"retry\"");
        assert!(run(check, &world.history)[0].contains("given out as epoch 2"));
    }

    #[test]
    fn a_function_that_begins_in_a_pause_is_refused() {
        let mut world = World::whole();
        let held = world.held_under(1);
        let told = Fact::ToldPause { by: Process(1), held, paused: true };
        world.history.facts.insert(0, (0, told));
        assert!(run(check, &world.history)[0].contains("is paused, and"));
    }
}
