//! How members join, and running the cases.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::super::harness::cause_of;
use super::cluster::Cluster;
use super::{claims, contended, events, fence, mail, meet, over, queues};
use crate::store::Store;

/// Gives the suite the shared stores that it tests.
pub trait SharedHarness {
    /// Makes a new, empty database, in place of the one before, of which no handle is left.
    fn open(&mut self);

    /// Joins the database as a node of this name.
    fn join(&mut self, node: &str) -> Arc<dyn Store>;

    /// Lets the database's time pass. Leases that were not renewed meanwhile may run out by that.
    fn pass(&mut self, time: Duration);
}

/// One case: a name that says what must hold, and how that is shown.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut Cluster<'_>),
}

impl Case {
    pub(super) const fn new(name: &'static str, run: fn(&mut Cluster<'_>)) -> Self {
        Self { name, run }
    }
}

/// Runs every case for stores that several nodes share; returns how many there are.
///
/// # Panics
/// When a case fails; the panic's message names the case.
pub fn run_shared(harness: &mut dyn SharedHarness) -> usize {
    let parts = [
        claims::CASES,
        queues::CASES,
        fence::CASES,
        over::CASES,
        mail::CASES,
        meet::CASES,
        contended::CASES,
        events::CASES,
    ];
    for case in parts.into_iter().flatten() {
        let mut cluster = Cluster::new(harness);
        let outcome = catch_unwind(AssertUnwindSafe(|| (case.run)(&mut cluster)));
        if let Err(cause) = outcome {
            resume_unwind(Box::new(format!("case {}: {}", case.name, cause_of(&*cause))));
        }
    }
    parts.into_iter().flatten().count()
}
