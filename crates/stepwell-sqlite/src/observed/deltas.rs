//! What a transaction changes of statistics: sums first, and each row of them once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use stepwell_core::time::Timestamp;
use stepwell_telemetry::tally::{Count, What};

use super::fault::Fault;
use super::flows::Known;
use super::gaps::Gaps;
use super::histogram::{Histogram, class};

/// How long the parts are that runs are counted by.
const MINUTE: i64 = 60_000_000;
/// How long the parts are that calls of steps are counted by.
pub(super) const FIVE_MINUTES: i64 = 5 * MINUTE;
/// How much of an error's message is kept beside its run, in characters.
const MESSAGE_MAX: usize = 500;

/// Whether something is counted, or is not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is counted.
    More,
    /// It was counted.
    Less,
}

impl Sign {
    const fn one(self) -> i64 {
        match self {
            Self::More => 1,
            Self::Less => -1,
        }
    }
}

/// A flow by number, and the begin of a part of time.
type Part = (i64, i64);

/// Changes of statistics.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    runs: BTreeMap<Part, RunDelta>,
    steps: BTreeMap<Part, Steps>,
    thrown: BTreeMap<Thrown, Threw>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct RunDelta {
    runs: i64,
    failed: i64,
    missing: i64,
}

/// Changes of the steps of a part.
#[derive(Debug, Default)]
struct Steps {
    places: HashMap<Box<str>, usize, RandomState>,
    deltas: Vec<StepDelta>,
}

#[derive(Debug, Default)]
struct StepDelta {
    step: Box<str>,
    ok: i64,
    failed: i64,
    skipped: i64,
    missing: i64,
    not_reached: i64,
    first_failed: i64,
    took: FxHashMap<u16, i64>,
}

/// Where an error was thrown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Thrown {
    flow: i64,
    fingerprint: u64,
    at: Timestamp,
    run: Box<str>,
}

/// What was thrown there.
#[derive(Clone, Debug)]
struct Threw {
    count: i64,
    step: Box<str>,
    name: Box<str>,
    message: String,
}

/// Returns the begin of the part of time that an instant is in.
pub(super) fn floor(at: Timestamp, part: i64) -> i64 {
    let micros = at.as_micros();
    micros.saturating_sub(micros.rem_euclid(part))
}

