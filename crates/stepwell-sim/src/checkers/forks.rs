//! Runs that are made of others (§9.5, §9.8): a rerun begins anew with the input that is wished; a fork
//! keeps what the code of its source had been given before the step, in that order and with that
//! result, but what was edited; nothing that was taken back is kept; its source has ended before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::record::{self, Opening, Record};
use stepwell_core::run::is_kept;
use stepwell_core::status::{Kind, StepStatus};
use stepwell_core::step_id;

use super::all::Found;
use super::story::{MadeOf, Noted, Story, Tale};
use crate::history::{Answer, Asked, Fact, Forked, Place, Request, given_by_hand};

/// The end of a step, with its result.
type End = (Arc<str>, StepStatus, Option<Arc<str>>);

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut asked: BTreeMap<Request, (RunId, &Forked)> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Asked { request, what: Asked::Fork(source, forked) } => {
                asked.insert(*request, (*source, forked));
            }
            Fact::Answered { request, answer: Answer::Started { run, .. } } => {
                let Some((source, forked)) = asked.get(request) else { continue };
                let made =
                    story.runs.get(run).and_then(|tale| Some((tale, tale.made_of.as_ref()?)));
                let right = made.is_some_and(|(tale, of)| {
                    of.source == *source && wrong(story, tale, of, forked).is_none()
                });
                if !right {
                    found
                        .add(*at, format!("{run} was acknowledged, and is not what was asked for"));
                }
            }
            _ => {}
        }
    }
    for (run, tale) in &story.runs {
        let Some(of) = &tale.made_of else { continue };
        let at = tale.lines.first().map_or(0, |line| line.durable);
        if let Err(what) = alone(story, tale, of) {
            found.add(at, format!("{run} {what}"));
        }
        // Who asked for it may not have been told.
        let wishes = asked.values().filter(|(source, _)| *source == of.source);
        let all: Vec<_> = wishes.map(|(_, forked)| wrong(story, tale, of, forked)).collect();
        if all.iter().all(Option::is_some) {
            let first = all.into_iter().flatten().next();
            let what = first.unwrap_or_else(|| "nobody asked for it".into());
            found.add(at, format!("{run}, made of {}: {what}", of.source));
        }
    }
}

/// What holds for each such run, whatever was wished.
fn alone(story: &Story<'_>, tale: &Tale, of: &MadeOf) -> Result<(), String> {
    if !of.signed {
        return Err("does not say by whom and why it was made".into());
    }
    let Some(source) = story.runs.get(&of.source) else {
        return Err("is made of a run that is not there".into());
    };
    let is_free = tale.key.is_none() && tale.parent.is_none() && tale.continues.is_none();
    if tale.workflow != source.workflow || !is_free {
        return Err("is of another workflow, or hangs on another run".into());
    }
    let is_kept = |noted: &Noted| matches!(noted, Noted::StepEnded { kept: true, .. });
    let first = tale.lines.iter().skip(1).take_while(|line| is_kept(&line.noted)).count();
    if tale.lines.iter().filter(|line| is_kept(&line.noted)).count() != first {
        return Err("keeps steps after its beginning".into());
    }
    let journal = journal(story, of.source);
    let before = Before::read(journal);
    let (taken_back, kept) = (before.taken_back(), kept(tale));
    if let Some((step, ..)) = kept.iter().find(|(step, ..)| taken_back.contains(step)) {
        return Err(format!("keeps {step}, which was taken back"));
    }
    // §5.4: what is given the same does the same, as its source did.
    let given = taken_back.is_empty() && !before.forgot;
    let same = given && kept.iter().all(|end| before.ends.contains(end));
    let changes =
        |tale: &Tale| tale.lines.iter().any(|line| matches!(line.noted, Noted::OrderChanged));
    if same && changes(tale) && !changes(source) && of.from.is_some() {
        return Err("asks in another order, and was given the same".into());
    }
    let begun = tale.lines.first().map_or(0, |line| line.durable);
    let ended = source.end().is_some_and(|(line, _)| line.durable <= begun);
    if of.from.is_some() && !ended {
        return Err("goes on with a run that has not ended".into());
    }
    Ok(())
}

