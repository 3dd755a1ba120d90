//! Idle, busy, released; and when to look at a run again.

use stepwell_protocol::to_node::ToNode;

use super::copy::{Copy, Part, Phase, State, Tell};
use super::runner::Script;
use super::turn::QUICK;
use crate::runner::Port;

/// Never.
pub(super) const NEVER: u64 = u64::MAX;

impl Script {
    /// Tells whether no code of a run is in progress and it waits for the engine.
    pub(super) fn rests(copy: &Copy, now: u64) -> bool {
        let mut waits = false;
        for part in copy.parts.values() {
            if part.stray.is_some() || matches!(part.state, State::Running(_)) {
                return false;
            }
            match &part.tell {
                Some(Tell::Ended { .. } | Tell::Skip | Tell::Emit | Tell::Dropped) => return false,
                Some(Tell::Sleep | Tell::Wait | Tell::Invoke) | None => {}
            }
            if !part.asked {
                continue;
            }
            match part.state {
                State::Due if part.due <= now && !copy.paused => return false,
                State::Due | State::Waiting => waits = true,
                // §9.6: its end is held back.
                State::Ended if copy.paused => waits = true,
                State::Running(_) | State::Ended => {}
            }
        }
        copy.phase == Phase::Forward && waits
    }

    /// Says whether the run rests, gives it back in time, and plans the next look.
    pub(super) fn rest(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        let now = port.now();
        let rests = Self::rests(copy, now);
        if let Some(a) = copy.a {
            if rests && !copy.idle_told {
                self.out.push(&ToNode::Idle { a });
                copy.idle_told = true;
                copy.idle_unsure = false;
            } else if !rests && (copy.idle_told || copy.idle_unsure) && copy.phase == Phase::Forward
            {
                self.out.push(&ToNode::Busy { a });
                copy.idle_told = false;
                copy.idle_unsure = false;
            }
        }
        let release_at = copy.active_at.saturating_add(self.linger);
        let linger_over = now >= release_at || self.draining;
        if rests && linger_over && copy.idle_told {
            if let Some(a) = copy.a {
                let held_back =
                    |part: &Part| part.asked && part.state == State::Due && part.due <= now;
                let ready = copy.paused && copy.parts.values().any(held_back);
                self.out.push(&ToNode::Released { a, seen: copy.passed, ready });
                self.leaving.push(copy.held.run);
            }
            copy.wake = NEVER;
            return;
        }
        let wakes = copy.parts.values().map(|part| Self::part_wakes(part, now));
        let wake = wakes.min().unwrap_or(NEVER);
        copy.wake = if rests { wake.min(release_at) } else { wake };
    }

    fn part_wakes(part: &Part, now: u64) -> u64 {
        match part.state {
            State::Running(attempt) => {
                let quick = if attempt.start_told { NEVER } else { attempt.started_at + QUICK };
                attempt.deadline.unwrap_or(NEVER).min(quick)
            }
            State::Due if part.asked => {
                let free = part.stray.map_or(0, |(_, since)| since + 5_000_000);
                let at = part.due.max(free);
                // Without a grant, the next pong looks again.
                if at <= now { NEVER } else { at }
            }
            State::Due | State::Waiting | State::Ended => NEVER,
        }
    }
}
