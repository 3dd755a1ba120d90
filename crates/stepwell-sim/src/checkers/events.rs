//! Events: each wakes every wait that asks for it, once; none is missed that was accepted after its
//! bound; what a wait took is not taken by a later one; what runs send is sent once (§8, §4.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;

use super::all::Found;
use super::story::{Noted, Story, Tale};
use super::uptime::Uptime;
use crate::clock::{Micros, SECOND};
use crate::history::{Answer, Fact, Sent};
use crate::program::{Topic, What};

/// An event that is durable while a node works for so long has been looked at by every wait that it
/// may end.
const SEEN_AFTER: Micros = 8 * SECOND;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    if !story.facts.iter().any(|(_, fact)| *fact == Fact::Finished) {
        return;
    }
    let Some(last) = story.readings.last() else { return };
    let events: BTreeMap<&str, &Sent> =
        last.read.events.iter().map(|event| (&*event.id, event)).collect();
    for (at, fact) in story.facts {
        if let Fact::Answered { answer: Answer::Sent { id }, .. } = fact
            && !events.contains_key(&**id)
        {
            found.add(*at, format!("event {id} was acknowledged and is not there"));
        }
    }
    for event in events.values().filter(|event| !event.routed) {
        found.add(last.at, format!("event {} was not routed in all the time", event.id));
    }
    let known = Known { events, durable: durable(story), uptime: Uptime::of(story.facts) };
    let events = &known.events;
    let mut woke: BTreeSet<(&str, RunId, &str)> = BTreeSet::new();
    for (run, tale) in &story.runs {
        let waits = waits(tale);
        for wait in &waits {
            if let Some(id) = wait.took {
                woke.insert((id, *run, wait.step));
            }
            for what in wrong(wait, &waits, &known) {
                found.add(wait.ended.unwrap_or(last.at), format!("{run}: {what}"));
            }
        }
        emits((*run, tale), events, found);
    }
    let told: BTreeSet<_> = events
        .values()
        .flat_map(|event| event.woke.iter().map(|(run, step)| (&*event.id, *run, &**step)))
        .collect();
    for (id, run, step) in woke.symmetric_difference(&told) {
        found.add(last.at, format!("{id} and {run} tell other things of step {step}"));
    }
}

/// What is known of events.
struct Known<'a> {
    events: BTreeMap<&'a str, &'a Sent>,
    durable: BTreeMap<Arc<str>, Micros>,
    uptime: Uptime,
}

impl Known<'_> {
    /// Tells whether all that an event does by itself was done before an instant.
    fn was_seen(&self, id: &str, before: Micros) -> bool {
        let durable = self.durable.get(id);
        durable.is_some_and(|at| self.uptime.worked(*at, before) > SEEN_AFTER)
    }
}

/// A wait and what became of it.
struct Waited<'a> {
    step: &'a str,
    topic: Topic,
    at: Timestamp,
    since: Timestamp,
    until: Option<Timestamp>,
    /// How it ended, and when by engine time.
    end: Option<(StepStatus, Timestamp)>,
    /// When its end was given to the store, by true time.
    ended: Option<Micros>,
    /// Its place among the ends of the run.
    order: usize,
    took: Option<&'a str>,
}

fn waits(tale: &Tale) -> Vec<Waited<'_>> {
    let mut waits: Vec<Waited<'_>> = Vec::new();
    for (order, line) in tale.lines.iter().enumerate() {
        match &line.noted {
            Noted::WaitStarted { step, at, since, until } => {
                let steps = tale.program.iter().flat_map(|program| &program.steps);
                let what = steps.clone().find(|one| one.id == *step).map(|one| &one.what);
                let Some(What::Wait(awaited)) = what else { continue };
                waits.push(Waited {
                    step,
                    topic: awaited.topic,
                    at: *at,
                    since: *since,
                    until: *until,
                    end: None,
                    ended: None,
                    order: usize::MAX,
                    took: None,
                });
            }
            Noted::StepEnded { step, at, status, event, .. } => {
                if let Some(wait) = waits.iter_mut().find(|wait| *wait.step == **step) {
                    wait.end = Some((*status, *at));
                    wait.ended = line.given.map(|(given, _)| given);
                    wait.order = order;
                    wait.took = event.as_deref();
                }
            }
            _ => {}
        }
    }
    waits
}

