//! I11: all starts with one key and one input give one run; another input is a conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;

use super::all::Found;
use super::story::Story;
use crate::history::{Answer, Asked, Fact, Request};
use crate::program::Input;

type Key = (Arc<str>, Arc<str>);

/// What was asked for: the workflow, the key, the input.
type Start<'a> = (&'a Arc<str>, Option<&'a Arc<str>>, Input);

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut by_key: BTreeMap<Key, RunId> = BTreeMap::new();
    for (run, tale) in &story.runs {
        // §2.3: who goes on with a run keeps its key, which names the first.
        let Some(key) = tale.key.as_ref().filter(|_| tale.continues.is_none()) else { continue };
        if let Some(other) = by_key.insert((Arc::clone(&tale.workflow), Arc::clone(key)), *run) {
            found.add(0, format!("the key {key} started {other} and {run}"));
        }
    }
    let mut asked: BTreeMap<Request, Start<'_>> = BTreeMap::new();
    let mut created: BTreeSet<RunId> = BTreeSet::new();
    for (at, fact) in story.facts {
        let (request, answer) = match fact {
            Fact::Asked { request, what: Asked::Start { workflow, key, input } } => {
                asked.insert(*request, (workflow, key.as_ref(), *input));
                continue;
            }
            Fact::Answered { request, answer } => (request, answer),
            _ => continue,
        };
        let Some((workflow, key, input)) = asked.get(request) else { continue };
        let known = |key: &Arc<str>| by_key.get(&(Arc::clone(workflow), Arc::clone(key)));
        match answer {
            Answer::Started { run, created: is_new } => {
                if *is_new && !created.insert(*run) {
                    found.add(*at, format!("{run} was created twice"));
                }
                if let Some(key) = key
                    && known(key) != Some(run)
                {
                    found.add(*at, format!("the key {key} gave {run}, and is of {:?}", known(key)));
                }
                if story.runs.get(run).is_some_and(|tale| tale.input != Some(*input)) {
                    found.add(*at, format!("{run} was given to a start with another input"));
                }
            }
            Answer::Refused { code: "SW2004" } => {
                let same = key.and_then(known).and_then(|run| story.runs.get(run));
                if same.is_none_or(|tale| tale.input == Some(*input)) {
                    found.add(*at, format!("the key {key:?} conflicts with nothing"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_key_that_gives_two_runs_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let other = RunId::from_u128(8);
        let read = world.last_read();
        let journal = read.journals[0].1.clone();
        read.journals.push((other, journal));
        assert!(run(check, &world.history)[0].contains("the key k started"));
    }

    #[test]
    fn a_run_that_is_created_twice_is_refused() {
        let mut world = World::whole();
        let place = world.place(|fact| matches!(fact, Fact::Answered { .. }));
        let again = world.history.facts[place].1.clone();
        world.add(again);
        assert!(run(check, &world.history)[0].contains("created twice"));
    }

    #[test]
    fn another_input_under_a_key_is_refused() {
        let mut world = World::whole();
        let place = world.place(|fact| matches!(fact, Fact::Asked { .. }));
        let (_, Fact::Asked { request, what: Asked::Start { workflow, key, input } }) =
            world.history.facts[place].clone()
        else {
            panic!()
        };
        let what = Asked::Start { workflow, key, input: Input { n: 77, ..input } };
        let later = Request(request.0 + 1);
        world.add(Fact::Asked { request: later, what });
        let answer = Answer::Started { run: world.run, created: false };
        world.add(Fact::Answered { request: later, answer });
        assert!(run(check, &world.history)[0].contains("another input"));
        world.add(Fact::Answered { request, answer: Answer::Refused { code: "SW2004" } });
        assert!(run(check, &world.history)[1].contains("conflicts with nothing"));
    }
}
