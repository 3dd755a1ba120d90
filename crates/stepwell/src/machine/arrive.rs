//! What the node says of a run.

use std::cmp::Reverse;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use stepwell_core::status::{Kind, StepStatus};
use stepwell_protocol::to_node::Resume;
use stepwell_protocol::to_runner::{EndedStep, OpenStep, Retry, Settled};

use super::cell::Cell;
use super::once::Once;
use super::state::{Attached, Core, End, Hold, Out, Outcome, Phase, State, Step};
use crate::error::Error;
use crate::moment::Moment;

impl Cell {
    /// Part of the history (§4.1): ends in the order in which the code is given them.
    pub(crate) fn on_history(&self, ended: Vec<EndedStep<'_>>) {
        let mut core = self.lock();
        core.steps.reserve(ended.len());
        for one in ended {
            if let Some(clean_up) = &mut core.clean_up {
                clean_up.keep(&one);
            }
            let mut step = Step::new(Arc::from(&*one.step), one.kind, State::Ended);
            step.opened = true;
            step.attempts = one.attempts;
            step.kept_from = one.kept_from.map(Box::new);
            step.end = Some(End {
                status: one.status,
                at_us: one.at_us,
                output: one.output.map(ToOwned::to_owned),
                error: one.error.map(|error| Box::new(error.into_owned())),
                attempts: one.attempts,
            });
            let place = core.add(step);
            let queue = if one.kept { &mut core.kept } else { &mut core.queue };
            queue.push_back(place);
            core.told += 1;
            core.history += 1;
        }
    }

    /// Steps that the journal has open.
    pub(crate) fn on_open(self: &Arc<Self>, open: Vec<OpenStep<'_>>, now: Moment) {
        let mut core = self.lock();
        let core = &mut *core;
        for one in open {
            let mut step = Step::new(Arc::from(&*one.step), one.kind, State::Known);
            step.opened = true;
            step.attempts = one.attempts;
            step.once.is = one.once;
            step.once.doubt = one.unknown;
            step.due = now.after(Duration::from_micros(one.due_in_us.unwrap_or(0)));
            step.first_started =
                one.first_started_ago_us.map(|micros| now.before(Duration::from_micros(micros)));
            let due = step.due;
            let place = core.add(step);
            core.unasked += 1;
            core.timers.push(Reverse((due, place)));
        }
        self.arm(core);
    }

    /// The history is whole: the code runs.
    pub(crate) fn on_loaded(&self) {
        let mut core = self.lock();
        if core.phase == Phase::Loading {
            let cleans = core.clean_up.is_some();
            core.phase = if cleans { Phase::Gathering } else { Phase::Forward };
        }
    }

    /// A step ended, durably.
    pub(crate) fn on_settled(&self, settled: &Settled<'_>) {
        let mut core = self.lock();
        let core = &mut *core;
        let Some(place) = core.find(&settled.step) else { return };
        let step = &mut core.steps[place];
        match step.state {
            State::Known
            | State::Due
            | State::Running
            | State::Telling
            | State::Waiting
            | State::Asking
            | State::Verifying
            | State::Racing
            | State::Dropped => {}
            // The node repeats what it is not sure to have told.
            State::Ended | State::Passed | State::Ready | State::Taken => return,
        }
        let status = settled.status.unwrap_or(StepStatus::Completed);
        let attempt = step.attempt.take();
        let n = attempt.as_ref().map(|attempt| attempt.n);
        if let Some(signal) = attempt.as_ref().and_then(|attempt| attempt.signal.as_ref()) {
            // §5.5: a function of a branch that lost is in progress.
            signal.fire();
        }
        let (output, own_error) = match attempt.and_then(|attempt| attempt.outcome) {
            Some(Outcome::Returned(output)) if status == StepStatus::Completed => (output, None),
            Some(Outcome::Failed(failed)) => (None, Some(failed.failure)),
            // Of a child the node tells what it returned.
            None => (settled.output.map(ToOwned::to_owned), None),
            Some(Outcome::Returned(_) | Outcome::Continued(_)) => (None, None),
        };
        let error = settled.error.clone().map(stepwell_core::failure::Failure::into_owned);
        let error = error.or(own_error).map(Box::new);
        step.end = Some(End {
            status,
            at_us: settled.at_us,
            output,
            error,
            attempts: n.unwrap_or(step.attempts),
        });
        step.opened = true;
        core.unasked -= u32::from(step.state == State::Known);
        core.askable += u32::from(step.is_wanted());
        core.set(place, State::Ended);
        core.queue.push_back(place);
        core.told += 1;
        // The node takes a slot for the run again as it tells this, unless the word that the run
        // rests was on its way to it meanwhile.
        core.idle_unsure |= core.idle_told;
        core.idle_told = false;
        core.resting = None;
        self.notify();
    }

