//! Deletes ended runs and events once they are older than their retention, in small portions.

use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::event::EventRetention;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::handle::Handle;

/// Pause between looks.
const EVERY: Duration = Duration::from_mins(1);

/// Pause between portions while there is more to delete, so that work of runs comes first.
const BREATH: Duration = Duration::from_millis(100);

/// Runs deleted in one portion.
const PORTION: usize = 500;

/// The loop that deletes.
#[derive(Debug)]
pub struct Retention {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Retention {
    /// Starts the loop.
    pub fn start(node: Handle, keep: Duration, events: Duration) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut pause = Duration::ZERO;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = &mut stopped => return,
                }
                let runs = portion(&node, keep).await;
                let more = portion_of_events(&node, events).await || runs;
                pause = if more { BREATH } else { EVERY };
            }
        });
        Self { stop, running }
    }

    /// Ends the loop after the portion that it is at.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the retention loop panicked");
        }
    }
}

/// §8.7: ids of events are known for at least so long.
const IDS_KEPT: Duration = Duration::from_hours(7 * 24);

/// Deletes a portion of old events. Tells whether there is more.
async fn portion_of_events(node: &Handle, keep: Duration) -> bool {
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now = Timestamp::from_micros(0).after(wall);
    let retention =
        EventRetention { kept_from: now.before(keep), known_from: now.before(keep.max(IDS_KEPT)) };
    match node.read(move |store| store.purge_events(retention, PORTION)).await {
        Ok(deleted) => deleted == PORTION,
        Err(problem) => {
            tracing::warn!(detail = problem.detail, "old events could not be deleted");
            false
        }
    }
}

/// Deletes a portion. Tells whether there is more.
async fn portion(node: &Handle, keep: Duration) -> bool {
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let cutoff = Timestamp::from_micros(0).after(wall).before(keep);
    match node.read(move |store| store.purge(cutoff, PORTION)).await {
        Ok(deleted) => {
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
