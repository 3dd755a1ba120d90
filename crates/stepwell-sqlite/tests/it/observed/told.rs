//! Events of tests, and what a store is to say of them: the pure rules over all that was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_telemetry::batch::{Batch, RunName};
use stepwell_telemetry::event::{Event, Said, Thrown};
use stepwell_telemetry::flow::{DeclaredStep, Flow};
use stepwell_telemetry::keep::{
    ErrorGroup, FlowStats, FlowSummary, Keep, ListedRun, RunsAsk, StepStats, Window,
};
use stepwell_telemetry::record::Record;
use stepwell_telemetry::row::Row;
use stepwell_telemetry::set::Set;
use stepwell_telemetry::status::Patience;
use stepwell_telemetry::tally::{self, What};

/// The namespace of tests.
pub(crate) const SPACE: &str = "default";
/// When the first event of a test happens: in the middle of a part of five minutes.
pub(crate) const BEGIN: Timestamp = Timestamp::from_millis(1_795_390_147_000);

/// Returns an instant so many milliseconds after the begin.
pub(crate) fn at(millis: u64) -> Timestamp {
    BEGIN.after(Duration::from_millis(millis))
}

/// An event, in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) run: u16,
    pub(crate) id: u16,
    pub(crate) step: u8,
    pub(crate) call: Option<u8>,
    pub(crate) said: Said,
    pub(crate) at_ms: u32,
}

impl Told {
    /// Returns the slug of its flow: runs 0, 2, 4 are of one, the others of another.
    pub(crate) fn flow(self) -> &'static str {
        if self.run.is_multiple_of(2) { "checkout" } else { "refund" }
    }

    /// Returns the name of its run.
    pub(crate) fn name(self) -> String {
        format!("req-{}", self.run)
    }

    pub(crate) fn event(self) -> Event<'static> {
        let step = format!("step-{}", self.step);
        let thrown = Thrown {
            name: "TypeError".into(),
            message: format!("{step} broke").into(),
            stack: None,
        };
        Event {
            id: format!("e-{}", self.id).into(),
            step: step.into(),
            call: self.call.map(|call| format!("c-{call}").into()),
            said: self.said,
            at: at(self.at_ms.into()),
            process: Some("shop/1".into()),
            trace: self.id.is_multiple_of(7).then_some(u128::from(self.run) + 1),
            metadata: None,
            is_metadata_dropped: false,
            run_metadata: self
                .id
                .is_multiple_of(3)
                .then(|| format!("{{\"n\":{}}}", self.id % 5).into()),
            thrown: (self.said == Said::Error).then_some(thrown),
        }
    }
}

/// Puts events into a batch.
pub(crate) fn batch(events: &[Told]) -> Batch {
    let mut batch = Batch::new(BEGIN);
    for told in events {
        let run = &told.name();
        batch.push(RunName { namespace: SPACE, flow: told.flow(), run }, &told.event());
    }
    batch
}

/// Returns a flow of the steps 0 to 3, one after the other.
pub(crate) fn declared(slug: &str, quiet_ms: u64) -> Flow {
    let key = |n: usize| format!("step-{n}").into();
    let step = |n: usize| DeclaredStep { key: key(n), name: key(n) };
    Flow {
        slug: slug.into(),
        name: slug.into(),
        steps: (0..4).map(step).collect(),
        edges: (0..3).map(|n| (key(n), key(n + 1))).collect(),
        patience: Patience {
            stuck_after: Duration::from_secs(20),
            quiet_after: Duration::from_millis(quiet_ms),
        },
    }
}

/// All that was acknowledged, and what is declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) events: Vec<Told>,
    pub(crate) flows: BTreeMap<String, Flow>,
}

/// What a store says of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answers {
    /// Rows by flow and run, without their places, and the events of each run.
    pub(crate) runs: BTreeMap<(String, String), (ListedRun, Vec<u8>)>,
    pub(crate) stats: BTreeMap<String, FlowStats>,
    pub(crate) errors: BTreeMap<String, Vec<ErrorGroup>>,
    pub(crate) flows: Vec<FlowSummary>,
}

