//! Deletes ended runs once they are older than the retention, in small portions.

use std::time::Duration;

use stepwell_core::time::Timestamp;
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
    pub fn start(node: Handle, keep: Duration) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut pause = Duration::ZERO;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = &mut stopped => return,
                }
                pause = if portion(&node, keep).await { BREATH } else { EVERY };
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
