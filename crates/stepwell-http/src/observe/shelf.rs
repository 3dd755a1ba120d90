//! The store of observed runs, opened, and opened again after it failed. Where it cannot be, telemetry is turned away
//! and durable runs go on: they never depend on it (§10.7).

use std::sync::{Arc, PoisonError, RwLock};

use stepwell_telemetry::keep::Keep;

use super::observed::OpenObserved;
use crate::problem::Problem;

/// The store, or why there is none now. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    open: OpenObserved,
    kept: Arc<RwLock<Result<Arc<dyn Keep>, Problem>>>,
}

impl Shelf {
    /// Opens the store; one that cannot be opened is tried again by [`Shelf::mend`]. May block.
    pub(super) fn open(open: OpenObserved) -> Self {
        let kept = open.open();
        if let Err(problem) = &kept {
            tracing::error!(
                detail = problem.detail,
                "observed runs cannot be kept; durable runs go on"
            );
        }
        Self { open, kept: Arc::new(RwLock::new(kept)) }
    }

    /// Returns the store.
    ///
    /// # Errors
    /// Why there is none now; trying again helps.
    pub(super) fn keep(&self) -> Result<Arc<dyn Keep>, Problem> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the store again where it takes nothing any more. May block.
    pub(super) fn mend(&self) {
        match self.keep() {
            Ok(keep) if !keep.health().is_poisoned => return,
            Ok(keep) => {
                let why = Problem::unavailable("the store of observed runs is being opened again");
                self.put(Err(why));
                keep.stop();
            }
            Err(_) => {}
        }
        let kept = self.open.open();
        match &kept {
            Ok(_) => tracing::info!("the store of observed runs is open again"),
            Err(problem) => {
                tracing::warn!(detail = problem.detail, "observed runs still cannot be kept");
            }
        }
        self.put(kept);
    }

    /// Closes the store. May block.
    pub(super) fn close(&self) {
        let closed = self.keep();
        self.put(Err(Problem::unavailable("the server stops")));
        if let Ok(keep) = closed {
            keep.stop();
        }
    }

    fn put(&self, kept: Result<Arc<dyn Keep>, Problem>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}
