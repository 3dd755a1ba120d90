//! A flow as its runs show it (§10.6): which steps there are, and what followed what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::time::Timestamp;

use crate::flow::{DeclaredStep, Flow};
use crate::record::{Record, Step};
use crate::status::Patience;

/// Most steps that are learned: those that most runs have.
const STEPS_MAX: usize = 100;

/// Makes a flow of some of its runs. A step follows another where in some run it began after that one had ended, and no
/// third lay between the two. Of two steps that followed each other both ways, the one that mostly came first leads.
pub fn learn<'a>(slug: &str, runs: impl IntoIterator<Item = &'a Record<'a>>) -> Flow {
    let runs: Vec<_> = runs.into_iter().collect();
    let keys = keys(&runs);
    let place = |key: &str| keys.iter().position(|known| known == key);
    let mut follows = BTreeSet::new();
    for run in &runs {
        let steps: Vec<_> =
            run.steps.iter().filter_map(|step| Some((place(&step.key)?, span(step)))).collect();
        for (to, (begin, _)) in &steps {
            let before: Vec<_> = steps.iter().filter(|(_, (_, end))| end <= begin).collect();
            for (from, (_, end)) in &before {
                let is_between = before.iter().any(|(_, (start, _))| start >= end);
                // Steps stand in the order in which they mostly come, so that no loop is made.
                if !is_between && from < to {
                    follows.insert((*from, *to));
                }
            }
        }
    }
    let name = |at: usize| keys.get(at).map(|key| Arc::from(key.as_str()));
    let edges = reduced(&follows).into_iter();
    Flow {
        slug: slug.into(),
        name: slug.into(),
        edges: edges.filter_map(|(from, to)| Some((name(from)?, name(to)?))).collect(),
        steps: (0..keys.len())
            .filter_map(name)
            .map(|key| DeclaredStep { name: Arc::clone(&key), key })
            .collect(),
        patience: Patience::default(),
    }
}

/// The keys of steps, in the order in which they mostly come.
fn keys(runs: &[&Record<'_>]) -> Vec<String> {
    let mut known: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for run in runs {
        for (at, step) in run.steps.iter().enumerate() {
            let (places, times) = known.entry(&step.key).or_default();
            (*places, *times) = (*places + 1_000 * at / run.steps.len().max(1), *times + 1);
        }
    }
    let mut keys: Vec<_> = known.into_iter().collect();
    keys.sort_by_key(|(key, (_, times))| (usize::MAX - times, *key));
    keys.truncate(STEPS_MAX);
    keys.sort_by_key(|(key, (places, times))| (places / times.max(&1), *key));
    keys.into_iter().map(|(key, _)| key.to_owned()).collect()
}

/// From the begin of a step's first attempt to the end of its last.
fn span(step: &Step<'_>) -> (Timestamp, Timestamp) {
    let ends =
        step.attempts.iter().map(|one| one.end.as_ref().map_or(Timestamp::MAX, |end| end.at));
    let begin = step.at();
    (begin, ends.chain(step.skipped).max().unwrap_or(begin))
}

/// Leaves out edges that a longer way replaces.
fn reduced(edges: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let leads = |from: usize, to: usize| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<_> = edges.range((from, 0)..(from + 1, 0)).map(|edge| edge.1).collect();
        next.retain(|at| *at != to);
        while let Some(at) = next.pop() {
            for (_, end) in edges.range((at, 0)..(at + 1, 0)) {
                if *end == to {
                    return true;
                }
                if *end < to && seen.insert(*end) {
                    next.push(*end);
                }
            }
        }
        false
    };
    edges.iter().copied().filter(|(from, to)| !leads(*from, *to)).collect()
}
