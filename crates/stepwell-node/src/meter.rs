//! What is counted by workflow: plain integers, since the node works alone.
//!
//! How many workflows are told apart is bounded, so that whoever makes up names cannot fill the memory of
//! the server, or of what reads its metrics.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_metrics::{Histogram, Scale};
use stepwell_protocol::to_runner::Settled;

use crate::node::Node;
use crate::output::Stats;

/// Most workflows that are told apart; what comes after them is counted under [`OTHER`].
pub const WORKFLOWS_MAX: usize = 200;

/// Most apps whose runners are told apart.
pub const APPS_MAX: usize = 200;

/// The name under which the rest is counted. No namespace, app or workflow can have it.
pub const OTHER: &str = "(other)";

/// What was counted of a workflow since the node was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowMeter {
    /// The namespace, or [`OTHER`].
    pub namespace: Arc<str>,
    /// The workflow, or [`OTHER`].
    pub workflow: Arc<str>,
    /// Runs started.
    pub started: u64,
    /// Runs ended, by status.
    pub ended: Vec<(RunStatus, u64)>,
    /// Activations given to runners.
    pub activations: u64,
    /// Activations lost.
    pub losses: u64,
    /// Steps begun.
    pub steps_started: u64,
    /// Steps ended, by status.
    pub steps_ended: Vec<(StepStatus, u64)>,
    /// Attempts that failed and were to be tried again.
    pub retries: u64,
    /// From start to end of runs.
    pub run_time: Histogram,
    /// From the first attempt to the end of steps with a function.
    pub step_time: Histogram,
    /// From wanting a runner to being given to one.
    pub lag: Histogram,
}

/// What of a run in memory was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Where its workflow is counted, once that was looked up.
    place: Option<usize>,
    /// Its start is to be counted once it is durable.
    start: bool,
}

impl Counted {
    /// Of a new run.
    pub(crate) const NOT_YET: Self = Self { place: None, start: true };
}

/// The runners of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crew {
    /// The namespace, or [`OTHER`].
    pub namespace: Arc<str>,
    /// The app, or [`OTHER`].
    pub app: Arc<str>,
    /// How many are connected.
    pub runners: u64,
    /// Their slots.
    pub slots: u64,
    /// Slots taken or kept.
    pub used: u64,
    /// Runs that they hold.
    pub held: u64,
}

/// Everything that a node measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Counters and gauges of the node as a whole.
    pub stats: Stats,
    /// Each workflow once; at most [`WORKFLOWS_MAX`] and one for the rest.
    pub workflows: Vec<WorkflowMeter>,
    /// Each app with runners once; at most [`APPS_MAX`] and one for the rest.
    pub runners: Vec<Crew>,
}

impl Crew {
    pub(crate) fn of(namespace: &str, app: &str) -> Self {
        let (namespace, app) = (Arc::from(namespace), Arc::from(app));
        Self { namespace, app, runners: 0, slots: 0, used: 0, held: 0 }
    }
}

impl WorkflowMeter {
    fn of(namespace: Arc<str>, workflow: Arc<str>) -> Self {
        Self {
            namespace,
            workflow,
            started: 0,
            ended: Vec::new(),
            activations: 0,
            losses: 0,
            steps_started: 0,
            steps_ended: Vec::new(),
            retries: 0,
            run_time: Histogram::new(Scale::Long),
            step_time: Histogram::new(Scale::Medium),
            lag: Histogram::new(Scale::Medium),
        }
    }
}

/// Counts one more of a status; there are few.
fn add<S: Copy + PartialEq>(counts: &mut Vec<(S, u64)>, status: S) {
    match counts.iter_mut().find(|(one, _)| *one == status) {
        Some((_, count)) => *count += 1,
        None => counts.push((status, 1)),
    }
}

/// The counters of all workflows.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    all: Vec<WorkflowMeter>,
    places: FxHashMap<(Arc<str>, Arc<str>), usize>,
}

