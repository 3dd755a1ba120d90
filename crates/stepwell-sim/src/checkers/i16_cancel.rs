//! I16: once a run's end is decided it is given to no runner, nothing of it begins, and a runner that
//! was told begins nothing.

use std::collections::BTreeSet;

use super::all::Found;
use super::story::{Noted, Story};
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        let decided = |noted: &Noted| matches!(noted, Noted::Ending { .. });
        let mut may_note = false;
        for line in &tale.lines {
            may_note |= decided(&line.noted);
            // §7.6: it is recorded once, and only of a run whose end is decided.
            if matches!(line.noted, Noted::LateCancel) && !std::mem::take(&mut may_note) {
                found.add(line.durable, format!("{run}: a cancel was noted, and not to be"));
            }
        }
        let behind = tale.lines.iter().skip_while(|line| !decided(&line.noted));
        // What is left to do then is I17's business.
        let cleans = |noted: &Noted| matches!(noted, Noted::CleanUp { .. });
        for line in behind.take_while(|line| !cleans(&line.noted)) {
            let what = match &line.noted {
                Noted::Activated { epoch, .. } => format!("it was given out as epoch {epoch}"),
                Noted::SleepStarted { step, .. } => format!("{step} began to sleep"),
                Noted::ChildStarted { step, .. } => format!("{step} started a child"),
                Noted::AttemptFailed { step, .. } => format!("{step} waits for another attempt"),
                _ => continue,
            };
            found.add(line.durable, format!("{run}: its end was decided, and {what}"));
        }
    }
    let mut told = BTreeSet::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::ToldEnd { by, held } => {
                told.insert((*by, *held));
            }
            Fact::Began { by, held, step, .. } if told.contains(&(*by, *held)) => {
                found.add(*at, format!("{}: {by:?} began {step} after the end", held.run));
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
    use crate::history::Process;

    #[test]
    fn a_run_that_is_given_out_after_its_cancel_is_refused() {
        let mut world = World::begun();
        world.apply(Command::Cancel { by: None, reason: None });
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        // The second activation, as if the cancel had come before it.
        let journal = super::super::testing::journal_of(world.last_read());
        let text = String::from_utf8(journal.to_vec()).unwrap();
        let given = text.split("{\"activated\"").nth(1).unwrap().to_owned();
        let given = given.split(",{\"").next().unwrap().trim_end_matches(',').to_owned();
        let again = format!("{text}{{\"activated\"{given},");
        *journal = std::sync::Arc::from(again.as_bytes());
        assert!(run(check, &world.history)[0].contains("it was given out"));
    }

    #[test]
    fn a_cancel_that_is_noted_twice_is_refused() {
        let mut world = World::begun();
        world.clean_up();
        world.apply(Command::Cancel { by: None, reason: None });
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        let journal = super::super::testing::journal_of(world.last_read());
        let text = String::from_utf8(journal.to_vec()).unwrap();
        let noted = text.find("{\"cancelNoted\"").unwrap();
        *journal = std::sync::Arc::from(format!("{text}{}", &text[noted..]).as_bytes());
        assert!(run(check, &world.history)[0].contains("not to be"));
    }

    #[test]
    fn a_function_that_begins_after_the_end_is_refused() {
        let mut world = World::whole();
        let held = world.held_under(1);
        world.history.facts.insert(0, (0, Fact::ToldEnd { by: Process(1), held }));
        assert!(run(check, &world.history)[0].contains("after the end"));
    }
}
