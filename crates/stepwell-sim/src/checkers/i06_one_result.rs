//! I6: a step has one result, and code is given it byte for byte, in the recorded order, live and on
//! replay.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::is_kept;
use stepwell_core::status::StepStatus;

use super::all::Found;
use super::story::{Noted, Story};
use crate::history::{End, Fact, Held, Process};

/// The recorded ends of a run, in their order.
#[derive(Default)]
struct Ends {
    list: Vec<End>,
    places: BTreeMap<Arc<str>, usize>,
    /// How many an earlier run of the handler left: code is given them when it asks.
    kept: usize,
}

/// The ends of runs, by the run of the handler that they count for.
#[derive(Default)]
struct Runs {
    ends: BTreeMap<(RunId, u32), Ends>,
    generations: BTreeMap<Held, u32>,
}

impl Runs {
    fn get(&self, held: &Held) -> Option<&Ends> {
        self.ends.get(&(held.run, self.generations.get(held).copied()?))
    }
}

impl Ends {
    fn push(&mut self, end: End) {
        self.places.insert(Arc::clone(&end.step), self.list.len());
        self.list.push(end);
    }

    /// Those that count when the handler runs again.
    fn kept(&self) -> Self {
        let mut kept = Self::default();
        let ends = self.list.iter().filter(|end| is_kept(end.status));
        ends.for_each(|end| kept.push(end.clone()));
        kept.kept = kept.list.len();
        kept
    }
}

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut runs = Runs::default();
    for (run, tale) in &story.runs {
        let mut ends = Ends::default();
        // §5.4, §9.8: code that is given another result may ask in another order for what is kept,
        // which is recorded. `forks` sees that it has a reason.
        let changed = tale.made_of.is_some()
            && tale.lines.iter().any(|line| matches!(line.noted, Noted::OrderChanged));
        let mut generation = 0;
        for line in &tale.lines {
            match &line.noted {
                Noted::Activated { epoch, nonce, .. } => {
                    let held = Held { run: *run, epoch: *epoch, nonce: *nonce };
                    runs.generations.insert(held, generation);
                }
                Noted::StepEnded { step, status, output, kept, .. } => {
                    ends.kept += usize::from(*kept && changed);
                    if ends.places.contains_key(step) {
                        found.add(line.durable, format!("{run}: {step} ended twice"));
                    }
                    let (step, status) = (Arc::clone(step), *status);
                    ends.push(End { step, status, output: output.clone() });
                }
                // §6.5: what did not complete begins anew.
                Noted::Retried { .. } => {
                    let kept = ends.kept();
                    runs.ends.insert((*run, generation), std::mem::replace(&mut ends, kept));
                    generation += 1;
                }
                _ => {}
            }
        }
        runs.ends.insert((*run, generation), ends);
    }
    given(story, &runs, found);
    told(story, &runs, found);
    delivered(story, &runs, found);
}

/// What a runner is given with a run is how its recorded ends begin.
fn given(story: &Story<'_>, runs: &Runs, found: &mut Found) {
    let mut so_far: BTreeMap<(Process, Held), usize> = BTreeMap::new();
    for (at, fact) in story.facts {
        let (to, held, ended, first) = match fact {
            Fact::Gave { to, held, ended, .. } => (to, held, ended, true),
            Fact::GaveMore { to, held, ended, .. } => (to, held, ended, false),
            _ => continue,
        };
        let begin = so_far.entry((*to, *held)).or_default();
        if first {
            *begin = 0;
        }
        let recorded = runs.get(held).map(|ends| &ends.list[..]).unwrap_or_default();
        let expected = recorded.get(*begin..*begin + ended.len()).unwrap_or_default();
        if expected != ended.as_slice() {
            let what = format!("{}: a runner was given other ends than are recorded", held.run);
            found.add(*at, what);
        }
        *begin += ended.len();
    }
}

