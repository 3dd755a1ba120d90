//! Looks that go through the events of a name together (§8.4, §8.8).
//!
//! A look whose first question did not answer it goes along with the others on its name: a page of events is
//! read once for all of them, and an event is held against the looks under whose leaf it lies. So a
//! thousand runs that look back after a start cost about as much as one. A page is read in a turn; a
//! look that has to begin further back than where the others are waits for the next pass.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwell_core::matching::{Leaf, Leaves};
use stepwell_store::event::{Event, Place};
use stepwell_store::query::EventName;

use crate::events::document;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::{Look, Question};

/// How many events are read in a turn: their content comes with them.
const PAGE: usize = 64;
/// How many looks go along at once.
const ALONG_MAX: usize = 256;

/// Looks by the name of their events.
#[derive(Debug, Default)]
pub(crate) struct Sweeps {
    names: BTreeMap<EventName, Sweep>,
    /// Names whose next page is to be read.
    turns: VecDeque<EventName>,
}

#[derive(Debug, Default)]
struct Sweep {
    /// Behind which event each look goes on.
    looks: BTreeMap<Look, Place>,
    /// Where the pass is; absent before one begins.
    at: Option<Place>,
}

impl Sweeps {
    /// Lets a look go on behind an event, along with others.
    pub(crate) fn join(&mut self, name: EventName, look: Look, behind: Place) {
        let sweep = self.names.entry(name.clone()).or_default();
        if sweep.looks.is_empty() {
            self.turns.push_back(name);
        }
        sweep.looks.insert(look, behind);
    }

    /// Returns where the next page of a name begins.
    fn begin(&mut self, name: &EventName) -> Option<Place> {
        let sweep = self.names.get_mut(name)?;
        if sweep.at.is_none() {
            sweep.at = sweep.looks.values().min().cloned();
        }
        sweep.at.clone()
    }

    /// Returns the looks that go along with the pass, with where each goes on.
    fn along(&self, name: &EventName) -> Vec<(Look, Place)> {
        let Some(sweep) = self.names.get(name) else { return Vec::new() };
        let ahead = sweep.looks.iter().filter(|(_, behind)| sweep.at.as_ref() <= Some(*behind));
        ahead.take(ALONG_MAX).map(|(look, behind)| (look.clone(), behind.clone())).collect()
    }

    /// Takes out looks that are over, and lets the others go on where the page ended.
    fn go_on(&mut self, name: &EventName, along: &[(Look, Place)], next: Option<&Place>) {
        let Some(sweep) = self.names.get_mut(name) else { return };
        for (look, _) in along {
            if let (Some(behind), Some(next)) = (sweep.looks.get_mut(look), next) {
                *behind = next.max(behind).clone();
            }
        }
        let goes_on = |next: &&Place| sweep.looks.values().any(|behind| behind >= next);
        sweep.at = next.filter(goes_on).cloned();
        if sweep.looks.is_empty() {
            self.names.remove(name);
        } else {
            self.turns.push_back(name.clone());
        }
    }
}

impl Node {
    /// Asks for the next page of one name.
    pub(crate) fn take_look_turn(&mut self, out: &mut Outputs) {
        if let Some(name) = self.sweeps.turns.pop_front()
            && let Some(after) = self.sweeps.begin(&name)
        {
            out.list.push(Output::Ask(Question::Sweep { name, after, limit: PAGE }));
        }
        if !self.sweeps.turns.is_empty() {
            self.come_back(out);
        }
    }

    pub(crate) fn on_swept(
        &mut self,
        name: &EventName,
        events: &[Arc<Event>],
        next: Option<&Place>,
        out: &mut Outputs,
    ) {
        let along = self.sweeps.along(name);
        let found = self.found(&along, events);
        let over = |at: usize| next.is_none() || found.contains_key(&at);
        let over: Vec<_> = (0..along.len()).filter(|at| over(*at)).collect();
        if let Some(sweep) = self.sweeps.names.get_mut(name) {
            for at in &over {
                sweep.looks.remove(&along[*at].0);
            }
        }
        self.sweeps.go_on(name, &along, next);
        for at in over {
            let event = found.get(&at).and_then(|found| *found);
            self.look_is_over(&along[at].0, event, out);
        }
        if !self.sweeps.turns.is_empty() {
            self.come_back(out);
        }
    }

    /// Returns the looks, by their place, that end with an event, or because nobody waits any more.
    fn found<'a>(
        &self,
        along: &[(Look, Place)],
        events: &'a [Arc<Event>],
    ) -> BTreeMap<usize, Option<&'a Event>> {
        let mut found = BTreeMap::new();
        let mut filed = BTreeMap::<Leaf, Vec<usize>>::new();
        for (at, (look, _)) in along.iter().enumerate() {
            match self.looked_for(look) {
                Some(wait) => filed.entry(wait.leaf).or_default().push(at),
                None => drop(found.insert(at, None)),
            }
        }
        for event in events {
            let leaves = document(event).map(|read| read.leaves());
            let candidates: Vec<usize> = match leaves {
                Some(Leaves::Each(leaves)) => {
                    leaves.iter().filter_map(|leaf| filed.get(leaf)).flatten().copied().collect()
                }
                Some(Leaves::All) => (0..along.len()).collect(),
                None => filed.get(&Leaf::NAME).cloned().unwrap_or_default(),
            };
            for at in candidates {
                let (look, behind) = &along[at];
                let is_new = !found.contains_key(&at) && event.place() > *behind;
                if is_new && self.takes(look, event) {
                    found.insert(at, Some(&**event));
                }
            }
        }
        found
    }
}
