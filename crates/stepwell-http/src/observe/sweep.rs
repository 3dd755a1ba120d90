//! What has to be done for observed runs from time to time: those that are older than they are kept are deleted, and a
//! store that failed is opened again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::counted::Counted;
use super::shelf::Shelf;
use crate::gate;

/// Pause between looks.
const EVERY: Duration = Duration::from_mins(1);

/// Pause between portions while there is more to delete, so that others come first.
const BREATH: Duration = Duration::from_millis(100);

/// Runs deleted in one portion.
const PORTION: usize = 1_000;

/// How long observed runs are kept after their last event. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Keeping(Arc<Mutex<Duration>>);

impl Keeping {
    pub(super) fn new(keep: Duration) -> Self {
        Self(Arc::new(Mutex::new(keep)))
    }

    /// Keeps them for another time, from the next look on, which comes within a minute.
    pub(crate) fn set(&self, keep: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keep;
    }

    fn get(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop.
#[derive(Debug)]
pub(super) struct Sweep {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Sweep {
    /// Starts the loop.
    pub(super) fn start(shelf: Shelf, keeping: Keeping, counted: Arc<Counted>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            loop {
                let (asked, keep) = (shelf.clone(), keeping.get());
                let swept = tokio::task::spawn_blocking(move || portion(&asked, keep));
                let pause = match swept.await {
                    Ok((deleted, more)) => {
                        counted.deleted(deleted);
                        if more { BREATH } else { EVERY }
                    }
                    Err(error) => {
                        tracing::error!(%error, "the sweep of observed runs panicked");
                        EVERY
                    }
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = &mut stopped => return,
                }
            }
        });
        Self { stop, running }
    }

    /// Ends the loop after the portion that it is at.
    pub(super) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the loop of observed runs panicked");
        }
    }
}

/// Deletes a portion. Tells how many runs it were, and whether there is more.
fn portion(shelf: &Shelf, keep: Duration) -> (usize, bool) {
    shelf.mend();
    let Ok(store) = shelf.keep() else { return (0, false) };
    match store.purge(gate::now().before(keep), PORTION) {
        Ok(purged) => {
            if purged.runs > 0 {
                let deleted = purged.runs;
                tracing::info!(deleted, "deleted observed runs that are older than they are kept");
            }
            (purged.runs, purged.more)
        }
        Err(error) => {
            tracing::warn!(detail = error.to_string(), "old observed runs could not be deleted");
            (0, false)
        }
    }
}
