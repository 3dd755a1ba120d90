//! Gets on with acts on many runs: first it collects the runs that a filter names, then it acts on them, a
//! slice at a time, with a pause between slices so that work of others comes first. How far it is stands in
//! the ledger behind each slice, so it goes on after a restart; of a slice that was cut off some runs get
//! the act a second time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use stepwell_access::audit::{DONE, Entry};
use stepwell_access::bulk::{Act, Bulk, State};
use stepwell_access::ledger::BulkAsk;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::time::Timestamp;
use stepwell_driver::{Error, Handle};
use stepwell_node::Signed;
use stepwell_store::query::Filter;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::api::filter_of;
use crate::gate::{self, Keys};
use crate::problem::Problem;

/// Runs that are collected at once, and kept as a portion.
const PORTION: usize = 500;

/// Runs that are acted on at once.
const SLICE: usize = 32;

/// Runs that are deleted at once: each is a write of its own.
const DELETES: usize = 4;

/// Pause between slices.
const BREATH: Duration = Duration::from_millis(20);

/// Pause after something that may work later.
const LATER: Duration = Duration::from_secs(1);

/// Pause between looks while there is nothing to do.
const EVERY: Duration = Duration::from_mins(1);

/// How long a list waits for what is not in tables yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often an act is tried that the server cannot take now, and the pause between.
const TRIES: u32 = 10;
const TRY_PAUSE: Duration = Duration::from_millis(500);

/// How long jobs are kept that have ended.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// What tells the loop that there is something to do. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bulks {
    wake: Arc<Notify>,
}

impl Bulks {
    /// Has the loop look at once.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// The loop.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// What a turn of the loop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// There may be more to do.
    More,
    /// Nothing is to be done.
    Idle,
    /// Something may work later that does not now.
    Later,
}

impl Worker {
    /// Starts the loop.
    pub(crate) fn start(bulks: Bulks, keys: Keys, node: Handle) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let started = gate::now();
            let mut forgotten = None;
            loop {
                let turn = turn(&keys, &node, started).await;
                if forgotten.is_none_or(|at: Instant| at.elapsed() > EVERY) {
                    forgotten = Some(Instant::now());
                    forget_old(&keys).await;
                }
                let pause = match turn {
                    Turn::More => BREATH,
                    // Another node may be asked for one.
                    Turn::Idle if keys.is_shared() => LATER,
                    Turn::Idle => EVERY,
                    Turn::Later => LATER,
                };
                let woken = bulks.wake.notified();
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = woken, if turn == Turn::Idle => {}
                    _ = &mut stopped => break,
                }
            }
        });
        Self { stop, running }
    }

    /// Ends the loop after the slice that it is at.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the loop of acts on many runs panicked");
        }
    }
}

async fn forget_old(keys: &Keys) {
    let before = gate::now().before(KEPT);
    if let Err(problem) = keys.ask(move |keyring| keyring.forget_bulks(before)).await {
        tracing::warn!(detail = problem.detail, "old acts on many runs could not be forgotten");
    }
}

/// Gets each job on by a slice, those first that were asked for first. What had begun before the server
/// `started` waits with the runs of a restored store until these are let go: the original may have done it.
async fn turn(keys: &Keys, node: &Handle, started: Timestamp) -> Turn {
    match node.leads().await {
        Ok(true) => {}
        Ok(false) => return Turn::Idle,
        Err(error) => {
            tracing::warn!(detail = error.detail, "acts on many runs wait for the store");
            return Turn::Later;
        }
    }
    let ask = BulkAsk { namespace: None, open: true, limit: usize::MAX };
    let open = match keys.ask(move |keyring| keyring.bulks(&ask)).await {
        Ok(open) => open,
        Err(problem) => {
            tracing::warn!(detail = problem.detail, "acts on many runs cannot be read");
            return Turn::Later;
        }
    };
    if open.is_empty() {
        return Turn::Idle;
    }
    let held = match node.restored().await {
        Ok(restored) => restored.is_some_and(|restored| restored.held),
        Err(error) => {
            tracing::warn!(detail = error.detail, "acts on many runs wait for the store");
            return Turn::Later;
        }
    };
    let goes = |bulk: &Bulk| !held || bulk.created_at >= started;
    let mut turn = if open.iter().any(goes) { Turn::More } else { Turn::Later };
    for bulk in open.into_iter().rev().filter(goes) {
        let (id, namespace) = (bulk.id.clone(), Arc::clone(&bulk.namespace));
        if let Err(problem) = get_on(keys, node, bulk).await {
            tracing::warn!(
                detail = problem.detail,
                bulk = id,
                %namespace,
                "an act on many runs cannot go on now"
            );
            turn = Turn::Later;
        }
    }
    turn
}

async fn get_on(keys: &Keys, node: &Handle, mut bulk: Bulk) -> Result<(), Problem> {
    if let Some(why) = keys.keyring().ends_bulk(&bulk) {
        bulk.end(State::Stopped, Some(why), gate::now());
        return keep(keys, bulk, None).await;
    }
    match bulk.state {
        State::Collecting => collect(keys, node, bulk).await,
        State::Running => act_on_some(keys, node, bulk).await,
        State::Done | State::Stopped => Ok(()),
    }
}

