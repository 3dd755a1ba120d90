//! Waits for events, and events that a run sends (§8).

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use super::command::{Change, Effect, Rejection};
use super::state::{Phase, Run, Step};
use super::step::Known;
use crate::failure::{Failure, names};
use crate::limits::Limits;
use crate::matching::{Leaf, Match};
use crate::payload;
use crate::record::{
    Inherited, Looked, OnTimeout, Opening, Record, Started, StepEnded, TakenEvent, WaitStarted,
};
use crate::status::{Kind, StepStatus};
use crate::time::Timestamp;
use crate::wait::Wait;

/// Most bytes of the value that a wait gives when it times out. It stays in memory with the wait.
pub const VALUE_BYTES_MAX: usize = crate::matching::BYTES_MAX;

/// See [`super::Act::Wait`].
#[derive(Debug)]
pub struct WaitStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The name of the event.
    pub event: Cow<'a, str>,
    /// What the event has to contain.
    pub wanted: Option<&'a RawValue>,
    /// When it times out.
    pub until: Option<Timestamp>,
    /// What a time-out gives the code.
    pub on_timeout: OnTimeout<'a>,
    /// From when on events count.
    pub since: Since,
    /// No event of the name was accepted later than this; [`Timestamp::MAX`] where that is not known.
    pub newest: Timestamp,
    /// Its first record.
    pub open: Opening<'a>,
}

/// From when on events count for a wait (§8.4); never those that are kept no more
/// ([`Limits::event_kept_ms`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// From the start of the run on, of the first one in a chain (§2.3).
    #[default]
    RunStart,
    /// Those that are accepted after the wait was parked.
    Parked,
    /// Those that were accepted at most so long before it was parked.
    Back(Duration),
}

/// See [`super::Act::Emit`].
#[derive(Debug)]
pub struct EmitStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The event's id as JSON, or why the event is refused.
    pub sent: Result<&'a RawValue, Failure<'a>>,
    /// Its first record.
    pub open: Opening<'a>,
}

/// An event as a run is given it. The caller has held it against the wait's match.
#[derive(Clone, Copy, Debug)]
pub struct Deliver<'a> {
    /// The wait.
    pub step: &'a str,
    /// The event's id.
    pub id: &'a str,
    /// The event's name.
    pub event: &'a str,
    /// Its data.
    pub data: Option<&'a RawValue>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What a parked step waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The row under which events find it.
    pub wait: Wait,
    /// When it was parked.
    pub at: Timestamp,
    /// Events from before it was parked have been looked for.
    pub looked: bool,
    /// What a time-out gives the code.
    timeout: Given,
}

/// As [`OnTimeout`], kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    Null,
    Fail,
    Value(Arc<str>),
}

/// The waits of a run, and what they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// The positions of steps that wait for events.
    parked: BTreeSet<u32>,
    /// Of these, those for which nobody has looked.
    unlooked: BTreeSet<u32>,
    /// The ids of events that count no more, by the events' names, with when they were taken: by waits
    /// of the run, by those of runs before it in its chain, and what started the first one.
    taken: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Timestamp>>,
    /// When the first run of the chain was started.
    since: Timestamp,
}

impl Waits {
    /// Makes those of a new run.
    pub(super) fn of(started: &Started<'_>) -> Self {
        let inherited = started.inherited.as_ref();
        let since = inherited.map_or(started.at, |inherited| inherited.since);
        let mut waits = Self { since, ..Self::default() };
        if let Some(origin) = &started.event {
            waits.take(Arc::from(&*origin.name), &origin.id, started.at);
        }
        for taken in inherited.into_iter().flat_map(|inherited| &inherited.taken) {
            waits.take(Arc::from(&*taken.name), &taken.id, taken.at);
        }
        waits
    }

    fn take(&mut self, name: Arc<str>, id: &str, at: Timestamp) {
        self.taken.entry(name).or_default().insert(Arc::from(id), at);
    }
}

