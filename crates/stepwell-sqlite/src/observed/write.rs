//! What a fold writes, in one transaction with the position of the log.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use stepwell_store::Error;
use stepwell_telemetry::record::Record;
use stepwell_telemetry::row::Row;
use stepwell_telemetry::set::Set;
use stepwell_telemetry::tally;

use super::deltas::{Deltas, Sign};
use super::fault::Fault;
use super::flows::{Flows, Known};
use super::gaps::Gaps;
use super::group::{Group, by_run};
use super::lane::Batch;
use super::row::{Columns, INSERT, UPDATE};
use super::store::Shared;
use super::turn::Turn;
use crate::disk::Disk;

impl<D: Disk> Shared<D> {
    /// Puts batches into tables, all or nothing, and durably; the log gives up what is not needed then.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]: the tables are as before.
    pub(super) fn fold(&self, batches: &[Batch]) -> Result<(), Error> {
        let Some(last) = batches.last() else { return Ok(()) };
        let position = last.position;
        let folded = by_run(batches).and_then(|groups| self.write_groups(&groups, position));
        match folded {
            Ok(()) => {
                self.lane.folded(position);
                Ok(())
            }
            Err(error) => {
                self.lane.failed(&error);
                Err(error)
            }
        }
    }

    fn write_groups(&self, groups: &[Group<'_>], position: u64) -> Result<(), Error> {
        self.write(|writer| {
            let mut fold = Fold::new(writer, &self.flows)?;
            for group in groups {
                fold.run(group)?;
            }
            fold.finish()?;
            let set = "UPDATE meta SET value = ?1 WHERE name = 'position'";
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            writer.prepare_cached(set)?.execute([position])?;
            Ok(())
        })
    }
}

/// What a transaction writes of runs.
pub(super) struct Fold<'a> {
    flows: &'a Flows,
    connection: &'a Connection,
    find: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    update: CachedStatement<'a>,
    put_events: CachedStatement<'a>,
    deltas: Deltas,
    /// Used again for each run.
    bytes: Vec<u8>,
}

/// A run that is there.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) id: i64,
    pub(super) gaps: Vec<u8>,
    pub(super) events: Vec<u8>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(connection: &'a Connection, flows: &'a Flows) -> Result<Self, Fault> {
        Ok(Self {
            flows,
            connection,
            find: connection.prepare_cached(
                "SELECT id, gaps, encoded FROM runs JOIN records ON records.run = id
                WHERE flow = ?1 AND runs.run = ?2",
            )?,
            insert: connection.prepare_cached(INSERT)?,
            update: connection.prepare_cached(UPDATE)?,
            put_events: connection
                .prepare_cached("INSERT OR REPLACE INTO records (run, encoded) VALUES (?1, ?2)")?,
            deltas: Deltas::default(),
            bytes: Vec::new(),
        })
    }

    /// Writes what is new of a run.
    fn run(&mut self, group: &Group<'_>) -> Result<(), Fault> {
        let name = group.run;
        let flow = self.flows.find_or_make(self.connection, name.namespace, name.flow)?;
        let old = self.find.query_row(params![flow.id, name.run], |row| {
            let gaps = row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default();
            Ok(Old { id: row.get(0)?, gaps, events: row.get(2)? })
        });
        let old = old.optional()?;
        let mut set = match &old {
            Some(old) => read_set(old)?,
            None => Set::default(),
        };
        if let Some(old) = &old {
            let before = Record::of(&set);
            if !set.add(group.events.iter().copied()) {
                return Ok(());
            }
            self.deltas.count(&flow, name.run, &tally::counts(&before), Sign::Less);
            self.deltas.gaps(&flow, &Gaps::read(&old.gaps), Sign::Less);
        } else {
            set.add(group.events.iter().copied());
        }
        let record = Record::of(&set);
        let Some(row) = Row::of(&record, flow.declared.as_deref()) else { return Ok(()) };
        self.deltas.count(&flow, name.run, &tally::counts(&record), Sign::More);
        let turn = Turn::of(&row, flow.patience());
        let gaps = gaps(&flow, &record, &row, turn.before.is_ended());
        self.deltas.gaps(&flow, &gaps, Sign::More);
        let gaps = gaps.to_bytes();
        let columns =
            Columns { flow: &flow, run: name.run, row: &row, turn, has_turned: false, gaps: &gaps };
        let id = if let Some(old) = &old {
            columns.update(&mut self.update, old.id)?;
            old.id
        } else {
            columns.insert(&mut self.insert)?;
            self.connection.last_insert_rowid()
        };
        self.bytes.clear();
        set.write(&mut self.bytes);
        self.put_events.execute(params![id, self.bytes])?;
        Ok(())
    }

    /// Writes what was counted.
    fn finish(self) -> Result<(), Fault> {
        self.deltas.write(self.connection)
    }
}

/// Reads the events of a run that is there.
pub(super) fn read_set(old: &Old) -> Result<Set<'_>, Fault> {
    let damaged = || Fault::corrupt(&format!("the events of run {} do not read", old.id));
    Set::read(&old.events).ok_or_else(damaged)
}

/// Returns what a run did not do, where it ended and steps are declared.
pub(super) fn gaps<'a>(
    flow: &'a Known,
    record: &Record<'_>,
    row: &Row,
    is_ended: bool,
) -> Gaps<'a> {
    let declared = flow.declared.as_ref().filter(|_| is_ended);
    match declared {
        Some(declared) => Gaps::of(row.last_at, tally::undone(record, declared)),
        None => Gaps::default(),
    }
}