    /// An attempt failed, and another one follows.
    pub(crate) fn on_retry(self: &Arc<Self>, retry: &Retry<'_>, now: Moment) {
        let waker = {
            let mut core = self.lock();
            let core = &mut *core;
            let Some(place) = core.find(&retry.step) else { return };
            let step = &mut core.steps[place];
            let due = now.after(Duration::from_micros(retry.in_us));
            let ended = step.attempt.as_ref().map(|attempt| attempt.n);
            let waits = matches!(step.state, State::Due | State::Known);
            if waits && step.attempts + 1 == retry.n && due < step.due {
                // §9.5: its backoff is over earlier than was said.
                step.due = due;
            } else if step.state == State::Telling
                && (ended.is_some_and(|ended| ended < retry.n) || step.once.verdict.is_some())
            {
                step.attempt = None;
                step.attempts = retry.n - 1;
                step.opened = true;
                step.due = due;
                core.set(place, State::Due);
                let step = &mut core.steps[place];
                // §4.5: what is not done may start; of what ran out of time nobody knows.
                let not_done = step.once.verdict.take().is_some();
                step.once = Once { doubt: false, verifies: 0, ..step.once };
                if step.once.is && !not_done {
                    Self::doubt(core, place);
                }
            } else {
                return;
            }
            core.timers.push(Reverse((due, place)));
            self.arm(core);
            (due <= now).then(|| core.steps[place].waker.clone()).flatten()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.notify();
    }

    /// The run's end is decided (§7.2): nothing more starts, what is in flight gets the signal.
    pub(crate) fn on_end(&self) {
        let mut core = self.lock();
        match core.phase {
            // Nothing is in flight to be awaited: no need for the run's own thread, which may be held.
            Phase::Loading | Phase::Forward | Phase::Gathering | Phase::Blocked
                if core.counts.running == 0 =>
            {
                self.finish_cancelled(&mut core);
            }
            Phase::Loading | Phase::Forward | Phase::Gathering | Phase::Blocked => {
                core.phase = Phase::Ending;
            }
            Phase::Ending | Phase::Leaving(_) | Phase::Finished | Phase::Closed => return,
        }
        Self::fire_signals(&core);
        drop(core);
        self.notify();
    }

    pub(super) fn finish_cancelled(&self, core: &mut Core) {
        core.finish = Some(Outcome::of_error(&Error::cancelled()));
        core.phase = Phase::Finished;
        core.outbox.push_back(Out::Finished);
        self.flush(core);
    }

    fn fire_signals(core: &Core) {
        let attempts = core.steps.iter().filter_map(|step| step.attempt.as_ref());
        for signal in attempts.filter_map(|attempt| attempt.signal.as_ref()) {
            signal.fire();
        }
    }

    /// This process does not hold the run any more, or may forget it.
    pub(crate) fn on_over(&self) {
        let mut core = self.lock();
        core.phase = Phase::Closed;
        core.attached = None;
        core.outbox.clear();
        core.lines.clear();
        core.forget_wakers();
        Self::fire_signals(&core);
        drop(core);
        self.notify();
    }

    /// The runner stops: the run is given back as soon as no function of it is in progress.
    pub(crate) fn on_drain(&self) {
        self.lock().draining = true;
        self.notify();
    }

    /// The connection is gone. What was not answered is told again on the next one.
    pub(crate) fn on_disconnected(&self) {
        let mut core = self.lock();
        core.attached = None;
    }

    /// Returns what the handshake says of the run; `None` where there is nothing to resume.
    pub(crate) fn resume(&self) -> Option<Resume> {
        let mut core = self.lock();
        if matches!(core.phase, Phase::Loading | Phase::Closed) {
            return None;
        }
        core.idle_told = core.is_idle(self.now());
        Some(Resume {
            run: self.info.run,
            epoch: self.info.epoch,
            nonce: self.info.nonce,
            told: core.told,
            idle: core.idle_told,
        })
    }

    /// The run goes on being held, under a new handle.
    pub(crate) fn on_resumed(&self, a: u32, generation: u64, paused: bool) {
        let now = self.now();
        let mut guard = self.lock();
        let core = &mut *guard;
        core.attached = Some(Attached { a, generation });
        core.hold = if paused { Hold::Paused } else { Hold::Free };
        // All is told from the state that it is about.
        core.outbox.clear();
        Self::tell_search_again(core);
        for place in 0..core.steps.len() {
            Self::tell_again(core, place);
        }
        core.outbox.extend(core.orders.iter().cloned());
        match core.phase {
            Phase::Blocked => {
                let block = core.block.clone().map(Out::Block);
                core.outbox.extend(block);
            }
            Phase::Finished => core.outbox.push_back(Out::Finished),
            Phase::Loading
            | Phase::Forward
            | Phase::Gathering
            | Phase::Ending
            | Phase::Leaving(_)
            | Phase::Closed => {}
        }
        self.flush(core);
        // What became due meanwhile waited for this.
        let wakers = wakers_of_due(core, now);
        drop(guard);
        wakers.into_iter().for_each(Waker::wake);
        self.notify();
    }

    /// The run is paused (§9.6): what is in flight ends; nothing begins, and the code is given nothing.
    pub(crate) fn on_pause(&self) {
        self.lock().hold = Hold::Paused;
        self.notify();
    }

    /// The run is paused no more: what was held back goes on.
    pub(crate) fn on_unpause(&self) {
        let now = self.now();
        let wakers = {
            let mut core = self.lock();
            let core = &mut *core;
            core.hold = Hold::Free;
            // The node takes a slot for the run again as it tells this.
            core.idle_unsure |= core.idle_told;
            core.idle_told = false;
            core.resting = None;
            wakers_of_due(core, now)
        };
        wakers.into_iter().for_each(Waker::wake);
        self.notify();
    }

    /// Puts what is not answered about a step into the outbox. `opened` is known for sure only where
    /// the node answered about the step; saying it twice changes nothing.
    fn tell_again(core: &mut Core, place: usize) {
        let step = &mut core.steps[place];
        let is_sleep = step.details.as_deref().is_some_and(|details| details.until.is_some());
        let is_wait = matches!(step.kind, Kind::WaitForEvent | Kind::NamedWait);
        let out = match step.state {
            State::Running => {
                let told = step.attempt.as_ref().is_some_and(|attempt| attempt.start_told);
                if told { Some(Out::Started(place)) } else { None }
            }
            State::Asking => Some(Out::Started(place)),
            State::Racing => Some(Out::Race(place)),
            State::Telling if step.once.verdict.is_some() => Some(Out::Verified(place)),
            State::Telling if step.kind == Kind::Race => {
                // Its end does not open it.
                core.outbox.push_back(Out::Race(place));
                Some(Out::Raced(place))
            }
            State::Telling if step.attempt.is_some() => Some(Out::Ended(place)),
            State::Telling if step.kind == Kind::Emit => Some(Out::Emit(place)),
            State::Telling => Some(Out::Skip(place)),
            State::Waiting if is_sleep => Some(Out::Sleep(place)),
            State::Waiting if step.kind == Kind::Invoke => Some(Out::Invoke(place)),
            State::Waiting if is_wait => Some(Out::Wait(place)),
            State::Dropped => Some(Out::Dropped(place)),
            State::Waiting
            | State::Known
            | State::Verifying
            | State::Due
            | State::Ended
            | State::Passed
            | State::Ready
            | State::Taken => None,
        };
        if out.is_some() {
            step.opened = false;
        }
        core.outbox.extend(out);
    }
}

/// Returns the wakers of steps whose next attempt may begin.
fn wakers_of_due(core: &Core, now: Moment) -> Vec<Waker> {
    let due = core.steps.iter().filter(|step| step.state == State::Due && step.due <= now);
    due.filter_map(|step| step.waker.clone()).collect()
}
