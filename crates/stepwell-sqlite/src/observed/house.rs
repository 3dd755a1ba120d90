//! What changes without an event: runs that end with time, and those whose flow is declared anew.

use rusqlite::{Connection, OptionalExtension};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_telemetry::record::Record;
use stepwell_telemetry::row::Row;
use stepwell_telemetry::set::Set;

use super::deltas::{Deltas, Sign};
use super::fault::Fault;
use super::flows;
use super::gaps::Gaps;
use super::row::{Columns, UPDATE};
use super::store::{Shared, SqliteObserved};
use super::turn::Turn;
use super::write::{Old, gaps, read_set};
use crate::disk::Disk;

/// How many runs are judged in one transaction.
const SLICE: usize = 200;

impl<D: Disk> SqliteObserved<D> {
    /// Does all that time and declarations ask for at an instant, for callers without a thread.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`].
    pub fn keep_house(&self, now: Timestamp) -> Result<(), Error> {
        while self.shared.keep_house(now)? {}
        Ok(())
    }
}

impl<D: Disk> Shared<D> {
    /// Judges some runs again. Tells whether there are more.
    pub(super) fn keep_house(&self, now: Timestamp) -> Result<bool, Error> {
        let is_due = |connection: &Connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM flows WHERE judged_at IS NOT NULL)
                OR EXISTS (SELECT 1 FROM runs WHERE due = 1 AND turns_at <= ?1)";
            connection.prepare_cached(sql)?.query_row([now.as_micros()], |row| row.get(0))
        };
        if !self.read(is_due)? {
            return Ok(false);
        }
        self.write(|writer| {
            let mut judge = Judge { connection: writer, now, deltas: Deltas::default() };
            let more = judge.turned()? | judge.declared()?;
            judge.deltas.write(writer)?;
            Ok(more)
        })
    }
}

/// Judges runs by what is declared now.
struct Judge<'a> {
    connection: &'a Connection,
    now: Timestamp,
    deltas: Deltas,
}

impl Judge<'_> {
    /// Takes runs whose status has turned.
    fn turned(&mut self) -> Result<bool, Fault> {
        let sql = "SELECT id FROM runs INDEXED BY runs_due
            WHERE due = 1 AND turns_at <= ?1 ORDER BY turns_at LIMIT ?2";
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let mut find = self.connection.prepare_cached(sql)?;
        let ids = find.query_map([self.now.as_micros(), limit], |row| row.get(0))?;
        let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            self.run(*id)?;
        }
        Ok(ids.len() == SLICE)
    }

    /// Takes runs of a flow that was declared anew, the newest first.
    fn declared(&mut self) -> Result<bool, Fault> {
        let sql = "SELECT id, judged_at, judged_n, declaration FROM flows INDEXED BY flows_judging
            WHERE judged_at IS NOT NULL LIMIT 1";
        let mut find = self.connection.prepare_cached(sql)?;
        let found =
            find.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let found: Option<(i64, i64, i64, i64)> = found.optional()?;
        let Some((flow, mut at, mut n, declaration)) = found else { return Ok(false) };
        let next = "SELECT id, first_at, declaration FROM runs INDEXED BY runs_first
            WHERE flow = ?1 AND first_at <= ?2 AND (first_at < ?2 OR id < ?3)
            ORDER BY first_at DESC, id DESC LIMIT ?4";
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let mut next = self.connection.prepare_cached(next)?;
        let runs = next
            .query_map([flow, at, n, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let runs: Vec<(i64, i64, i64)> = runs.collect::<rusqlite::Result<_>>()?;
        for (id, first_at, judged_by) in &runs {
            (at, n) = (*first_at, *id);
            if *judged_by != declaration {
                self.run(*id)?;
            }
        }
        let is_last = runs.len() < SLICE;
        let place = (!is_last).then_some((at, n));
        let set = "UPDATE flows SET judged_at = ?2, judged_n = ?3 WHERE id = ?1";
        let values = (flow, place.map(|(at, _)| at), place.map(|(_, n)| n));
        self.connection.prepare_cached(set)?.execute(values)?;
        // There may be another flow.
        Ok(true)
    }

    fn run(&mut self, id: i64) -> Result<(), Fault> {
        let sql = "SELECT flow, runs.run, gaps, encoded FROM runs JOIN records ON records.run = id
            WHERE id = ?1";
        let found = self.connection.prepare_cached(sql)?.query_row([id], |row| {
            let gaps = row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default();
            let (flow, run): (i64, String) = (row.get(0)?, row.get(1)?);
            Ok((flow, run, Old { id, gaps, events: row.get(3)? }))
        });
        let (flow, run, old) = found?;
        let Some(flow) = flows::of_id(self.connection, flow)? else { return Ok(()) };
        let set: Set<'_> = read_set(&old)?;
        let record = Record::of(&set);
        let Some(row) = Row::of(&record, flow.declared.as_deref()) else { return Ok(()) };
        let turn = Turn::of(&row, flow.patience());
        let has_turned = turn.at <= self.now;
        let status = if has_turned { turn.after } else { turn.before };
        let gaps = gaps(&flow, &record, &row, status.is_ended());
        self.deltas.gaps(&flow, &Gaps::read(&old.gaps), Sign::Less);
        self.deltas.gaps(&flow, &gaps, Sign::More);
        let gaps = gaps.to_bytes();
        let columns = Columns { flow: &flow, run: &run, row: &row, turn, has_turned, gaps: &gaps };
        columns.update(&mut self.connection.prepare_cached(UPDATE)?, id)?;
        Ok(())
    }
}
