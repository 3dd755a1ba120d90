//! The trait that callers see.

use std::sync::Arc;

use stepwell_core::time::Timestamp;
use stepwell_store::Error as StoreError;
use stepwell_telemetry::batch::Batch;
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::keep::{
    Beside, Error, ErrorGroup, FlowStats, FlowSummary, Health, Keep, Kept, Purged, RunsAsk,
    RunsPage, Window,
};
use stepwell_telemetry::status::RunStatus;

use super::lane::Stop;
use super::store::SqliteObserved;
use super::{flows, list, read, stats};
use crate::disk::Disk;

impl<D: Disk> Keep for SqliteObserved<D> {
    fn append(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        self.shared.lane.append(batch.as_bytes()).map_err(told).map(drop)
    }

    fn declare(&self, namespace: &str, slug: &str, flow: Option<&Flow>) -> Result<bool, Error> {
        self.shared.declare(namespace, slug, flow).map_err(told)
    }

    fn declared(&self, namespace: &str, slug: &str) -> Result<Option<Arc<Flow>>, Error> {
        self.shared.read(|tables| read::declared(tables, namespace, slug)).map_err(told)
    }

    fn flows(&self, namespace: &str, now: Timestamp) -> Result<Vec<FlowSummary>, Error> {
        self.fresh(|tables| read::flows(tables, namespace, now)).map(|(flows, _)| flows)
    }

    fn stats(
        &self,
        namespace: &str,
        flow: &str,
        window: Window,
        now: Timestamp,
    ) -> Result<FlowStats, Error> {
        let stats = self.fresh(|tables| match flows::find(tables, namespace, flow)? {
            Some(flow) => stats::stats(tables, flow.id, window, now),
            None => Ok(stats::nothing(window, now)),
        });
        stats.map(|(stats, _)| stats)
    }

    fn errors(
        &self,
        namespace: &str,
        flow: &str,
        window: Window,
        now: Timestamp,
    ) -> Result<Vec<ErrorGroup>, Error> {
        let errors = self.fresh(|tables| match flows::find(tables, namespace, flow)? {
            Some(flow) => stats::errors(tables, flow.id, window, now),
            None => Ok(Vec::new()),
        });
        errors.map(|(errors, _)| errors)
    }

    fn runs(&self, ask: &RunsAsk, now: Timestamp) -> Result<RunsPage, Error> {
        let (page, stale) = self.fresh(|tables| list::page(tables, ask, now))?;
        Ok(RunsPage { stale, ..page })
    }

    fn counts(
        &self,
        ask: &RunsAsk,
        now: Timestamp,
        most: u64,
    ) -> Result<Vec<(RunStatus, u64)>, Error> {
        self.fresh(|tables| list::counts(tables, ask, now, most)).map(|(counts, _)| counts)
    }

    fn run(&self, namespace: &str, flow: &str, run: &str) -> Result<Option<Kept>, Error> {
        let (set, stale) = self.fresh(|tables| read::events(tables, namespace, flow, run))?;
        Ok(set.map(|set| Kept { set, stale }))
    }

    fn beside(
        &self,
        namespace: &str,
        run: &str,
        trace: Option<u128>,
    ) -> Result<Vec<Beside>, Error> {
        self.fresh(|tables| read::beside(tables, namespace, run, trace)).map(|(runs, _)| runs)
    }

    fn purge(&self, before: Timestamp, most: usize) -> Result<Purged, Error> {
        self.shared.purge(before, most).map_err(told)
    }

    fn remove_namespace(&self, namespace: &str) -> Result<(), Error> {
        self.shared.remove_namespace(namespace).map_err(told)
    }

    fn health(&self) -> Health {
        let state = self.shared.lane.state();
        Health {
            head: state.head,
            folded: state.folded,
            tail_bytes: state.tail_bytes,
            disk_bytes: state.log_bytes + self.shared.tables.disk_bytes(),
            is_poisoned: matches!(state.refuses, Some(StoreError::Poisoned(_))),
        }
    }

    fn stop(&self) {
        self.end(Stop::Folded);
    }
}

impl<D: Disk> SqliteObserved<D> {
    /// Reads, once everything that was appended before is in tables; tells whether that took too long.
    fn fresh<T>(
        &self,
        read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<(T, bool), Error> {
        let stale = self.shared.await_fold().map_err(told)?;
        let answer = self.shared.read(read).map_err(told)?;
        Ok((answer, stale))
    }
}

/// Tells an error of the log or the tables to callers.
fn told(error: StoreError) -> Error {
    match error {
        StoreError::DiskFull { .. } => Error::DiskFull(error.to_string()),
        StoreError::Unknown(_) | StoreError::Poisoned(_) => Error::Poisoned(error.to_string()),
        StoreError::Corrupt(_) => Error::Corrupt(error.to_string()),
        other => Error::Unavailable(other.to_string()),
    }
}
