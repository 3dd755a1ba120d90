//! Code asks for a step.

use std::sync::Arc;
use std::task::Waker;

use stepwell_core::record::BlockCause;
use stepwell_core::status::{Kind, StepStatus};
use stepwell_core::step_id;

use super::cell::Cell;
use super::inside::inside;
use super::race::Lane;
use super::state::{Asked, Core, Details, Out, Phase, State, Step};
use super::turn::{Polled, Turn};
use crate::error::{Error, Result};
use crate::moment::Moment;

/// What code asks for.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) blocking: bool,
    pub(crate) details: Option<Box<Details>>,
}

impl Ask {
    fn lane(&self) -> Option<&Arc<Lane>> {
        self.details.as_deref()?.lane.as_ref()
    }
}

impl Cell {
    /// Takes a step up and says what its future is to do. Returns the step's place; `None` where the
    /// code cannot go on (then the step's future never ends).
    ///
    /// # Errors
    /// Nothing was taken up: the id is used twice or is no id, the step stands inside another one's
    /// function, or a limit is reached.
    pub(crate) fn ask(self: &Arc<Self>, ask: Ask, waker: &Waker) -> Result<(Option<usize>, Turn)> {
        step_id::check(ask.kind, &ask.id).map_err(|why| Error::argument(why.to_string()))?;
        let mut core = self.lock();
        let core = &mut *core;
        if let Some(outer) = inside().filter(|inside| inside.run == self.address()) {
            return Err(Error::nested(&ask.id, &core.steps[outer.step].id));
        }
        let now = self.now();
        let place = match (core.phase, core.find(&ask.id)) {
            (Phase::Forward | Phase::Gathering, Some(place)) => {
                self.ask_known(core, place, ask, now)?
            }
            // §5.5: nothing new begins in a branch that lost.
            (Phase::Forward, None) if !Self::may_race(core, ask.lane()) => None,
            (Phase::Forward, None) => Some(self.ask_new(core, ask, now)?),
            // §7.5: what is not saved never settles, and starts nothing.
            _ => return Ok((None, Turn::Pending)),
        };
        let turn = place.map(|place| self.turn_of(core, &Polled { place, held: 0, waker }, now));
        Ok((place, turn.unwrap_or(Turn::Pending)))
    }

    fn ask_known(
        &self,
        core: &mut Core,
        place: usize,
        ask: Ask,
        now: Moment,
    ) -> Result<Option<usize>> {
        let step = &mut core.steps[place];
        if step.asked != Asked::No {
            return Err(Error::duplicate(&ask.id));
        }
        if step.kind != ask.kind {
            // §4.10: another kind under the same id blocks the run.
            let (expected, found) = (step.kind, ask.kind);
            let step = step.id.to_string().into();
            core.block(BlockCause::KindChanged { step, expected, found });
            self.notify_from_code();
            return Ok(None);
        }
        step.asked = Asked::Yes;
        step.blocking = ask.blocking;
        step.details = ask.details;
        step.asked_at = now;
        match step.state {
            State::Known => {
                let doubt = step.once.doubt;
                let state = match step.kind {
                    Kind::Run | Kind::Compensate | Kind::OnFailure => State::Due,
                    Kind::Race => State::Racing,
                    Kind::Sleep
                    | Kind::SleepUntil
                    | Kind::WaitForEvent
                    | Kind::NamedWait
                    | Kind::Invoke
                    | Kind::Emit
                    | Kind::Skip => State::Waiting,
                };
                core.unasked -= 1;
                core.set(place, state);
                if doubt {
                    Self::doubt(core, place);
                    self.notify_from_code();
                }
            }
            State::Ended => {
                core.askable += u32::from(core.steps[place].is_wanted());
                self.notify_from_code();
            }
            State::Passed => {
                let cancelled = |end: &super::End| end.status == StepStatus::Cancelled;
                let never = step.end.as_ref().is_some_and(cancelled);
                core.set(place, if never { State::Taken } else { State::Ready });
            }
            State::Due
            | State::Running
            | State::Telling
            | State::Waiting
            | State::Ready
            | State::Taken
            | State::Asking
            | State::Verifying
            | State::Racing
            | State::Dropped => {}
        }
        Ok(Some(place))
    }

    fn ask_new(&self, core: &mut Core, ask: Ask, now: Moment) -> Result<usize> {
        self.within_limits(core, &ask)?;
        let state = match ask.kind {
            Kind::Run | Kind::Compensate | Kind::OnFailure => State::Due,
            Kind::Race => State::Racing,
            Kind::Sleep
            | Kind::SleepUntil
            | Kind::WaitForEvent
            | Kind::NamedWait
            | Kind::Invoke => State::Waiting,
            Kind::Emit | Kind::Skip => State::Telling,
        };
        let mut step = Step::new(ask.id, ask.kind, state);
        step.asked = Asked::Yes;
        step.blocking = ask.blocking;
        step.details = ask.details;
        // What an earlier run of the handler left stands in front of all that this one has.
        step.after = core.passed + u32::try_from(core.kept.len()).unwrap_or(u32::MAX);
        step.asked_at = now;
        step.due = now;
        step.once.is = step.options().is_some_and(|options| options.once.is_some());
        let place = core.add(step);
        match ask.kind {
            Kind::Run | Kind::Compensate | Kind::OnFailure => {}
            Kind::Race => core.outbox.push_back(Out::Race(place)),
            Kind::Invoke => core.outbox.push_back(Out::Invoke(place)),
            Kind::WaitForEvent | Kind::NamedWait => core.outbox.push_back(Out::Wait(place)),
            Kind::Emit => core.outbox.push_back(Out::Emit(place)),
            Kind::Sleep | Kind::SleepUntil => core.outbox.push_back(Out::Sleep(place)),
            Kind::Skip => core.outbox.push_back(Out::Skip(place)),
        }
        if ask.kind != Kind::Run {
            self.notify_from_code();
        }
        Ok(place)
    }

    /// §12: limits are met before the side effect.
    fn within_limits(&self, core: &Core, ask: &Ask) -> Result<()> {
        let (id, terms) = (&ask.id, &self.terms);
        // What takes steps back is not refused for their number.
        let made = matches!(ask.kind, Kind::Compensate | Kind::OnFailure);
        if !made && core.steps.len() >= terms.steps_max as usize {
            let text = format!("step `{id}` is one more than the {} of a run", terms.steps_max);
            return Err(Error::limit(text));
        }
        if core.counts.in_flight() >= terms.branches_max {
            let max = terms.branches_max;
            let text = format!("step `{id}` is one more than the {max} that may be in flight");
            return Err(Error::limit(text));
        }
        let Some(details) = ask.details.as_deref() else { return Ok(()) };
        let what = || format!("the input of step `{id}`");
        crate::json::within(what, details.input.as_deref(), terms.payload_bytes_max)?;
        let what = || format!("the metadata of step `{id}`");
        crate::json::within(what, details.metadata.as_deref(), terms.payload_bytes_max)?;
        let payloads = [details.input.as_deref(), details.metadata.as_deref()];
        let bytes: usize = payloads.iter().flatten().map(|raw| raw.get().len()).sum();
        if bytes > terms.payload_bytes_max {
            let max = terms.payload_bytes_max;
            let text = format!(
                "input and metadata of step `{id}` have {bytes} bytes together; the limit is {max}"
            );
            return Err(Error::limit(text));
        }
        Ok(())
    }
}
