//! Children and chains (§9.2, §9.3, §7.7, §2.3): a child is there with the record that names it and
//! has no more time than its parent; its end is heard once, as it was; who is not wanted any more is
//! told and does not complete much later.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_core::id::RunId;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_store::inbox::{InboxWrite, MessageId};

use super::all::Found;
use super::story::{Noted, Story, Tale};
use crate::clock::Micros;
use crate::history::Fact;

/// How long after its parent's end was decided, and after the healing, a child may still complete.
const LATE: Micros = 60_000_000;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    starts(story, found);
    ends(story, found);
    orphans(story, found);
    messages(story, found);
}

/// Every child is of one step, and every run that says so is there.
fn starts(story: &Story<'_>, found: &mut Found) {
    let mut named: BTreeSet<RunId> = BTreeSet::new();
    for (run, tale) in &story.runs {
        for line in &tale.lines {
            let (next, of) = match &line.noted {
                Noted::ChildStarted { step, child } => (*child, Some((*run, step.clone()))),
                Noted::Ended { continued: Some(next), .. } => (*next, tale.parent.clone()),
                _ => continue,
            };
            let fits = story.runs.get(&next).is_some_and(|next| next.parent == of);
            if !fits || !named.insert(next) {
                found.add(line.durable, format!("{run} started {next}, which says otherwise"));
            }
            let limit = |tale: &Tale| tale.deadline.map_or(i64::MAX, Timestamp::as_micros);
            if story.runs.get(&next).is_some_and(|next| limit(next) > limit(tale)) {
                found.add(
                    line.durable,
                    format!("{next} has more time than {run}, which started it"),
                );
            }
        }
    }
    for (run, tale) in &story.runs {
        if (tale.parent.is_some() || tale.continues.is_some()) && !named.contains(run) {
            found.add(0, format!("{run} was started by a run that does not know it"));
        }
    }
}

/// What a parent heard is how the last run of the chain ended, and was durable before.
fn ends(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        let mut children = BTreeMap::new();
        for line in &tale.lines {
            match &line.noted {
                Noted::ChildStarted { step, child } => {
                    children.insert(step.clone(), *child);
                }
                Noted::StepEnded { step, status, output, .. } => {
                    let Some(child) = children.get(step) else { continue };
                    let last = story.last_of(*child);
                    let end = story.runs.get(&last).and_then(end_of);
                    let fits = match (status, end) {
                        // The code dropped it, or its parent was ending.
                        (StepStatus::Cancelled, _) => true,
                        (StepStatus::Completed, Some((RunStatus::Completed, gave, at))) => {
                            gave == output.as_deref() && at <= line.durable
                        }
                        (StepStatus::TimedOut, Some((RunStatus::TimedOut, _, at)))
                        | (
                            StepStatus::Failed,
                            Some((RunStatus::Failed | RunStatus::Cancelled, _, at)),
                        ) => at <= line.durable,
                        _ => false,
                    };
                    if !fits {
                        let what =
                            format!("{run}: {step} ended {status}, its child {last} {end:?}");
                        found.add(line.durable, what);
                    }
                }
                _ => {}
            }
        }
    }
}

fn end_of(tale: &Tale) -> Option<(RunStatus, Option<&str>, Micros)> {
    tale.lines.iter().find_map(|line| match &line.noted {
        Noted::Ended { status, output, .. } => Some((*status, output.as_deref(), line.durable)),
        _ => None,
    })
}

/// No child runs on after nobody wants it.
fn orphans(story: &Story<'_>, found: &mut Found) {
    let healed = story.facts.iter().find(|(_, fact)| *fact == Fact::Healed).map(|(at, _)| *at);
    let Some(healed) = healed else { return };
    for (run, tale) in &story.runs {
        let mut children = BTreeMap::new();
        for line in &tale.lines {
            let unwanted: Vec<RunId> = match &line.noted {
                Noted::ChildStarted { step, child } => {
                    children.insert(step.clone(), *child);
                    continue;
                }
                Noted::StepEnded { step, status, .. } => {
                    let child = children.remove(step);
                    child.into_iter().filter(|_| *status == StepStatus::Cancelled).collect()
                }
                Noted::Ending { .. } | Noted::Ended { .. } => {
                    std::mem::take(&mut children).into_values().collect()
                }
                _ => continue,
            };
            for child in unwanted {
                let last = story.last_of(child);
                let end = story.runs.get(&last).and_then(end_of);
                let limit = line.durable.max(healed).saturating_add(LATE);
                if let Some((status @ (RunStatus::Completed | RunStatus::Failed), _, at)) = end
                    && at > limit
                {
                    found.add(at, format!("{last}: {status} long after {run} did not want it"));
                }
            }
        }
    }
}