impl Run {
    /// Returns the step's wait, while it is parked for an event.
    pub fn parked(&self, step: &str) -> Option<&Arc<Parked>> {
        self.step(step)?.parked.as_ref()
    }

    /// Returns the ids of the steps that wait for events.
    pub fn parked_steps(&self) -> impl Iterator<Item = &Step> {
        self.waits.parked.iter().filter_map(|position| self.at(*position))
    }

    /// Tells whether an event may end a wait: it was accepted while the wait was parked, or it is one
    /// that is looked back for and that no earlier wait of the run took (§8.4).
    pub fn may_take(&self, step: &str, id: &str, accepted_at: Timestamp) -> bool {
        let Some(parked) = self.parked(step) else {
            return false;
        };
        if accepted_at > parked.at {
            return true;
        }
        let mut taken = self.waits.taken.get(&parked.wait.event).into_iter();
        accepted_at >= parked.wait.from && !taken.any(|ids| ids.contains_key(id))
    }

    /// Returns what the waits of the next run in its chain are to know (§8.4), without events that were
    /// taken so long ago that they are kept no more.
    pub fn bequest(&self, now: Timestamp, limits: &Limits) -> Inherited<'static> {
        let kept = now.before(limits.event_kept());
        let mut taken = Vec::new();
        for (name, ids) in &self.waits.taken {
            for (id, at) in ids.iter().filter(|(_, at)| **at >= kept) {
                let (id, name) = (Cow::Owned((**id).to_owned()), Cow::Owned((**name).to_owned()));
                taken.push(TakenEvent { id, name, at: *at });
            }
        }
        Inherited { since: self.waits.since, taken }
    }

    /// Tells whether there is something that the engine brings, by itself or from outside.
    pub(super) fn awaits_something(&self) -> bool {
        !self.wakes.is_empty() || !self.waits.parked.is_empty() || !self.children.is_empty()
    }

    /// Returns since when a wait has to be looked for; nothing where none has.
    pub(super) fn look_due(&self) -> Option<Timestamp> {
        let unlooked = self.waits.unlooked.iter().filter_map(|position| self.at(*position));
        unlooked.filter_map(|step| step.parked.as_ref().map(|parked| parked.at)).min()
    }

    /// Notes what a wait took, and that it waits no more.
    pub(super) fn fold_wait_ended(&mut self, position: u32, event: Option<&str>, at: Timestamp) {
        if !self.waits.parked.remove(&position) {
            return;
        }
        self.waits.unlooked.remove(&position);
        let parked = self.at_mut(position).and_then(|step| step.parked.take());
        if let (Some(parked), Some(id)) = (parked, event) {
            self.waits.take(parked.wait.event.clone(), id, at);
        }
    }

    /// Takes back all waits: the run ends.
    pub(super) fn fold_no_waits(&mut self) {
        for position in core::mem::take(&mut self.waits.parked) {
            if let Some(step) = self.at_mut(position) {
                step.parked = None;
            }
        }
        self.waits.unlooked.clear();
    }

    pub(super) fn fold_wait_started(&mut self, started: &WaitStarted<'_>) {
        let position = self.open_step(&started.step, Some(&started.open));
        self.set_wake(position, started.until);
        let parked = Arc::new(Parked {
            wait: self.wait_of(started),
            at: started.at,
            looked: started.looked,
            timeout: match started.on_timeout {
                OnTimeout::Null => Given::Null,
                OnTimeout::Fail => Given::Fail,
                OnTimeout::Value(value) => Given::Value(Arc::from(value.get())),
            },
        });
        self.waits.parked.insert(position);
        if !started.looked {
            self.waits.unlooked.insert(position);
        }
        if let Some(step) = self.at_mut(position) {
            step.status = StepStatus::Waiting;
            step.parked = Some(parked);
        }
    }

    pub(super) fn fold_looked(&mut self, looked: &Looked<'_>) {
        let Some(position) = self.position(&looked.step) else { return };
        self.waits.unlooked.remove(&position);
        if let Some(parked) = self.at_mut(position).and_then(|step| step.parked.as_mut()) {
            Arc::make_mut(parked).looked = true;
        }
    }

    fn wait_of(&self, started: &WaitStarted<'_>) -> Wait {
        // What was recorded was checked. A match that cannot be read any more is found under the name.
        let leaf = started.wanted.map_or(Some(Leaf::NAME), |wanted| {
            Match::parse(wanted).ok().map(|wanted| wanted.leaf())
        });
        Wait {
            leaf: leaf.unwrap_or(Leaf::NAME),
            run: self.id,
            step: Arc::from(&*started.step),
            namespace: self.namespace.clone(),
            app: self.app.clone(),
            event: Arc::from(&*started.event),
            wanted: started.wanted.map(|wanted| Arc::from(wanted.get())),
            from: started.since,
        }
    }
}