/// When each event was known to be durable, by true time.
fn durable(story: &Story<'_>) -> BTreeMap<Arc<str>, Micros> {
    let mut given: BTreeMap<u32, &[Arc<str>]> = BTreeMap::new();
    let mut durable = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Accepts { batch, events } => {
                given.insert(*batch, events);
            }
            Fact::Durable { batch } => {
                for id in given.remove(batch).unwrap_or_default() {
                    durable.entry(Arc::clone(id)).or_insert(*at);
                }
            }
            Fact::Down => given.clear(),
            _ => {}
        }
    }
    durable
}

fn wrong(wait: &Waited<'_>, others: &[Waited<'_>], known: &Known<'_>) -> Vec<String> {
    let (step, events) = (wait.step, &known.events);
    let mut wrong = Vec::new();
    let taken_before = |id: &str| {
        let name = wait.topic.name;
        let same = |other: &&Waited<'_>| other.topic.name == name && other.took == Some(id);
        others.iter().filter(same).any(|other| other.order < wait.order)
    };
    let took = wait.took.and_then(|id| events.get(id).copied());
    if let Some(id) = wait.took {
        match took {
            None => wrong.push(format!("{step} took {id}, which is not there")),
            Some(event) => {
                if event.topic != wait.topic {
                    wrong.push(format!("{step} took {id}, which it does not ask for"));
                }
                let late = event.accepted_at > wait.at;
                if !late && event.accepted_at < wait.since {
                    wrong.push(format!("{step} took {id} from before its bound"));
                }
                if !late && taken_before(id) {
                    wrong.push(format!("{step} took {id}, which an earlier wait took"));
                }
            }
        }
    }
    let Some((status, at)) = wait.end else { return wrong };
    if status == StepStatus::TimedOut && wait.until.is_none_or(|until| at < until) {
        wrong.push(format!("{step} timed out early, at {at}"));
    }
    let Some(ended) = wait.ended.filter(|_| status != StepStatus::Cancelled) else { return wrong };
    if let Some(event) = took.filter(|event| event.accepted_at > wait.at)
        && known.was_seen(&event.id, ended)
    {
        wrong.push(format!("{step} was woken late by {}", event.id));
    }
    for event in events.values().filter(|event| event.topic == wait.topic) {
        let late = event.accepted_at > wait.at;
        let counts = late || event.accepted_at >= wait.since && !taken_before(&event.id);
        let first = took.is_none_or(|took| event.accepted_at < took.accepted_at);
        if counts && first && known.was_seen(&event.id, ended) {
            let id = &event.id;
            let instead = wait.took.unwrap_or("nothing");
            wrong.push(format!("{step} missed {id}, and took {instead}"));
        }
    }
    wrong
}

/// §4.6: a step that sent an event is there with the event, and the other way round.
fn emits((run, tale): (RunId, &Tale), events: &BTreeMap<&str, &Sent>, found: &mut Found) {
    let steps = tale.program.iter().flat_map(|program| &program.steps);
    for step in steps.filter(|step| matches!(step.what, What::Emit(_))) {
        let id = stepwell_core::derive::emitted(run, &step.id);
        let ended = tale.lines.iter().find_map(|line| match &line.noted {
            Noted::StepEnded { step: one, status: StepStatus::Completed, .. }
                if *one == step.id =>
            {
                Some(line.durable)
            }
            _ => None,
        });
        if ended.is_some() != events.contains_key(&*id) {
            let what = format!("{run}: step {} and event {id} are not there together", step.id);
            found.add(ended.unwrap_or(0), what);
        }
    }
}
