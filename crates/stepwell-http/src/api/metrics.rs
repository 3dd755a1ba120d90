//! Metrics as Prometheus text: every entry of the table, whether there is something to count or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_driver::{BackupState, Backups, Measured, Meter};
use stepwell_metrics::{Exposition, table};
use stepwell_node::{Measures, OTHER, Stats, WORKFLOWS_MAX, WorkflowMeter};
use stepwell_store::query::{OpenRuns, Queue};
use stepwell_store::{Health, Store};

use super::list::{LIST_PATIENCE, now};
use super::process;
use super::routes::Api;
use crate::gate::Caller;
use crate::observe::Observed;
use crate::openapi::About;

/// What the store tells.
struct Stored {
    health: Health,
    open: Vec<OpenRuns>,
    /// Since when the first run of each queue wants a runner.
    oldest: Vec<(Queue, Timestamp)>,
}

/// Describes [`metrics`].
pub(super) fn about() -> About {
    About::new("metrics", "Tells counters and gauges as Prometheus text").answer_as(
        200,
        "text/plain",
        "The text format of Prometheus, version 0.0.4.",
    )
}

/// Tells counters and gauges as Prometheus text. While the node or the store is being opened again, what is
/// of them is missing, and the rest is told.
pub(super) async fn metrics(State(api): State<Api>, _caller: Caller) -> Response<Body> {
    let stored = api.node.read(|store| Ok(look(store))).await.ok();
    let measured = api.node.measures().await.ok();
    let mut text = Exposition::default();
    if let Some(Measured { node, thread }) = &measured {
        write_node(&mut text, node);
        write_workflows(&mut text, &node.workflows);
        write_runners(&mut text, node);
        write_thread(&mut text, thread);
    }
    if let Some(stored) = &stored {
        write_store(&mut text, &stored.health);
        write_open(&mut text, stored);
    }
    text.one(&table::NODE_RESTARTS, api.node.restarts());
    let (runs, events) = api.node.deleted();
    text.one(&table::RETENTION_RUNS, runs);
    text.one(&table::RETENTION_EVENTS, events);
    write_backups(&mut text, &api.backups).await;
    api.meters.write(&mut text);
    Observed::write(api.observed.as_ref(), &mut text).await;
    text.each(&table::BUILD_INFO, [([env!("CARGO_PKG_VERSION")], 1)]);
    process::write(&mut text);
    let mut response = Response::new(Body::from(text.finish()));
    let kind = HeaderValue::from_static(Exposition::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn look(store: &dyn Store) -> Stored {
    let health = store.health();
    // A store that takes no more writes still tells how it is.
    let open = store.open_runs(LIST_PATIENCE).unwrap_or_default();
    let mut oldest = Vec::new();
    for waiting in open.iter().filter(|one| one.status == RunStatus::Queued) {
        let first = store.ready(&waiting.queue, None, 1).unwrap_or_default();
        oldest.extend(first.first().map(|(since, _)| (waiting.queue.clone(), *since)));
    }
    Stored { health, open, oldest }
}

fn write_node(text: &mut Exposition, node: &Measures) {
    let Stats { events, events_started, waits_woken, messages, messages_refused, .. } = node.stats;
    text.one(&table::EVENTS, events);
    text.one(&table::EVENTS_STARTED, events_started);
    text.one(&table::WAITS_WOKEN, waits_woken);
    text.one(&table::TIMERS_FIRED, node.stats.timers_fired);
    text.one(&table::TIMERS_NEAR, node.stats.near_timers);
    text.one(&table::SESSIONS, node.stats.sessions);
    text.one(&table::MESSAGES, messages);
    text.one(&table::MESSAGES_REFUSED, messages_refused);
    text.one(&table::RUNS_IN_MEMORY, node.stats.hot);
}

fn write_workflows(text: &mut Exposition, all: &[WorkflowMeter]) {
    let name = |one: &WorkflowMeter| [Arc::clone(&one.namespace), Arc::clone(&one.workflow)];
    text.each(&table::RUNS_STARTED, all.iter().map(|one| (name(one), one.started)));
    let ended = all.iter().flat_map(|one| {
        let [namespace, workflow] = name(one);
        let statuses = one.ended.iter();
        statuses.map(move |(status, count)| {
            ([namespace.clone(), workflow.clone(), status.as_str().into()], *count)
        })
    });
    text.each(&table::RUNS_ENDED, ended);
    text.histograms(&table::RUN_DURATION, all.iter().map(|one| (name(one), &one.run_time)));
    text.histograms(&table::DISPATCH_LAG, all.iter().map(|one| (name(one), &one.lag)));
    text.each(&table::ACTIVATIONS, all.iter().map(|one| (name(one), one.activations)));
    text.each(&table::LOSSES, all.iter().map(|one| (name(one), one.losses)));
    text.each(&table::STEPS_STARTED, all.iter().map(|one| (name(one), one.steps_started)));
    let ended = all.iter().flat_map(|one| {
        let [namespace, workflow] = name(one);
        let statuses = one.steps_ended.iter();
        statuses.map(move |(status, count)| {
            ([namespace.clone(), workflow.clone(), status.as_str().into()], *count)
        })
    });
    text.each(&table::STEPS_ENDED, ended);
    text.each(&table::STEP_RETRIES, all.iter().map(|one| (name(one), one.retries)));
    text.histograms(&table::STEP_DURATION, all.iter().map(|one| (name(one), &one.step_time)));
}

fn write_runners(text: &mut Exposition, node: &Measures) {
    let crews = || {
        let all = node.runners.iter();
        all.map(|crew| ([&*crew.namespace, &*crew.app], crew))
    };
    text.each(&table::RUNNERS, crews().map(|(name, crew)| (name, crew.runners)));
    text.each(&table::RUNNER_SLOTS, crews().map(|(name, crew)| (name, crew.slots)));
    text.each(&table::RUNNER_SLOTS_USED, crews().map(|(name, crew)| (name, crew.used)));
    text.each(&table::RUNNER_RUNS_HELD, crews().map(|(name, crew)| (name, crew.held)));
}

fn write_thread(text: &mut Exposition, thread: &Meter) {
    let frames = [(["in"], thread.frames_in), (["out"], thread.frames_out)];
    text.each(&table::WORKER_FRAMES, frames);
    let bytes = [(["in"], thread.bytes_in), (["out"], thread.bytes_out)];
    text.each(&table::WORKER_BYTES, bytes);
    text.one(&table::SESSIONS_CUT, thread.sessions_cut);
    text.one(&table::NODE_BUSY, thread.busy.as_secs_f64());
    text.one(&table::COMMITS, thread.commit_time.total());
    text.one(&table::COMMITS_REFUSED, thread.commits_refused);
    text.histogram(&table::COMMIT_DURATION, &thread.commit_time);
    text.histogram(&table::COMMIT_RUNS, &thread.commit_runs);
}

fn write_store(text: &mut Exposition, health: &Health) {
    text.histogram(&table::LOG_SYNC_DURATION, &health.syncs);
    text.one(&table::STORE_HEAD, health.head.0);
    text.one(&table::STORE_FOLDED, health.folded.0);
    text.one(&table::STORE_FOLD_LAG, health.fold_lag.as_secs_f64());
    text.one(&table::STORE_TAIL_BYTES, health.tail_bytes);
    text.known(&table::STORE_TAIL_BYTES_MAX, health.tail_bytes_max);
    text.one(&table::STORE_DISK_BYTES, health.disk_bytes);
    text.known(&table::STORE_DISK_FREE, health.disk_free);
    text.known(&table::STORE_DISK_RESERVE, health.disk_reserve);
    text.one(&table::STORE_REFUSES_STARTS, u8::from(health.refuses_growth.is_some()));
}

async fn write_backups(text: &mut Exposition, backups: &Backups) {
    let BackupState { taken, failed, .. } = backups.state();
    text.one(&table::BACKUPS_TAKEN, taken);
    text.one(&table::BACKUPS_FAILED, failed);
    let newest = backups.newest().await.ok().filter(|_| backups.place().is_some());
    let seconds =
        newest.map(|at| at.map_or(0.0, |at| at.since(Timestamp::from_micros(0)).as_secs_f64()));
    text.known(&table::BACKUP_NEWEST, seconds);
}

/// Workflows of one name in several apps are one, and what is over the bound stands under one name.
#[derive(Default)]
struct Names(BTreeSet<[Arc<str>; 2]>);

impl Names {
    fn of(&mut self, queue: &Queue) -> [Arc<str>; 2] {
        let name = [Arc::clone(&queue.namespace), Arc::clone(&queue.workflow)];
        if self.0.contains(&name) {
            return name;
        }
        if self.0.len() >= WORKFLOWS_MAX {
            return [OTHER.into(), OTHER.into()];
        }
        self.0.insert(name.clone());
        name
    }
}

fn write_open(text: &mut Exposition, stored: &Stored) {
    let (mut names, now) = (Names::default(), now());
    let mut open: BTreeMap<[Arc<str>; 3], u64> = BTreeMap::new();
    for OpenRuns { queue, status, runs } in &stored.open {
        let [namespace, workflow] = names.of(queue);
        *open.entry([namespace, workflow, status.as_str().into()]).or_default() += runs;
    }
    text.each(&table::RUNS, open);
    let mut oldest: BTreeMap<[Arc<str>; 2], f64> = BTreeMap::new();
    for (queue, since) in &stored.oldest {
        let age = oldest.entry(names.of(queue)).or_default();
        *age = age.max(now.since(*since).as_secs_f64());
    }
    text.each(&table::QUEUE_OLDEST, oldest);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves the bound: made-up names are counted together.
    #[test]
    fn so_many_names_are_told_and_no_more() {
        let queue = |number: usize| Queue {
            namespace: "default".into(),
            app: "shop".into(),
            workflow: format!("w{number}").into(),
        };
        let runs = |number| OpenRuns { queue: queue(number), status: RunStatus::Queued, runs: 1 };
        let open: Vec<_> = (0..WORKFLOWS_MAX + 50).map(runs).collect();
        let mut text = Exposition::default();
        let stored = Stored { health: Health::default(), open, oldest: Vec::new() };
        write_open(&mut text, &stored);
        let text = text.finish();
        let other = r#"stepwell_runs{namespace="(other)",workflow="(other)",status="queued"} 50"#;
        assert!(text.lines().any(|line| line == other), "{text}");
        let series = text.lines().filter(|line| line.starts_with("stepwell_runs{")).count();
        assert_eq!(series, WORKFLOWS_MAX + 1);
    }
}