impl Change<'_, '_> {
    pub(super) fn wait(&mut self, wait: WaitStep<'_>) -> Result<(), Rejection> {
        let kind = match wait.open.kind {
            Kind::WaitForEvent | Kind::NamedWait => wait.open.kind,
            Kind::Run
            | Kind::Sleep
            | Kind::SleepUntil
            | Kind::Invoke
            | Kind::Emit
            | Kind::Race
            | Kind::Skip
            | Kind::Compensate
            | Kind::OnFailure => Kind::WaitForEvent,
        };
        match self.look_up(&wait.step, kind, Some(&wait.open))? {
            Known::Ended | Known::Open { .. } => return Ok(()),
            Known::New if self.is_full() || self.is_ending() => return Ok(()),
            Known::New => {}
        }
        if let Err(why) = check(&wait) {
            let failure = Failure::new(names::LIMIT, why);
            self.end_structural(&wait.step, Some(wait.open), Err(failure));
            return Ok(());
        }
        let now = self.env.now;
        let asked = match wait.since {
            Since::RunStart => self.run.waits.since,
            Since::Parked => now.after(Duration::from_micros(1)),
            Since::Back(time) => now.before(time),
        };
        let since = asked.max(now.before(self.env.limits.event_kept()));
        let looked = since > now || wait.newest < since;
        let step = wait.step.clone();
        self.push(&Record::WaitStarted(WaitStarted {
            step: wait.step,
            at: now,
            event: wait.event,
            wanted: wait.wanted,
            until: wait.until,
            on_timeout: wait.on_timeout,
            since,
            asked: (asked < since).then_some(asked),
            looked,
            open: wait.open,
        }));
        if (!looked || wait.until.is_some_and(|until| until <= now))
            && let Some(step) = self.run.step(&step)
        {
            let step = step.id.clone();
            self.effect(Effect::Look { step });
        }
        Ok(())
    }

    /// §4.6: the event is written in the commit of this record, by who performs the command.
    pub(super) fn emit(&mut self, emit: EmitStep<'_>) -> Result<(), Rejection> {
        match self.look_up(&emit.step, Kind::Emit, Some(&emit.open))? {
            Known::Ended | Known::Open { .. } => return Ok(()),
            Known::New if self.is_full() || self.is_ending() => return Ok(()),
            Known::New => {}
        }
        self.end_structural(&emit.step, Some(emit.open), emit.sent);
        Ok(())
    }

    /// A wait in a blocked or paused run is woken too: it takes effect when the run goes on (§9.6).
    pub(super) fn deliver(&mut self, deliver: Deliver<'_>) {
        let waits = matches!(self.run.phase, Phase::Forward | Phase::Blocked { .. });
        let named = |parked: &Arc<Parked>| &*parked.wait.event == deliver.event;
        let may = self.run.may_take(deliver.step, deliver.id, deliver.accepted_at);
        if !waits || !may || !self.run.parked(deliver.step).is_some_and(named) {
            return;
        }
        let given = (StepStatus::Completed, deliver.data, None);
        self.end_wait(deliver.step, given, Some(deliver.id));
    }

