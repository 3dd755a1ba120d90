//! A row of a run as columns.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Row as SqlRow, params};
use stepwell_core::time::Timestamp;
use stepwell_telemetry::keep::{After, ListedRun};
use stepwell_telemetry::row::{Broken, Row};
use stepwell_telemetry::status::RunStatus;

use super::flows::Known;
use super::turn::Turn;

/// What is written of a run apart from its events.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) flow: &'a Known,
    pub(super) run: &'a str,
    pub(super) row: &'a Row,
    pub(super) turn: Turn,
    /// It is judged as it is from the turn on.
    pub(super) has_turned: bool,
    /// What statistics were told of steps that it did not reach; empty where nothing was.
    pub(super) gaps: &'a [u8],
}

pub(super) const INSERT: &str = "INSERT INTO runs (status, turns_at, turns_to, first_at, last_at,
        open_at, through, events, steps, ended, failed, attempts, broken_step, broken_name,
        broken_message, strip, trace, metadata, declaration, due, gaps, space, flow, run)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20, ?21, ?22, ?23, ?24)";

pub(super) const UPDATE: &str = "UPDATE runs SET status = ?1, turns_at = ?2, turns_to = ?3,
        first_at = ?4, last_at = ?5, open_at = ?6, through = ?7, events = ?8, steps = ?9,
        ended = ?10, failed = ?11, attempts = ?12, broken_step = ?13, broken_name = ?14,
        broken_message = ?15, strip = ?16, trace = ?17, metadata = ?18, declaration = ?19,
        due = ?20, gaps = ?21
    WHERE id = ?22";

impl Columns<'_> {
    /// Writes a row that is not there yet.
    pub(super) fn insert(&self, statement: &mut CachedStatement<'_>) -> rusqlite::Result<()> {
        self.bind(statement)?;
        statement.raw_bind_parameter(22, self.flow.space)?;
        statement.raw_bind_parameter(23, self.flow.id)?;
        statement.raw_bind_parameter(24, self.run)?;
        statement.raw_execute().map(drop)
    }

    /// Writes a row in place of the one that is there.
    pub(super) fn update(
        &self,
        statement: &mut CachedStatement<'_>,
        id: i64,
    ) -> rusqlite::Result<()> {
        self.bind(statement)?;
        statement.raw_bind_parameter(22, id)?;
        statement.raw_execute().map(drop)
    }

    fn bind(&self, statement: &mut CachedStatement<'_>) -> rusqlite::Result<()> {
        let Self { row, turn, .. } = self;
        let broken = row.broken.as_ref();
        let trace = row.trace.map(u128::to_be_bytes);
        let due = self.flow.declared.is_some() && turn.changes_end() && !self.has_turned;
        let values = params![
            turn.before.as_str(),
            turn.at.as_micros(),
            turn.after.as_str(),
            row.first_at.as_micros(),
            row.last_at.as_micros(),
            row.open_at.map(Timestamp::as_micros),
            row.is_through,
            row.events,
            row.steps,
            row.ended,
            row.failed,
            row.attempts,
            broken.map(|broken| &*broken.step),
            broken.map(|broken| &*broken.name),
            broken.map(|broken| &*broken.message),
            &*row.strip,
            trace.as_ref().map(|trace| &trace[..]),
            row.metadata.as_deref(),
            self.flow.declaration,
            due,
            (!self.gaps.is_empty()).then_some(self.gaps),
        ];
        for (at, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        Ok(())
    }
}

/// The columns that [`read`] reads, of `runs`.
pub(super) const READ: &str = "id, flow, run, status, turns_at, turns_to, first_at, last_at, open_at,
    through, events, steps, ended, failed, attempts, broken_step, broken_name, broken_message, strip,
    trace, metadata";

/// Reads a run of a list, with the number of its flow in place of its slug.
pub(super) fn read(row: &SqlRow<'_>, now: Timestamp) -> rusqlite::Result<(i64, ListedRun)> {
    let instant = |at| row.get(at).map(Timestamp::from_micros);
    let text = |at| row.get::<_, Arc<str>>(at);
    let word: String = row.get(if now < instant(4)? { 3 } else { 5 })?;
    let broken = match row.get_ref(15)? {
        ValueRef::Null => None,
        _ => Some(Broken { step: text(15)?, name: text(16)?, message: text(17)? }),
    };
    let first_at = instant(6)?;
    let listed = ListedRun {
        flow: Arc::default(),
        run: text(2)?,
        status: status(&word),
        row: Row {
            first_at,
            last_at: instant(7)?,
            open_at: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_micros),
            is_through: row.get(9)?,
            events: row.get(10)?,
            steps: row.get(11)?,
            ended: row.get(12)?,
            failed: row.get(13)?,
            attempts: row.get(14)?,
            broken,
            strip: text(18)?,
            trace: row.get::<_, Option<[u8; 16]>>(19)?.map(u128::from_be_bytes),
            metadata: row.get(20)?,
        },
        place: After { at: first_at, n: row.get(0)? },
    };
    Ok((row.get(1)?, listed))
}

/// Reads a status that was written.
pub(super) fn status(word: &str) -> RunStatus {
    RunStatus::parse(word).unwrap_or(RunStatus::Running)
}
