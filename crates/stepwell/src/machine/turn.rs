//! A step's future asks what to do, and code drops a step.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::cell::Cell;
use super::state::{Asked, Attempt, Core, End, Failed, Out, Outcome, Phase, State};
use crate::duration::to_micros;
use crate::error::Error;
use crate::moment::Moment;
use crate::signal::Signal;

/// A function that still runs gets its record of a start after this time (§4.3).
pub(super) const START_TOLD_AFTER: Duration = Duration::from_millis(50);

/// How long the next attempt waits for the function of one that ran out of time (§6.4).
pub(super) const STRAY_WAIT: Duration = Duration::from_secs(5);

/// What a step's future is to do.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Call the function: this is the attempt's number.
    Begin(u32),
    /// Call what finds out how the last start ended (§4.5); the number stands for that call.
    Verify(u32),
    /// Poll the function.
    Poll,
    /// Drop the function, and ask again.
    Stop,
    /// Wait to be woken.
    Pending,
    /// Give this to the code.
    Ready(End),
}

/// A step's future that is being polled.
pub(super) struct Polled<'a> {
    pub(super) place: usize,
    /// The attempt whose function it holds, 0 for none.
    pub(super) held: u32,
    pub(super) waker: &'a Waker,
}

impl Cell {
    /// Says what the future of a step is to do that holds the function of attempt `held` (0: none).
    pub(crate) fn turn(self: &Arc<Self>, place: usize, held: u32, waker: &Waker) -> Turn {
        let mut core = self.lock();
        let now = self.now();
        self.turn_of(&mut core, &Polled { place, held, waker }, now)
    }

    pub(super) fn turn_of(
        self: &Arc<Self>,
        core: &mut Core,
        polled: &Polled<'_>,
        now: Moment,
    ) -> Turn {
        let Polled { place, held, waker } = *polled;
        let step = &mut core.steps[place];
        match &mut step.waker {
            Some(known) => known.clone_from(waker),
            None => step.waker = Some(waker.clone()),
        }
        let attempt = step.attempt.as_ref().map_or(0, |attempt| attempt.n);
        let in_progress = step.state == State::Running && held == attempt;
        match core.phase {
            Phase::Forward | Phase::Ending | Phase::Leaving(_) if in_progress => Turn::Poll,
            _ if held != 0 => Turn::Stop,
            Phase::Forward | Phase::Gathering if step.state == State::Ready => {
                let Some(end) = step.end.take() else { return Turn::Pending };
                // A waker holds the run: none is kept where nothing is waited for.
                step.waker = None;
                core.set(place, State::Taken);
                Turn::Ready(end)
            }
            Phase::Forward if step.state == State::Due => self.begin(core, polled, now),
            Phase::Loading
            | Phase::Forward
            | Phase::Gathering
            | Phase::Ending
            | Phase::Leaving(_)
            | Phase::Blocked
            | Phase::Finished
            | Phase::Closed => Turn::Pending,
        }
    }