/// Collects a portion of the runs that the filter names.
async fn collect(keys: &Keys, node: &Handle, mut bulk: Bulk) -> Result<(), Problem> {
    let filter = filter_of(Arc::clone(&bulk.namespace), &bulk.filter)?;
    let filter = Filter { before: bulk.progress.before, limit: PORTION, ..filter };
    let page = node.read(move |store| store.query(&filter, PATIENCE)).await?;
    if page.stale {
        return Err(Problem::unavailable("the tables of runs lag behind"));
    }
    let runs: Vec<RunId> = page.runs.iter().map(|run| run.id).collect();
    let last = runs.last().copied().filter(|_| page.more);
    match page.reached.or(last) {
        Some(before) => bulk.progress.before = Some(before),
        None => bulk.state = State::Running,
    }
    bulk.counts.matched += runs.len() as u64;
    bulk.changed_at = gate::now();
    if runs.is_empty() {
        return keep(keys, bulk, None).await;
    }
    bulk.progress.portions += 1;
    keep(keys, bulk, Some(runs)).await
}

/// Acts on a slice of a portion.
async fn act_on_some(keys: &Keys, node: &Handle, mut bulk: Bulk) -> Result<(), Problem> {
    if bulk.progress.portion >= bulk.progress.portions {
        bulk.end(State::Done, None, gate::now());
        return keep(keys, bulk, None).await;
    }
    let (id, number) = (bulk.id.clone(), bulk.progress.portion);
    let portion = keys.ask(move |keyring| keyring.bulk_portion(&id, number)).await?;
    let slice: Vec<RunId> = portion.iter().skip(bulk.progress.place).take(SLICE).copied().collect();
    let at_once = if bulk.act == Act::Delete { DELETES } else { SLICE };
    for runs in slice.chunks(at_once) {
        let acts = runs.iter().map(|run| async { (*run, act(node, &bulk, *run).await) });
        for (run, done) in join_all(acts).await {
            count(&mut bulk, run, done);
        }
    }
    bulk.progress.place += slice.len();
    if bulk.progress.place >= portion.len() {
        (bulk.progress.portion, bulk.progress.place) = (number + 1, 0);
    }
    bulk.changed_at = gate::now();
    keep(keys, bulk, None).await
}

/// Acts on a run.
async fn act(node: &Handle, bulk: &Bulk, run: RunId) -> Result<(), Error> {
    let namespace = || Arc::clone(&bulk.namespace);
    let signed = || Signed { by: bulk.by.clone(), reason: bulk.reason.clone() };
    let operate = |act| node.operate(namespace(), run, act, signed());
    let mut tries = 1;
    loop {
        let done = match bulk.act {
            Act::Cancel => node.cancel(namespace(), run, signed()).await.map(drop),
            Act::Pause => operate(Operation::Pause).await.map(drop),
            Act::Resume => operate(Operation::Resume).await.map(drop),
            Act::Terminate => operate(Operation::Terminate).await.map(drop),
            Act::Retry => operate(Operation::Retry).await.map(drop),
            Act::Delete => node.delete(namespace(), run).await,
        };
        match done {
            // It was deleted before the slice was cut off, or by somebody else: it is gone as it should be.
            Err(error) if bulk.act == Act::Delete && error.code == Code::UnknownRun => {
                return Ok(());
            }
            // Each of these acts does the second time what it did the first.
            Err(error)
                if matches!(error.code, Code::Unavailable | Code::InDoubt) && tries < TRIES =>
            {
                tries += 1;
                tokio::time::sleep(TRY_PAUSE).await;
            }
            done => return done,
        }
    }
}

fn count(bulk: &mut Bulk, run: RunId, done: Result<(), Error>) {
    let counts = &mut bulk.counts;
    let Err(error) = done else {
        counts.done += 1;
        return;
    };
    match error.code {
        Code::ActRefused | Code::UnknownRun => counts.refused += 1,
        _ => counts.failed += 1,
    }
    counts.add_refusal(run, error.code.as_str(), &error.detail);
}

/// Notes how far a job is; its end is in the audit log.
async fn keep(keys: &Keys, bulk: Bulk, portion: Option<Vec<RunId>>) -> Result<(), Problem> {
    let ends = bulk.state.is_ended();
    let kept = keys.ask(move |keyring| keyring.advance_bulk(bulk, portion.as_deref())).await?;
    if !ends {
        return Ok(());
    }
    let counts = &kept.counts;
    let told =
        format!("{} done, {} refused, {} failed", counts.done, counts.refused, counts.failed);
    let entry = Entry {
        at: gate::now(),
        namespace: Arc::clone(&kept.namespace),
        key: kept.owner.key.as_deref().and_then(|id| id.parse().ok()),
        key_name: kept.owner.name.clone(),
        from: kept.owner.from.clone(),
        act: "bulk.end".to_owned(),
        object: format!("{} {}: {told}", kept.id, kept.act.as_str()),
        reason: kept.why.clone(),
        outcome: DONE.to_owned(),
        of: None,
    };
    keys.record(entry).await.map(drop)
}