impl Meter {
    pub(crate) fn workflows(&self) -> Vec<WorkflowMeter> {
        self.all.clone()
    }

    /// Returns where a workflow is counted.
    fn place(&mut self, namespace: &Arc<str>, workflow: &Arc<str>) -> usize {
        let name = (namespace.clone(), workflow.clone());
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = self.all.len();
        if place > WORKFLOWS_MAX {
            return WORKFLOWS_MAX;
        }
        if place == WORKFLOWS_MAX {
            self.all.push(WorkflowMeter::of(OTHER.into(), OTHER.into()));
            return place;
        }
        self.all.push(WorkflowMeter::of(name.0.clone(), name.1.clone()));
        self.places.insert(name, place);
        place
    }
}

impl Node {
    /// Finds where the workflow of a run in memory is counted.
    fn metered(&mut self, run: RunId) -> Option<&mut WorkflowMeter> {
        let live = self.hot.live(run)?;
        let place = match live.counted.place {
            Some(place) => place,
            None => self.meter.place(live.run.namespace(), live.run.workflow()),
        };
        live.counted.place = Some(place);
        self.meter.all.get_mut(place)
    }

    /// Records of a run are durable: with the first ones, it is started.
    pub(crate) fn count_start(&mut self, run: RunId) {
        let Some(live) = self.hot.live(run) else { return };
        if !std::mem::take(&mut live.counted.start) {
            return;
        }
        self.stats.runs_started += 1;
        if let Some(meter) = self.metered(run) {
            meter.started += 1;
        }
    }

    pub(crate) fn count_end(&mut self, run: RunId) {
        self.stats.runs_ended += 1;
        let now = self.now;
        let Some(live) = self.hot.run(run) else { return };
        let (status, time) = (live.status(), now.since(live.created_at()));
        if let Some(meter) = self.metered(run) {
            add(&mut meter.ended, status);
            meter.run_time.observe(time);
        }
    }

    pub(crate) fn count_activation(&mut self, run: RunId, since: Timestamp) {
        self.stats.activations += 1;
        let lag = self.now.since(since);
        if let Some(meter) = self.metered(run) {
            meter.activations += 1;
            meter.lag.observe(lag);
        }
    }

    pub(crate) fn count_loss(&mut self, run: RunId) {
        self.stats.losses += 1;
        if let Some(meter) = self.metered(run) {
            meter.losses += 1;
        }
    }

    pub(crate) fn count_steps(&mut self, run: RunId, begun: usize) {
        if let Some(meter) = self.metered(run) {
            meter.steps_started += begun as u64;
        }
    }

    pub(crate) fn count_retry(&mut self, run: RunId) {
        self.stats.retries += 1;
        if let Some(meter) = self.metered(run) {
            meter.retries += 1;
        }
    }

    pub(crate) fn count_step_end(&mut self, run: RunId, settled: &Settled<'_>) {
        self.stats.steps_ended += 1;
        let step = self.hot.run(run).and_then(|live| live.step(&settled.step));
        let began = step.and_then(|step| step.first_started);
        let time = began.map(|began| Timestamp::from_micros(settled.at_us).since(began));
        let Some(meter) = self.metered(run) else { return };
        add(&mut meter.steps_ended, settled.status.unwrap_or(StepStatus::Completed));
        if let Some(time) = time {
            meter.step_time.observe(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves the bound: made-up names are counted together.
    #[test]
    fn so_many_workflows_are_told_apart_and_no_more() {
        let mut meter = Meter::default();
        let namespace: Arc<str> = "default".into();
        for number in 0..WORKFLOWS_MAX * 2 {
            let place = meter.place(&namespace, &format!("w{number}").into());
            assert_eq!(place, number.min(WORKFLOWS_MAX));
        }
        assert_eq!(meter.place(&namespace, &"w7".into()), 7);
        let all = meter.workflows();
        assert_eq!((all.len(), &*all[WORKFLOWS_MAX].workflow), (WORKFLOWS_MAX + 1, OTHER));
    }
}