/// Asks a store everything.
pub(crate) fn answers(store: &dyn Keep, now: Timestamp) -> Answers {
    let ask = RunsAsk { namespace: SPACE.into(), limit: 100_000, ..RunsAsk::default() };
    let page = store.runs(&ask, now).unwrap();
    assert!(!page.stale && !page.more, "{page:?}");
    let mut answers = Answers::default();
    for mut run in page.runs {
        run.place.n = 0;
        let kept = store.run(SPACE, &run.flow, &run.run).unwrap().unwrap();
        assert!(!kept.stale);
        answers.runs.insert((run.flow.to_string(), run.run.to_string()), (run, kept.set));
    }
    for flow in store.flows(SPACE, now).unwrap() {
        let name = flow.flow.to_string();
        let mut stats = store.stats(SPACE, &name, Window::Day, now).unwrap();
        stats.steps.sort_by(|a, b| a.step.cmp(&b.step));
        answers.stats.insert(name.clone(), stats);
        answers.errors.insert(name.clone(), store.errors(SPACE, &name, Window::Day, now).unwrap());
        answers.flows.push(flow);
    }
    answers
}

impl Model {
    /// Demands of a store, in which everything is in tables and judged at an instant, that it says what
    /// follows from all events.
    pub(crate) fn check(&self, store: &dyn Keep, now: Timestamp, place: &str) {
        let found = answers(store, now);
        let mut sets: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
        for told in &self.events {
            let mut bytes = Vec::new();
            told.event().encode(&mut bytes);
            sets.entry((told.flow().into(), told.name())).or_default().push(bytes);
        }
        assert_eq!(found.runs.len(), sets.len(), "{place}");
        let mut steps: BTreeMap<(String, String), StepStats> = BTreeMap::new();
        let mut parts: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
        for ((flow, run), events) in &sets {
            let mut set = Set::default();
            set.add(events.iter().map(Vec::as_slice));
            let mut bytes = Vec::new();
            set.write(&mut bytes);
            let declared = self.flows.get(flow);
            let patience = declared.map(|flow| flow.patience).unwrap_or_default();
            let record = Record::of(&set);
            let row = Row::of(&record, declared).unwrap();
            let status = patience.status(&row, now);
            let (listed, kept) = &found.runs[&(flow.clone(), run.clone())];
            assert_eq!(*kept, bytes, "{place}: events of {run}");
            assert_eq!((&listed.row, listed.status), (&row, status), "{place}: row of {run}");

            let mut step = |step: &str, count: fn(&mut StepStats) -> &mut u64| {
                let stats = steps.entry((flow.clone(), step.into())).or_default();
                stats.step = step.into();
                *count(stats) += 1;
            };
            let part = parts.entry(flow).or_default();
            for count in tally::counts(&record) {
                match count.what {
                    What::Run { has_failed } => {
                        part.0 += 1;
                        part.1 += u64::from(has_failed);
                    }
                    What::Ok { step: key, .. } => step(key, |stats| &mut stats.ok),
                    What::Failed { step: key, .. } => step(key, |stats| &mut stats.failed),
                    What::Skipped { step: key } => step(key, |stats| &mut stats.skipped),
                    What::FirstFailed { step: key } => step(key, |stats| &mut stats.first_failed),
                }
            }
            if let Some(declared) = declared.filter(|_| status.is_ended()) {
                let undone = tally::undone(&record, declared);
                part.2 += undone.missing.len() as u64;
                undone.missing.iter().for_each(|key| step(key, |stats| &mut stats.missing));
                undone.not_reached.iter().for_each(|key| step(key, |stats| &mut stats.not_reached));
            }
        }
        for (flow, stats) in &found.stats {
            let wanted: Vec<_> =
                steps.iter().filter(|((of, _), _)| of == flow).map(|(_, stats)| stats).collect();
            let counted: Vec<_> =
                stats.steps.iter().map(|step| StepStats { took: None, ..step.clone() }).collect();
            assert_eq!(counted.iter().collect::<Vec<_>>(), wanted, "{place}: steps of {flow}");
            let sum = stats.health.iter().fold((0, 0, 0), |sum, part| {
                (sum.0 + part.runs, sum.1 + part.failed, sum.2 + part.missing)
            });
            let wanted_sum = parts.get(&**flow).copied().unwrap_or_default();
            assert_eq!(sum, wanted_sum, "{place}: health of {flow}");
            let failed: u64 = wanted.iter().map(|step| step.failed).sum();
            let thrown: u64 = found.errors[flow].iter().map(|group| group.count).sum();
            assert_eq!(failed, thrown, "{place}: errors of {flow}");
        }
    }
}