/// Ends are told in their order, each once, until the connection changes.
fn told(story: &Story<'_>, runs: &Runs, found: &mut Found) {
    let mut next: BTreeMap<(Process, Held), Option<usize>> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Gave { to, held, ended, .. } => {
                next.insert((*to, *held), Some(ended.len()));
            }
            Fact::GaveMore { to, held, ended, .. } => {
                if let Some(Some(next)) = next.get_mut(&(*to, *held)) {
                    *next += ended.len();
                }
            }
            // How many it was told before is between the two of them.
            Fact::Resumed { to, held } => {
                next.insert((*to, *held), None);
            }
            Fact::Settled { to, held, end, .. } => {
                let Some(ends) = runs.get(held) else { continue };
                let Some(place) = ends.places.get(&end.step).copied() else { continue };
                let next = next.entry((*to, *held)).or_default();
                if next.is_some_and(|next| next != place) {
                    let (run, step) = (held.run, &end.step);
                    found.add(*at, format!("{run}: the end of {step} was told out of turn"));
                }
                *next = Some(place + 1);
            }
            _ => {}
        }
    }
}

/// Code is given what is recorded, in the recorded order.
fn delivered(story: &Story<'_>, runs: &Runs, found: &mut Found) {
    let mut last: BTreeMap<(Process, Held), usize> = BTreeMap::new();
    for (at, fact) in story.facts {
        let Fact::Delivered { by, held, end } = fact else { continue };
        let run = held.run;
        let Some(ends) = runs.get(held) else { continue };
        let Some(place) = ends.places.get(&end.step).copied() else {
            found
                .add(*at, format!("{run}: code was given the end of {}, which has none", end.step));
            continue;
        };
        let recorded = &ends.list[place];
        let completed = recorded.status == StepStatus::Completed;
        if recorded.status != end.status || (completed && recorded.output != end.output) {
            found.add(
                *at,
                format!(
                    "{run}: code was given {:?} {:?} of {}, recorded is {:?} {:?}",
                    end.status, end.output, end.step, recorded.status, recorded.output
                ),
            );
        }
        if place < ends.kept {
            continue;
        }
        let key = (*by, *held);
        if last.get(&key).is_some_and(|last| *last >= place) {
            found.add(*at, format!("{run}: the end of {} was delivered out of order", end.step));
        }
        last.insert(key, place);
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn change(change: impl Fn(&mut Fact)) -> Vec<String> {
        let mut world = World::whole();
        world.history.facts.iter_mut().for_each(|(_, fact)| change(fact));
        run(check, &world.history)
    }

    #[test]
    fn results_that_stay_the_same_pass() {
        assert_eq!(change(|_| {}), [""; 0]);
    }

    #[test]
    fn another_result_on_replay_is_refused() {
        let found = change(|fact| {
            if let Fact::Gave { ended, .. } = fact {
                for end in ended {
                    end.output = Some(Arc::from("7"));
                }
            }
        });
        assert!(found[0].contains("other ends"));
    }

    #[test]
    fn another_result_for_the_code_is_refused() {
        let found = change(|fact| {
            if let Fact::Delivered { end, .. } = fact {
                end.output = Some(Arc::from("7"));
            }
        });
        assert!(found[0].contains("code was given"));
    }

    #[test]
    fn another_order_is_refused() {
        let mut world = World::whole();
        let delivered = |fact: &Fact| matches!(fact, Fact::Delivered { .. });
        let first = world.place(delivered);
        let second = first
            + 1
            + world.history.facts[first + 1..].iter().position(|(_, f)| delivered(f)).unwrap();
        world.history.facts.swap(first, second);
        assert!(run(check, &world.history)[0].contains("out of order"));
        let mut world = World::whole();
        let settled = world.place(|fact| matches!(fact, Fact::Settled { .. }));
        let again = world.history.facts[settled].clone();
        world.history.facts.insert(settled, again);
        assert!(run(check, &world.history)[0].contains("out of turn"));
    }
}