/// Says why a run is not what was wished.
fn wrong(story: &Story<'_>, tale: &Tale, of: &MadeOf, wished: &Forked) -> Option<String> {
    let source = story.runs.get(&of.source)?;
    if tale.input != wished.input.or(source.input) {
        return Some("its input is another".into());
    }
    let before = Before::read(journal(story, of.source));
    let from = match &wished.from {
        Place::Start => None,
        Place::Step(step) => Some(Arc::clone(step)),
        Place::Failure => before.last_failure(),
    };
    if from != of.from {
        return Some(format!("it goes on from {:?}, not from {from:?}", of.from));
    }
    let mut expected = from.map(|step| before.given_to(&step)).unwrap_or_default();
    for (step, number) in &wished.outputs {
        if let Some((.., output)) = expected.iter_mut().find(|(one, ..)| one == step) {
            *output = Some(given_by_hand(*number).into());
        }
    }
    let kept = kept(tale);
    (kept != expected).then(|| format!("it keeps {kept:?}, expected is {expected:?}"))
}

/// What a run was begun with.
fn kept(tale: &Tale) -> Vec<End> {
    let ends = tale.lines.iter().filter_map(|line| match &line.noted {
        Noted::StepEnded { step, status, output, kept: true, .. } => {
            Some((Arc::clone(step), *status, output.clone()))
        }
        _ => None,
    });
    ends.collect()
}

fn journal<'a>(story: &'a Story<'_>, run: RunId) -> &'a [u8] {
    let journals = story.readings.last().into_iter().flat_map(|last| &last.read.journals);
    journals.into_iter().find(|(one, _)| *one == run).map_or(&[], |(_, journal)| &journal[..])
}

/// What a journal says of the last run of its handler.
#[derive(Default)]
struct Before {
    /// Steps that began, with how many ends the code had been given.
    begun: BTreeMap<Arc<str>, (Kind, usize)>,
    /// The races in whose branches steps stand.
    races: BTreeMap<Arc<str>, Arc<str>>,
    ends: Vec<End>,
    /// An earlier run of the handler was given an end that is not kept: what asks for the step anew
    /// meets those that are kept in another order (§6.5).
    forgot: bool,
}

impl Before {
    fn read(journal: &[u8]) -> Self {
        let mut before = Self::default();
        for record in record::decode(journal).map_while(Result::ok) {
            match &record {
                Record::StepStarted(r) => before.begin(&r.step, r.open.as_ref()),
                Record::AttemptFailed(r) => before.begin(&r.step, r.open.as_ref()),
                Record::SleepStarted(r) => before.begin(&r.step, Some(&r.open)),
                Record::WaitStarted(r) => before.begin(&r.step, Some(&r.open)),
                Record::ChildStarted(r) => before.begin(&r.step, Some(&r.open)),
                Record::RaceStarted(r) => before.begin(&r.step, Some(&r.open)),
                Record::StepEnded(r) => {
                    before.begin(&r.step, r.open.as_ref());
                    let output = r.output.map(|raw| Arc::from(raw.get()));
                    before.ends.push((Arc::from(&*r.step), r.status, output));
                }
                Record::Retried(_) => before.again(),
                _ => {}
            }
        }
        before
    }

    fn begin(&mut self, step: &str, open: Option<&Opening<'_>>) {
        if let Some(open) = open {
            let after = usize::try_from(open.after).unwrap_or(usize::MAX);
            self.begun.insert(step.into(), (open.kind, after));
            let race = open.branch.as_ref().map(|branch| Arc::from(&*branch.race));
            self.races.extend(race.map(|race| (step.into(), race)));
        }
    }

    /// §6.5: what did not complete is forgotten.
    fn again(&mut self) {
        let ends = std::mem::take(&mut self.ends);
        let stays: Vec<bool> = ends.iter().map(|(_, status, _)| is_kept(*status)).collect();
        let failed = |(_, status, _): &End| !is_kept(*status) && *status != StepStatus::Cancelled;
        self.forgot |= ends.iter().any(failed);
        self.ends = ends.into_iter().filter(|(_, status, _)| is_kept(*status)).collect();
        let kept: BTreeSet<Arc<str>> = self.ends.iter().map(|(step, ..)| step.clone()).collect();
        self.begun.retain(|step, _| kept.contains(step));
        for (_, after) in self.begun.values_mut() {
            *after = stays.iter().take(*after).filter(|stays| **stays).count();
        }
    }

    fn taken_back(&self) -> BTreeSet<Arc<str>> {
        let undone = self.begun.iter().filter(|(_, (kind, _))| *kind == Kind::Compensate);
        undone.map(|(step, _)| Arc::from(step_id::shown(step))).collect()
    }