    fn begin(self: &Arc<Self>, core: &mut Core, polled: &Polled<'_>, now: Moment) -> Turn {
        let Polled { place, waker, .. } = *polled;
        // §9.6: no function begins while the run is paused.
        if core.is_paused() {
            return Turn::Pending;
        }
        let step = &mut core.steps[place];
        if step.due > now {
            return Turn::Pending;
        }
        if let Some(stray_until) = step.stray_until().filter(|until| now < *until) {
            // §6.4: the next attempt begins when the old function has settled, or 5 s later.
            self.set_timer(core, stray_until, Some(place));
            return Turn::Pending;
        }
        // §4.7: a run from a connection before may be another's by now, whatever grant this
        // connection gives, until the node says that it is held.
        if core.attached.is_none() {
            return Turn::Pending;
        }
        // §4.7: no function starts after the grant has lapsed.
        if !self.shared.grant.holds(now, waker) {
            return Turn::Pending;
        }
        if !Self::may_race(core, core.steps[place].lane()) {
            // §5.5: the branch lost.
            return Turn::Pending;
        }
        let step = &mut core.steps[place];
        let n = step.attempts + 1;
        if step.once.doubt {
            let n = step.attempts;
            step.attempt = Some(Attempt { verifies: true, ..Attempt::new(n, now) });
            core.set(place, State::Running);
            return Turn::Verify(n);
        }
        if step.once.is && !std::mem::take(&mut step.once.granted) {
            self.ask_start(core, place, n, now);
            return Turn::Pending;
        }
        let first = *step.first_started.get_or_insert(now);
        let total = step.options().and_then(|options| options.total);
        let left = total.map(|total| first.after(total).since(now));
        let timeout = step.options().and_then(|options| options.timeout);
        let limit = match (timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (one, other) => one.or(other),
        };
        let signal = step.blocking.then(Signal::default);
        step.attempt = Some(Attempt {
            overlapped: step.stray > 0,
            start_told: step.once.is,
            deadline: limit.map(|limit| now.after(limit)),
            signal,
            ..Attempt::new(n, now)
        });
        core.set(place, State::Running);
        if limit.is_some_and(|limit| to_micros(limit) == 0) {
            self.time_out(core, place, now);
            return Turn::Pending;
        }
        core.timers.push(std::cmp::Reverse((now.after(START_TOLD_AFTER), place)));
        if let Some(limit) = limit {
            core.timers.push(std::cmp::Reverse((now.after(limit), place)));
        }
        self.arm(core);
        core.blocking += u32::from(core.steps[place].blocking);
        Turn::Begin(n)
    }

    /// Ends an attempt that has run out of time (§6.4).
    pub(super) fn time_out(&self, core: &mut Core, place: usize, now: Moment) {
        let step = &mut core.steps[place];
        let total = step.options().and_then(|options| options.total);
        let over = total.zip(step.first_started).map(|(total, first)| first.after(total) <= now);
        let limit = match (over, step.options().and_then(|options| options.timeout), total) {
            (Some(true), _, Some(total)) | (_, None, Some(total)) => total,
            (_, Some(timeout), _) => timeout,
            (_, None, None) => Duration::ZERO,
        };
        let failed = Failed {
            failure: Error::attempt_timeout(&step.id, limit).to_failure(),
            terminal: false,
            timed_out: true,
            retry_in_ms: None,
            verdict: None,
        };
        let began = step.attempt.as_ref().is_some_and(|attempt| attempt.started_at < now);
        if let Some(signal) = step.attempt.as_ref().and_then(|attempt| attempt.signal.clone()) {
            signal.fire();
        }
        if step.blocking && began {
            step.stray += 1;
            step.stray_since = now;
        }
        self.end_attempt(core, place, Outcome::Failed(Box::new(failed)));
    }

    /// Code dropped the future of a step.
    pub(crate) fn drop_step(&self, place: usize) {
        let mut core = self.lock();
        let core = &mut *core;
        let step = &mut core.steps[place];
        step.waker = None;
        if step.asked == Asked::Dropped || matches!(step.state, State::Taken | State::Passed) {
            return;
        }
        let wanted = step.is_wanted();
        step.asked = Asked::Dropped;
        if let Some(signal) = step.attempt.as_ref().and_then(|attempt| attempt.signal.clone()) {
            signal.fire();
        }
        match step.state {
            State::Ended => core.askable -= u32::from(wanted),
            State::Ready => {
                step.end = None;
                core.set(place, State::Taken);
            }
            State::Due
            | State::Running
            | State::Telling
            | State::Waiting
            | State::Asking
            | State::Verifying
            | State::Racing => {
                // §7.2: the run's end has to know that the function of such a step began.
                let undoable = step.details.as_deref().is_some_and(|one| !one.compensable.is_no());
                let untold = step.attempt.as_ref().is_some_and(|attempt| !attempt.start_told);
                if undoable && untold && step.state == State::Running {
                    core.outbox.push_back(Out::Started(place));
                }
                core.set(place, State::Dropped);
                if matches!(core.phase, Phase::Forward | Phase::Ending) {
                    // §5.6: a step whose future is dropped is cancelled, recorded.
                    core.outbox.push_back(Out::Dropped(place));
                }
            }
            State::Known | State::Passed | State::Taken | State::Dropped => {}
        }
        self.notify_from_code();
    }
}
