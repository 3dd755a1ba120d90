//! Deletes ended runs and events once they are older than their retention, in small portions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_store::event::EventRetention;
use stepwell_store::retention::{RetentionRule, RunRetention};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::handle::Handle;

/// Pause between looks.
const EVERY: Duration = Duration::from_mins(1);

/// Pause between portions while there is more to delete, so that work of runs comes first.
const BREATH: Duration = Duration::from_millis(100);

/// Runs deleted in one portion.
const PORTION: usize = 500;

/// §8.7: ids of events are known for at least so long.
const IDS_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long ended runs and events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The first that fits a run says how long it is kept after its end.
    pub rules: Vec<KeepRule>,
    /// How long runs are kept that no rule fits.
    pub runs: Duration,
    /// How long events are kept.
    pub events: Duration,
}

/// How long some ended runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// Only runs of this namespace.
    pub namespace: Option<Arc<str>>,
    /// Only runs of this app.
    pub app: Option<Arc<str>>,
    /// Only runs of this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only runs that ended with one of these statuses; empty for all.
    pub statuses: Vec<RunStatus>,
    /// How long, after their end.
    pub keep: Duration,
}

impl Keep {
    /// Returns from when on runs are kept, seen from `now`.
    fn runs_at(&self, now: Timestamp) -> RunRetention {
        let rule = |rule: &KeepRule| RetentionRule {
            namespace: rule.namespace.clone(),
            app: rule.app.clone(),
            workflow: rule.workflow.clone(),
            statuses: rule.statuses.clone(),
            kept_from: now.before(rule.keep),
        };
        let rules = self.rules.iter().map(rule).collect();
        RunRetention { rules, kept_from: now.before(self.runs) }
    }

    fn events_at(&self, now: Timestamp) -> EventRetention {
        EventRetention {
            kept_from: now.before(self.events),
            known_from: now.before(self.events.max(IDS_KEPT)),
        }
    }
}

/// The loop that deletes.
#[derive(Debug)]
pub struct Retention {
    keep: Arc<Mutex<Keep>>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// What changes how long things are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Mutex<Keep>>);

impl Keeper {
    /// Keeps ended runs for other times, from the next look on, which comes within a minute.
    pub fn keep_runs(&self, rules: Vec<KeepRule>, others: Duration) {
        let mut keep = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keep.rules = rules;
        keep.runs = others;
    }
}

impl Retention {
    /// Starts the loop.
    pub fn start(node: Handle, keep: Keep) -> Self {
        let keep = Arc::new(Mutex::new(keep));
        let (stop, mut stopped) = oneshot::channel();
        let asked = Arc::clone(&keep);
        let running = tokio::spawn(async move {
            let mut pause = Duration::ZERO;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = &mut stopped => return,
                }
                let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
                let now = Timestamp::from_micros(0).after(wall);
                let (runs, events) = {
                    let keep = asked.lock().unwrap_or_else(PoisonError::into_inner);
                    (keep.runs_at(now), keep.events_at(now))
                };
                // What was restored is there to be looked at as it was.
                let restored = node.restored().await.ok().flatten();
                let leads = node.leads().await.unwrap_or(false);
                if !leads || restored.is_some_and(|restored| restored.held) {
                    pause = EVERY;
                    continue;
                }
                let more = portion(&node, runs).await;
                let more = portion_of_events(&node, events).await || more;
                pause = if more { BREATH } else { EVERY };
            }
        });
        Self { keep, stop, running }
    }

    /// Returns what changes how long things are kept.
    pub fn keeper(&self) -> Keeper {
        Keeper(Arc::clone(&self.keep))
    }

    /// Ends the loop after the portion that it is at.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the retention loop panicked");
        }
    }
}

/// Deletes a portion of old events. Tells whether there is more.
async fn portion_of_events(node: &Handle, retention: EventRetention) -> bool {
    match node.read(move |store| store.purge_events(retention, PORTION)).await {
        Ok(deleted) => {
            node.shared.deleted.add_events(deleted);
            deleted == PORTION
        }
        Err(problem) => {
            tracing::warn!(detail = problem.detail, "old events could not be deleted");
            false
        }
    }
}

/// Deletes a portion. Tells whether there is more.
async fn portion(node: &Handle, retention: RunRetention) -> bool {
    match node.read(move |store| store.purge(&retention, PORTION)).await {
        Ok(deleted) => {
            node.shared.deleted.add_runs(deleted);
            if deleted > 0 {
                tracing::info!(deleted, "deleted runs that ended before the retention");
            }
            deleted == PORTION
        }
        Err(error) => {
            tracing::warn!(detail = error.detail, "old runs could not be deleted");
            false
        }
    }
}
