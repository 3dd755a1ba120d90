//! Timers: those that are due soon in memory, the others in the store.
//!
//! Up to the horizon every timer of every run stands here; beyond it the store has them. The horizon
//! moves on before time reaches it, and the store is asked for what lies between.

use std::collections::BTreeSet;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_store::query::Cursor;

use crate::defer::Deferred;
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};

/// How far ahead timers are kept in memory.
const AHEAD: Duration = Duration::from_mins(1);

/// How many timers one question to the store returns.
const PAGE: usize = 1_024;

/// The near timers.
#[derive(Debug)]
pub(crate) struct Timers {
    near: BTreeSet<(Timestamp, RunId)>,
    horizon: Timestamp,
    /// A question to the store is under way.
    asking: bool,
    /// Where the scan up to the horizon goes on.
    cursor: Cursor,
    /// The scan has reached the horizon.
    complete: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            near: BTreeSet::new(),
            horizon: Timestamp::MIN,
            asking: false,
            cursor: None,
            complete: true,
        }
    }
}

impl Timers {
    pub(crate) fn len(&self) -> usize {
        self.near.len()
    }

    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.near.first().map(|(at, _)| *at)
    }

    /// Keeps every timer that is given, however far: who shares a store has those of its own runs.
    pub(crate) fn keep_all(&mut self) {
        self.horizon = Timestamp::MAX;
    }

    pub(crate) fn remove(&mut self, at: Timestamp, run: RunId) {
        self.near.remove(&(at, run));
    }

    /// Adds a timer, unless it is beyond the horizon.
    pub(crate) fn insert_near(&mut self, at: Timestamp, run: RunId) {
        if at <= self.horizon {
            self.near.insert((at, run));
        }
    }

    /// Returns when there is something to do: the next near timer, unless timers are held back, or moving
    /// the horizon.
    pub(crate) fn next(&self, held: bool) -> Option<Timestamp> {
        if self.horizon == Timestamp::MIN {
            return None;
        }
        let move_at = self.horizon.before(AHEAD / 2);
        Some(self.near.first().filter(|_| !held).map_or(move_at, |(at, _)| (*at).min(move_at)))
    }
}

impl Node {
    /// Puts the run's next timer among the near ones, in place of the one before.
    pub(crate) fn set_timer(&mut self, id: RunId) {
        let Some(live) = self.hot.live(id) else {
            return;
        };
        let next = live.next_timer();
        if live.timer == next {
            return;
        }
        let before = std::mem::replace(&mut live.timer, next);
        if let Some(at) = before {
            self.timers.near.remove(&(at, id));
        }
        if let Some(at) = next {
            self.timers.insert_near(at, id);
        }
    }

    pub(crate) fn move_horizon(&mut self, out: &mut Outputs) {
        if self.config.shared
            || !self.timers.complete
            || self.timers.horizon > self.now.after(AHEAD / 2)
        {
            return;
        }
        // Everything up to the old horizon is known: the scan goes on behind it.
        self.timers.cursor = Some((self.timers.horizon, RunId::from_u128(u128::MAX)));
        self.timers.horizon = self.now.after(AHEAD);
        self.timers.complete = false;
        self.ask_due(out);
    }

    fn ask_due(&mut self, out: &mut Outputs) {
        if std::mem::replace(&mut self.timers.asking, true) {
            return;
        }
        let (until, after) = (self.timers.horizon, self.timers.cursor);
        out.list.push(Output::Due { until, after, limit: PAGE });
    }

    pub(crate) fn on_due(&mut self, runs: &[(Timestamp, RunId)], out: &mut Outputs) {
        self.timers.asking = false;
        for (at, id) in runs {
            // What is in memory keeps its own timer, which may have changed since it was stored.
            match self.hot.live(*id) {
                None => {
                    self.timers.near.insert((*at, *id));
                }
                Some(live) => {
                    if let Some(at) = live.next_timer().filter(|at| *at <= self.timers.horizon) {
                        live.timer = Some(at);
                        self.timers.near.insert((at, *id));
                    }
                }
            }
        }
        match runs.last() {
            Some((at, id)) if runs.len() >= PAGE => {
                self.timers.cursor = Some((*at, *id));
                self.ask_due(out);
            }
            _ => self.timers.complete = true,
        }
    }

    /// Tells whether no timer is to fire: runs of a restored store are held back.
    pub(crate) fn holds_timers(&self) -> bool {
        self.config.restored.held && !planted::has(Plant::HeldTimers)
    }

    /// Fires what is due, a slice at a time (a herd of timers must not hold up others).
    pub(crate) fn fire_due(&mut self, out: &mut Outputs) {
        if self.holds_timers() {
            return;
        }
        for _ in 0..SLICE {
            let Some((at, id)) = self.timers.near.first().copied() else {
                return;
            };
            if at > self.now || planted::has(Plant::TimerAfterInstant) && at == self.now {
                return;
            }
            self.timers.near.pop_first();
            self.stats.timers_fired += 1;
            if let Some(live) = self.hot.live(id) {
                live.timer = None;
            }
            // Firing puts the run's next timer there.
            self.with_run(id, Deferred::Fire, out);
        }
        self.come_back(out);
    }
}