    /// What the code had been given of value when it asked for a step.
    fn given_to(&self, step: &str) -> Vec<End> {
        let Some((_, after)) = self.begun.get(step) else { return Vec::new() };
        let taken_back = self.taken_back();
        let own = |step: &Arc<str>| {
            let kind = self.begun.get(step).map(|(kind, _)| *kind);
            !matches!(kind, None | Some(Kind::Compensate | Kind::OnFailure))
        };
        let counts = |(step, status, _): &End| {
            own(step) && *status != StepStatus::Cancelled && !taken_back.contains(step)
        };
        let given: Vec<&End> = self.ends.iter().take(*after).filter(|end| counts(end)).collect();
        let has = |wanted: &Arc<str>| given.iter().any(|(step, ..)| step == wanted);
        // A race that was cancelled with the branch that it stood in, and in which something was done.
        let lost = |(place, (race, status, _)): &(usize, &End)| {
            let holds = |step: &Arc<str>| self.outside(step).contains(&race);
            *status == StepStatus::Cancelled
                && given.iter().any(|(step, ..)| holds(step))
                && (place < after || self.outside(race).into_iter().any(has))
        };
        let ends = self.ends.iter().enumerate();
        let kept =
            ends.filter(|(place, end)| place < after && counts(end) || lost(&(*place, *end)));
        kept.map(|(_, end)| end.clone()).collect()
    }

    /// The races around a step.
    fn outside(&self, step: &Arc<str>) -> Vec<&Arc<str>> {
        std::iter::successors(self.races.get(step), |race| self.races.get(*race)).collect()
    }

    fn last_failure(&self) -> Option<Arc<str>> {
        let failed = |status| {
            matches!(status, StepStatus::Failed | StepStatus::TimedOut | StepStatus::Unknown)
        };
        let own = |step: &Arc<str>| {
            let kind = self.begun.get(step).map(|(kind, _)| *kind);
            !matches!(kind, None | Some(Kind::Compensate | Kind::OnFailure | Kind::Race))
        };
        let last = self.ends.iter().rfind(|(step, status, _)| failed(*status) && own(step));
        last.map(|(step, ..)| step.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use stepwell_core::run::From;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    /// A run, and one that goes on from its last step with another result of its first.
    fn forked(asks: bool) -> World {
        let mut world = World::whole();
        let outputs = vec![("run-0".into(), 7)];
        let wished = Forked { from: Place::Step("run-2".into()), input: None, outputs };
        if asks {
            let what = Asked::Fork(world.run, wished);
            world.add(Fact::Asked { request: Request(9), what });
        }
        let edited = RawValue::from_string(given_by_hand(7)).unwrap();
        let made = world.fork(From::Step("run-2"), &[("run-0".into(), edited)]);
        let answer = Answer::Started { run: made, created: true };
        world.add(Fact::Answered { request: Request(9), answer });
        world.finish();
        world
    }

    fn broken(from: &str, to: &str) -> String {
        let mut world = forked(true);
        world.rewrite_last(from, to);
        run(check, &world.history).join("\n")
    }

    #[test]
    fn a_fork_that_keeps_what_was_given_passes() {
        assert_eq!(run(check, &forked(true).history), [""; 0]);
        assert!(run(check, &forked(false).history)[0].contains("nobody asked"));
    }

    #[test]
    fn a_fork_that_is_not_what_was_wished_is_refused() {
        assert!(broken("\"byHand\": 7", "\"byHand\": 8").contains("expected is"));
        assert!(broken("sleep-1", "sleep-9").contains("expected is"));
        assert!(broken("\"step\":\"run-2\"", "\"step\":\"run-0\"").contains("it goes on from"));
        assert!(broken("\"n\":0", "\"n\":1").contains("its input is another"));
        assert!(broken(",\"by\":\"who\"", "").contains("by whom"));
    }

    #[test]
    fn a_fork_that_keeps_what_was_taken_back_is_refused() {
        let mut world = forked(true);
        let id = step_id::of(Kind::Compensate, "run-0");
        let id = serde_json::to_string(&id).unwrap();
        world.rewrite("\"step\":\"run-2\"", &format!("\"step\":{id}"));
        world.rewrite("\"kind\":\"run\"", "\"kind\":\"compensate\"");
        assert!(
            run(check, &world.history).join("\n").contains("keeps run-0, which was taken back")
        );
    }

    #[test]
    fn a_fork_of_a_run_that_goes_on_is_refused() {
        let mut world = forked(true);
        world.rewrite("{\"ended\"", "{\"logged\"");
        let found = run(check, &world.history).join("\n");
        assert!(found.contains("has not ended") || found.contains("is not there"), "{found}");
    }
}
