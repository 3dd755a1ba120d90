//! Copies of runs that were taken in: each is one that somebody sent, as it was sent, has ended, stays as
//! it is, and never begins; one whose taking in was acknowledged is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::{Import, Run, Unfinished};

use super::all::Found;
use super::story::Story;
use crate::history::{Answer, Fact, ReadBack, Request};

/// Where copies are.
const COPIES: &str = "copies";

#[derive(Default)]
struct Known<'a> {
    /// What was sent, by the id of the copy.
    sent: BTreeMap<RunId, Vec<&'a [u8]>>,
    asked: BTreeMap<Request, RunId>,
    acknowledged: BTreeSet<RunId>,
    read: BTreeMap<RunId, &'a Arc<[u8]>>,
}

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut known = Known::default();
    for (at, fact) in story.facts {
        match fact {
            Fact::Copied { request, copy, journal } => {
                known.sent.entry(*copy).or_default().push(journal);
                known.asked.insert(*request, *copy);
            }
            Fact::Answered { request, answer: Answer::Imported(_) } => {
                match known.asked.get(request) {
                    Some(copy) => drop(known.acknowledged.insert(*copy)),
                    None => {
                        found.add(*at, format!("{request:?} was acknowledged and sent nothing"));
                    }
                }
            }
            Fact::Gave { held, .. } | Fact::Began { held, .. }
                if known.sent.contains_key(&held.run) =>
            {
                found.add(*at, format!("{} is a copy, and was given to a runner", held.run));
            }
            Fact::Read(read) => {
                for what in known.wrong(read) {
                    found.add(*at, what);
                }
            }
            _ => {}
        }
    }
}

impl<'a> Known<'a> {
    fn wrong(&mut self, read: &'a ReadBack) -> Vec<String> {
        let mut wrong = Vec::new();
        let there: BTreeSet<RunId> = read.copies.iter().map(|(copy, _)| *copy).collect();
        for copy in self.acknowledged.difference(&there) {
            wrong.push(format!("{copy} was acknowledged, and is not there"));
        }
        for (copy, journal) in &read.copies {
            if self.read.insert(*copy, journal).is_some_and(|before| before != journal) {
                wrong.push(format!("{copy} is a copy, and has changed"));
            }
            let sent = self.sent.get(copy).into_iter().flatten();
            if !sent.into_iter().any(|sent| Run::is_copied_from(journal, &as_sent(sent))) {
                wrong.push(format!("{copy} is not what anybody sent"));
            }
            match Run::replay(*copy, journal) {
                Ok(run) if run.status().is_ended() => {}
                Ok(run) => wrong.push(format!("{copy} is a copy, and is {}", run.status())),
                Err(why) => wrong.push(format!("{copy} does not replay: {why}")),
            }
        }
        let timers = read.timers.iter().chain(&read.ready).map(|(_, run)| run);
        for run in timers.chain(&read.active).chain(&read.blocked) {
            if there.contains(run) {
                wrong.push(format!("{run} is a copy, and there is something to do for it"));
            }
        }
        wrong
    }
}

fn as_sent(journal: &[u8]) -> Import<'_> {
    let (namespace, unfinished) = (COPIES, Unfinished::End);
    Import { journal, namespace, unfinished, by: None, reason: None }
}

#[cfg(test)]
mod tests {
    use stepwell_core::limits::Limits;
    use stepwell_core::run::Env;
    use stepwell_core::time::Timestamp;
    use stepwell_node::Taken;

    use super::super::all::run;
    use super::super::testing::{World, journal_of};
    use super::*;

    const COPY: RunId = RunId::from_u128(77);
    const LATER: Timestamp = Timestamp::from_millis(4_000_000_000_000);

    /// A run of which a copy is sent, taken in, and read.
    fn world() -> World {
        let mut world = World::begun();
        world.read_again();
        let journal = journal_of(world.last_read()).clone();
        let (mut taken, limits) = (Vec::new(), Limits::default());
        let env = Env { now: LATER, entropy: 1, limits: &limits };
        Run::import(COPY, &as_sent(&journal), env, &mut taken).unwrap();
        let request = Request(70);
        world.add(Fact::Copied { request, copy: COPY, journal });
        world.add(Fact::Answered { request, answer: Answer::Imported(Taken::Ended) });
        world.read_again();
        world.last_read().copies.push((COPY, taken.into()));
        world
    }

    #[test]
    fn a_copy_that_is_as_it_was_sent_passes() {
        assert_eq!(run(check, &world().history), [""; 0]);
    }

    #[test]
    fn a_copy_that_is_lost_or_was_never_sent_is_refused() {
        let mut lost = world();
        lost.last_read().copies.clear();
        assert!(run(check, &lost.history)[0].ends_with("and is not there"));
        let mut made_up = world();
        let place = made_up.place(|fact| matches!(fact, Fact::Copied { .. }));
        made_up.history.facts.remove(place);
        let found = run(check, &made_up.history).join("\n");
        for expected in ["sent nothing", "is not what anybody sent"] {
            assert!(found.contains(expected), "{expected} in {found}");
        }
    }

    #[test]
    fn a_copy_that_changes_or_goes_on_is_refused() {
        let mut world = world();
        let sent =
            match &world.history.facts[world.place(|fact| matches!(fact, Fact::Copied { .. }))].1 {
                Fact::Copied { journal, .. } => journal.clone(),
                _ => panic!(),
            };
        let moved = String::from_utf8(sent.to_vec()).unwrap();
        let moved = moved.replacen("\"namespace\":\"default\"", "\"namespace\":\"copies\"", 1);
        world.read_again();
        let read = world.last_read();
        read.copies.push((COPY, moved.into_bytes().into()));
        read.timers.push((LATER, COPY));
        let found = run(check, &world.history).join("\n");
        for expected in ["has changed", "is a copy, and is running", "something to do for it"] {
            assert!(found.contains(expected), "{expected} in {found}");
        }
    }
}