    /// Nothing from before the wait was parked matched it.
    pub(super) fn looked(&mut self, step: &str) {
        if self.run.parked(step).is_some_and(|parked| !parked.looked) {
            self.push(&Record::Looked(Looked { step: step.into() }));
        }
    }

    /// §8.4: its time is over, and a last look found nothing.
    pub(super) fn time_out_wait(&mut self, id: &str) {
        let Some(step) = self.run.step(id) else { return };
        let due = step.wake.is_some_and(|until| until <= self.env.now);
        let Some(parked) = step.parked.clone().filter(|_| due) else {
            return;
        };
        let Phase::Forward = self.run.phase else { return };
        match &parked.timeout {
            Given::Null => self.end_wait(id, (StepStatus::TimedOut, None, None), None),
            Given::Fail => {
                let message = alloc::format!("no event `{}` came in time", parked.wait.event);
                let failure = Failure::new(names::WAIT_TIMEOUT, message);
                self.end_wait(id, (StepStatus::Failed, None, Some(failure)), None);
            }
            Given::Value(value) => {
                let value: Option<&RawValue> = serde_json::from_str(value).ok();
                self.end_wait(id, (StepStatus::TimedOut, value, None), None);
            }
        }
    }

    /// Asks for a look at every wait whose time is over, or for which nobody has looked.
    pub(super) fn look_for_events(&mut self) {
        let now = self.env.now;
        let due = |step: &&Step| {
            let over = step.wake.is_some_and(|until| until <= now);
            over || step.parked.as_ref().is_some_and(|parked| !parked.looked)
        };
        let steps: Vec<_> =
            self.run.parked_steps().filter(due).map(|step| step.id.clone()).collect();
        for step in steps {
            self.effect(Effect::Look { step });
        }
    }

    fn end_wait(
        &mut self,
        step: &str,
        (status, output, error): (StepStatus, Option<&RawValue>, Option<Failure<'static>>),
        event: Option<&str>,
    ) {
        let at = self.env.now;
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at,
            status,
            attempt: None,
            output,
            error: error.clone(),
            open: None,
            event: event.map(Into::into),
        }));
        if let Some(step) = self.run.step(step) {
            let (step, output) = (step.id.clone(), output.map(ToOwned::to_owned));
            self.effect(Effect::Give { step, at, status, error, output });
        }
    }

    /// Ends a new step that needed no function, with a result or an error.
    fn end_structural(
        &mut self,
        step: &str,
        open: Option<Opening<'_>>,
        result: Result<&RawValue, Failure<'_>>,
    ) {
        let at = self.env.now;
        let (status, output, error) = match result {
            Ok(output) => (StepStatus::Completed, Some(output), None),
            Err(failure) => (StepStatus::Failed, None, Some(failure.into_owned())),
        };
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at,
            status,
            attempt: None,
            output,
            error: error.clone(),
            open,
            event: None,
        }));
        if let Some(step) = self.run.step(step) {
            let (step, output) = (step.id.clone(), output.map(ToOwned::to_owned));
            self.effect(Effect::Give { step, at, status, error, output });
        }
    }
}

/// Says what of a wait is over a limit.
fn check(wait: &WaitStep<'_>) -> Result<(), alloc::string::String> {
    let of = |why: &dyn core::fmt::Display| alloc::format!("step `{}`: {why}", wait.step);
    if let Some(wanted) = wait.wanted {
        Match::parse(wanted).map_err(|why| of(&why))?;
    }
    if let OnTimeout::Value(value) = wait.on_timeout {
        let told = |why| alloc::format!("the value for its timeout is refused: {why}");
        payload::check(value, VALUE_BYTES_MAX).map_err(|why| of(&told(why)))?;
    }
    Ok(())
}
