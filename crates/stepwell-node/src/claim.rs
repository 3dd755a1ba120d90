//! Queues in a shared store: runs are claimed for free slots, and released where no slot is free.

use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::query::Queue;
use stepwell_store::shared::Release;

use crate::dispatch::{PAGE, Scan};
use crate::enquiry::Enquiry;
use crate::node::Node;
use crate::output::Output;
use crate::sharing::Left;

/// How long a run waits for a runner with a build that it does not shun, wherever that connects.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// Asks for as many runs as there are free slots for them.
    pub(crate) fn claim_ready(&self, queue: Queue) -> Output {
        let (crew, free) = self.sessions.crew(&queue, self.now.before(PATIENCE));
        let limit = free.clamp(1, PAGE);
        Output::Enquire(Enquiry::Ready { queue, crew, limit })
    }

    pub(crate) fn on_claimed_ready(
        &mut self,
        queue: &Queue,
        runs: &[(Timestamp, RunId)],
        more: bool,
    ) {
        let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
        waiting.asking = false;
        for (since, run) in runs {
            if !self.hot.contains(*run) && self.dispatch.known.insert(*run) {
                waiting.window.push_back((*since, *run));
            }
        }
        if !more {
            waiting.scan.finish();
        }
        self.dispatch.take_turn(queue);
    }

    /// Others may have what no slot is free for here.
    pub(crate) fn release_window(&mut self, queue: &Queue) {
        let Some(waiting) = self.dispatch.queues.get_mut(queue) else { return };
        let window = std::mem::take(&mut waiting.window);
        if !window.is_empty() {
            waiting.scan.want();
        }
        for (_, run) in window {
            self.give_up(run, queue);
        }
    }

    /// Others may have a run that waited for a runner here.
    fn give_up(&mut self, run: RunId, queue: &Queue) {
        self.dispatch.known.remove(&run);
        if self.hot.contains(run) {
            self.share.cooling.push(run);
        } else {
            self.sessions.unreserve(run);
            self.commits.release(Release { run, away: None }, Left::wanted(queue));
        }
    }

    /// Looks at queues whose runners have free slots: others may have left runs there.
    pub(crate) fn scan_queues(&mut self) {
        for queue in self.sessions.free_queues() {
            let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
            if waiting.scan == Scan::Done && !waiting.asking {
                waiting.scan.want();
                self.dispatch.take_turn(&queue);
            }
        }
    }

    /// Others may have the runs that no runner here will ever take.
    pub(crate) fn release_stranded(&mut self) {
        let stranded = self.dispatch.aside.keys().filter(|need| !need.has_any(&self.sessions));
        for need in stranded.cloned().collect::<Vec<_>>() {
            for run in self.dispatch.aside.remove(&need).unwrap_or_default() {
                self.give_up(run, &need.queue);
            }
        }
    }
}