impl Deltas {
    /// Counts what a run adds.
    pub(super) fn count(&mut self, flow: &Known, run: &str, counts: &[Count<'_>], sign: Sign) {
        let one = sign.one();
        for Count { at, what } in counts {
            let at = *at;
            match what {
                What::Run { has_failed } => {
                    let part = self.runs.entry((flow.id, floor(at, MINUTE))).or_default();
                    part.runs += one;
                    part.failed += if *has_failed { one } else { 0 };
                }
                What::Ok { step, took } => {
                    let delta = self.step(flow, at, step);
                    delta.ok += one;
                    delta.took(*took, one);
                }
                What::Failed { step, took, fingerprint, name, message } => {
                    let delta = self.step(flow, at, step);
                    delta.failed += one;
                    delta.took(*took, one);
                    let flow = flow.id;
                    let place = Thrown { flow, fingerprint: *fingerprint, at, run: run.into() };
                    self.throw(place, one, step, (name, message));
                }
                What::Skipped { step } => self.step(flow, at, step).skipped += one,
                What::FirstFailed { step } => self.step(flow, at, step).first_failed += one,
            }
        }
    }

    /// Counts what an ended run did not do.
    pub(super) fn gaps(&mut self, flow: &Known, gaps: &Gaps<'_>, sign: Sign) {
        let one = sign.one();
        for step in &gaps.missing {
            self.step(flow, gaps.at, step).missing += one;
            self.runs.entry((flow.id, floor(gaps.at, MINUTE))).or_default().missing += one;
        }
        for step in &gaps.not_reached {
            self.step(flow, gaps.at, step).not_reached += one;
        }
    }

    fn step(&mut self, flow: &Known, at: Timestamp, step: &str) -> &mut StepDelta {
        let part = self.steps.entry((flow.id, floor(at, FIVE_MINUTES))).or_default();
        let place = part.places.get(step).copied().unwrap_or_else(|| {
            part.places.insert(step.into(), part.deltas.len());
            part.deltas.push(StepDelta { step: step.into(), ..StepDelta::default() });
            part.deltas.len() - 1
        });
        &mut part.deltas[place]
    }

    fn throw(&mut self, place: Thrown, one: i64, step: &str, (name, message): (&str, &str)) {
        let message = || message.chars().take(MESSAGE_MAX).collect::<String>();
        match self.thrown.entry(place) {
            Entry::Vacant(free) => {
                let (step, name) = (step.into(), name.into());
                free.insert(Threw { count: one, step, name, message: message() });
            }
            Entry::Occupied(known) => {
                let known = known.into_mut();
                known.count += one;
                // Of two at one instant one counts, whichever comes first.
                known.message = message().max(std::mem::take(&mut known.message));
            }
        }
    }

    /// Writes the sums.
    pub(super) fn write(self, writer: &Connection) -> Result<(), Fault> {
        write_runs(writer, &self.runs)?;
        write_steps(writer, &self.steps)?;
        write_thrown(writer, &self.thrown)
    }
}

fn write_runs(writer: &Connection, runs: &BTreeMap<Part, RunDelta>) -> Result<(), Fault> {
    let mut put = writer.prepare_cached(
        "INSERT INTO run_counts (flow, at, runs, failed, missing)
        VALUES (?1, ?2, max(?3, 0), max(?4, 0), max(?5, 0))
        ON CONFLICT DO UPDATE SET runs = max(runs + ?3, 0), failed = max(failed + ?4, 0),
            missing = max(missing + ?5, 0)",
    )?;
    let mut drop = writer.prepare_cached(
        "DELETE FROM run_counts WHERE flow = ?1 AND at = ?2 AND runs = 0 AND failed = 0
            AND missing = 0",
    )?;
    for ((flow, at), delta) in runs {
        let RunDelta { runs, failed, missing } = *delta;
        if *delta == RunDelta::default() {
            continue;
        }
        put.execute(params![flow, at, runs, failed, missing])?;
        if runs.min(failed).min(missing) < 0 {
            drop.execute(params![flow, at])?;
        }
    }
    Ok(())
}

fn write_steps(writer: &Connection, steps: &BTreeMap<Part, Steps>) -> Result<(), Fault> {
    let mut find = writer.prepare_cached(
        "SELECT ok, failed, skipped, missing, not_reached, first_failed, took FROM step_counts
        WHERE flow = ?1 AND at = ?2 AND step = ?3",
    )?;
    let mut put = writer.prepare_cached(
        "INSERT OR REPLACE INTO step_counts
            (flow, at, step, ok, failed, skipped, missing, not_reached, first_failed, took)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut drop = writer
        .prepare_cached("DELETE FROM step_counts WHERE flow = ?1 AND at = ?2 AND step = ?3")?;
    for ((flow, at), steps) in steps {
        for delta in steps.deltas.iter().filter(|delta| !delta.is_nothing()) {
            let step = &delta.step;
            let known = find.query_row(params![flow, at, step], |row| {
                let counts: [i64; 6] =
                    [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
                Ok((counts, Histogram::read(row.get_ref(6)?.as_blob()?)))
            });
            let (mut counts, mut took) = known.optional()?.unwrap_or_default();
            for (count, change) in counts.iter_mut().zip(delta.counts()) {
                *count = (*count + change).max(0);
            }
            delta.took.iter().for_each(|(class, change)| took.change(*class, *change));
            if counts == [0; 6] {
                drop.execute(params![flow, at, step])?;
                continue;
            }
            let [ok, failed, skipped, missing, not_reached, first_failed] = counts;
            let took = took.to_bytes();
            put.execute(params![
                flow,
                at,
                step,
                ok,
                failed,
                skipped,
                missing,
                not_reached,
                first_failed,
                took
            ])?;
        }
    }
    Ok(())
}

impl StepDelta {
    fn took(&mut self, took: Option<Duration>, one: i64) {
        if let Some(took) = took {
            *self.took.entry(class(took)).or_default() += one;
        }
    }

    fn counts(&self) -> [i64; 6] {
        let Self { ok, failed, skipped, missing, not_reached, first_failed, .. } = self;
        [*ok, *failed, *skipped, *missing, *not_reached, *first_failed]
    }

    fn is_nothing(&self) -> bool {
        self.counts() == [0; 6] && self.took.values().all(|change| *change == 0)
    }
}

fn write_thrown(writer: &Connection, thrown: &BTreeMap<Thrown, Threw>) -> Result<(), Fault> {
    let mut put = writer.prepare_cached(
        "INSERT INTO thrown (flow, fingerprint, at, run, count, message)
        VALUES (?1, ?2, ?3, ?4, max(?5, 0), ?6)
        ON CONFLICT DO UPDATE SET count = max(count + ?5, 0), message = max(message, ?6)",
    )?;
    let mut drop = writer.prepare_cached(
        "DELETE FROM thrown WHERE flow = ?1 AND fingerprint = ?2 AND at = ?3 AND run = ?4
            AND count = 0",
    )?;
    let mut groups: BTreeMap<(Part, u64), (i64, &str, &str)> = BTreeMap::new();
    for (place, threw) in thrown.iter().filter(|(_, threw)| threw.count != 0) {
        let Thrown { flow, fingerprint, at, run } = place;
        let Threw { count, step, name, message } = threw;
        let key = fingerprint.cast_signed();
        put.execute(params![flow, key, at.as_micros(), run, count, message])?;
        if *count < 0 {
            drop.execute(params![flow, key, at.as_micros(), run])?;
        }
        let part = (*flow, floor(*at, FIVE_MINUTES));
        groups.entry((part, *fingerprint)).or_insert((0, step, name)).0 += count;
    }
    let mut put = writer.prepare_cached(
        "INSERT INTO errors (flow, at, fingerprint, step, name, count)
        VALUES (?1, ?2, ?3, ?4, ?5, max(?6, 0))
        ON CONFLICT DO UPDATE SET count = max(count + ?6, 0)",
    )?;
    let mut drop = writer.prepare_cached(
        "DELETE FROM errors WHERE flow = ?1 AND at = ?2 AND fingerprint = ?3 AND count = 0",
    )?;
    for (((flow, at), fingerprint), (count, step, name)) in groups {
        let key = fingerprint.cast_signed();
        if count != 0 {
            put.execute(params![flow, at, key, step, name, count])?;
        }
        if count < 0 {
            drop.execute(params![flow, at, key])?;
        }
    }
    Ok(())
}