/// Every message that was sent is heard, by one durable batch, and then gone.
fn messages(story: &Story<'_>, found: &mut Found) {
    let mut given: BTreeMap<u32, &[InboxWrite]> = BTreeMap::new();
    let mut sent: BTreeSet<MessageId> = BTreeSet::new();
    let (mut heard, mut maybe) = (BTreeSet::new(), BTreeSet::new());
    for (at, fact) in story.facts {
        match fact {
            Fact::Given { batch, inbox, .. } => {
                given.insert(*batch, inbox);
            }
            Fact::Turned { batch } => {
                given.remove(batch);
            }
            Fact::Durable { batch } => {
                for write in given.remove(batch).unwrap_or_default() {
                    match write {
                        InboxWrite::Sent(message) => {
                            sent.insert(message.id);
                        }
                        InboxWrite::Consumed(id) if !heard.insert(*id) => {
                            found.add(*at, format!("{id:?} was heard twice"));
                        }
                        InboxWrite::Consumed(_) => {}
                    }
                }
            }
            // What was under way may be durable or not.
            Fact::Down => {
                let heard = |write: &InboxWrite| match write {
                    InboxWrite::Consumed(id) => Some(*id),
                    InboxWrite::Sent(_) => None,
                };
                maybe.extend(given.values().flat_map(|inbox| inbox.iter()).filter_map(heard));
            }
            _ => {}
        }
    }
    let Some((at, _)) = story.facts.iter().rfind(|(_, fact)| *fact == Fact::Finished) else {
        return;
    };
    for id in sent.iter().filter(|id| !heard.contains(id) && !maybe.contains(id)) {
        found.add(*at, format!("{id:?} was not heard"));
    }
    let left = story.readings.last().map(|reading| &reading.read.inbox[..]).unwrap_or_default();
    for id in left {
        found.add(*at, format!("{id:?} is still there"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_core::run::{Act, Child, Command, InvokeStep};
    use stepwell_core::status::Kind;
    use stepwell_store::inbox::{Message, MessageKind};

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Node;

    #[test]
    fn a_child_that_is_not_there_is_refused() {
        let mut world = World::begun();
        let at = Timestamp::from_millis(1);
        let open = super::super::testing::opening(Kind::Invoke, at);
        let child = Child { id: RunId::from_u128(9), app: "app", workflow: "workflow-0" };
        let invoke = InvokeStep { step: "child-0".into(), open, child: Ok(child) };
        world.apply(Command::Runner { epoch: 1, act: Act::Invoke(invoke) });
        world.finish();
        assert!(run(check, &world.history)[0].contains("which says otherwise"));
    }

    fn told(inbox: Vec<InboxWrite>, batch: u32) -> [Fact; 2] {
        let at = Timestamp::from_millis(1);
        [Fact::Given { by: Node(0), batch, at, runs: Vec::new(), inbox }, Fact::Durable { batch }]
    }

    #[test]
    fn a_message_that_is_heard_twice_or_never_is_refused() {
        let (to, from) = (RunId::from_u128(1), RunId::from_u128(2));
        let id = MessageId { to, from, kind: MessageKind::Cancel };
        let sent = InboxWrite::Sent(Arc::new(Message { id, body: "{}".into() }));
        let heard = || vec![InboxWrite::Consumed(id)];
        let with = |batches: Vec<Vec<InboxWrite>>| {
            let mut world = World::whole();
            for (number, inbox) in (100..).zip(batches) {
                for fact in told(inbox, number) {
                    world.add(fact);
                }
            }
            world.finish();
            run(check, &world.history)
        };
        assert_eq!(with(vec![vec![sent.clone()], heard()]), [""; 0]);
        assert!(with(vec![vec![sent.clone()]])[0].contains("was not heard"));
        assert!(with(vec![vec![sent], heard(), heard()])[0].contains("heard twice"));
    }
}
