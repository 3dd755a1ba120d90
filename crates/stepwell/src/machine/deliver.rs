//! Ends of steps reach the code, one at a time, in the recorded order (§5.4).

use std::sync::Arc;
use std::task::Waker;

use stepwell_core::record::BlockCause;
use stepwell_core::status::StepStatus;

use super::cell::Cell;
use super::state::{Asked, Core, Out, Phase, State};

impl Cell {
    /// Makes the next end ready for its future, if the code asks for it. The waker is the future's.
    pub(super) fn deliver_next(self: &Arc<Self>, core: &mut Core) -> Option<Waker> {
        if !matches!(core.phase, Phase::Forward | Phase::Gathering)
            || core.draining
            || core.is_paused()
        {
            return None;
        }
        if let Some(at) = core.kept.iter().position(|place| core.steps[*place].is_wanted())
            && let Some(place) = core.kept.remove(at)
        {
            return Some(Self::deliver(core, place));
        }
        Self::pass_over(core);
        if let Some(place) = core.queue.front().copied()
            && core.steps[place].asked == Asked::Yes
        {
            core.queue.pop_front();
            let waker = Self::deliver(core, place);
            // A replay is over with the last end that the code is given.
            Self::pass_over(core);
            return Some(waker);
        }
        self.deliver_out_of_order(core)
    }

    /// Passes over ends that the code never got, and does not get on replay.
    fn pass_over(core: &mut Core) {
        while let Some(place) = core.queue.front().copied() {
            let step = &core.steps[place];
            let cancelled =
                step.end.as_ref().is_some_and(|end| end.status == StepStatus::Cancelled);
            if step.asked != Asked::Dropped && !cancelled {
                return;
            }
            core.queue.pop_front();
            core.passed += 1;
            core.steps[place].end = None;
            core.set(place, State::Taken);
        }
    }

    fn deliver(core: &mut Core, place: usize) -> Waker {
        core.passed += 1;
        core.askable -= 1;
        core.stalled_since = None;
        core.quiet_since = None;
        core.set(place, State::Ready);
        let step = &mut core.steps[place];
        if let Some(end) = &step.end {
            core.now_us = core.now_us.max(end.at_us);
        }
        step.waker.take().unwrap_or_else(|| Waker::noop().clone())
    }

    /// The next end is of a step that the code does not ask for. It may still ask, woken by a future
    /// that is no step. After a while the earliest end that it asks for is delivered instead.
    fn deliver_out_of_order(self: &Arc<Self>, core: &mut Core) -> Option<Waker> {
        let busy = core.counts.running > 0;
        if core.askable == 0 || busy {
            core.stalled_since = None;
            return None;
        }
        let now = self.now();
        let Some(since) = core.stalled_since else {
            core.stalled_since = Some(now);
            self.set_timer(core, now.after(self.terms.linger), None);
            return None;
        };
        if now < since.after(self.terms.linger) {
            return None;
        }
        let at = core.queue.iter().position(|place| core.steps[*place].is_wanted())?;
        let found = core.queue.remove(at)?;
        let expected = *core.queue.front()?;
        let (expected, found_id) = (core.steps[expected].id.clone(), core.steps[found].id.clone());
        if self.info.strict {
            let expected = expected.to_string().into();
            let found = found_id.to_string().into();
            core.block(BlockCause::OrderChanged { expected, found });
            return None;
        }
        let order = Out::Order { expected, found: found_id };
        core.orders.push(order.clone());
        core.outbox.push_back(order);
        let passed_over: Vec<usize> = core.queue.drain(..at).collect();
        for place in passed_over {
            core.passed += 1;
            core.set(place, State::Passed);
        }
        Some(Self::deliver(core, found))
    }
}
