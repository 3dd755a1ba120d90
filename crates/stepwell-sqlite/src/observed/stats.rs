//! Statistics of a flow over a window, and its errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use stepwell_core::time::Timestamp;
use stepwell_telemetry::keep::{ErrorGroup, FlowStats, Part, StepStats, Window};

use super::deltas::{FIVE_MINUTES, floor};
use super::histogram::Histogram;

/// Most groups of errors that are told.
const ERRORS_MAX: i64 = 100;

/// Returns the begins of the parts of a window, the last of which has `now` in it, and its end.
fn parts(window: Window, now: Timestamp) -> (Vec<Timestamp>, Timestamp) {
    let micros = i64::try_from(window.part().as_micros()).unwrap_or(i64::MAX);
    let end = floor(now, micros).saturating_add(micros);
    let count = window.length().as_micros().div_ceil(window.part().as_micros());
    let begin = |n: i64| Timestamp::from_micros(end.saturating_sub(n.saturating_mul(micros)));
    let count = i64::try_from(count).unwrap_or(0);
    ((1..=count).rev().map(begin).collect(), Timestamp::from_micros(end))
}

/// Returns the first and the last instant of parts of five minutes that a window takes in.
fn span(window: Window, now: Timestamp) -> (i64, i64) {
    let (parts, end) = parts(window, now);
    let begin = parts.first().copied().unwrap_or(end);
    (floor(begin, FIVE_MINUTES), end.as_micros())
}

/// Returns the statistics of a flow.
pub(super) fn stats(
    connection: &Connection,
    flow: i64,
    window: Window,
    now: Timestamp,
) -> rusqlite::Result<FlowStats> {
    Ok(FlowStats {
        steps: steps(connection, flow, span(window, now))?,
        health: health(connection, flow, window, now)?,
    })
}

/// Returns the parts of a window without anything in them.
pub(super) fn nothing(window: Window, now: Timestamp) -> FlowStats {
    let health = parts(window, now).0.into_iter().map(|at| Part { at, ..Part::default() });
    FlowStats { steps: Vec::new(), health: health.collect() }
}

fn health(
    connection: &Connection,
    flow: i64,
    window: Window,
    now: Timestamp,
) -> rusqlite::Result<Vec<Part>> {
    let (_, end) = parts(window, now);
    let mut health = nothing(window, now).health;
    let Some(begin) = health.first().map(|part| part.at) else { return Ok(health) };
    let sql = "SELECT at, runs, failed, missing FROM run_counts
        WHERE flow = ?1 AND at >= ?2 AND at < ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([flow, begin.as_micros(), end.as_micros()])?;
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_micros(row.get(0)?);
        let part = at.since(begin).as_micros() / window.part().as_micros();
        let part = usize::try_from(part).ok().and_then(|part| health.get_mut(part));
        let Some(part) = part else { continue };
        part.runs += number(row.get(1)?);
        part.failed += number(row.get(2)?);
        part.missing += number(row.get(3)?);
    }
    Ok(health)
}

fn steps(
    connection: &Connection,
    flow: i64,
    (begin, end): (i64, i64),
) -> rusqlite::Result<Vec<StepStats>> {
    let sql = "SELECT step, ok, failed, skipped, missing, not_reached, first_failed, took
        FROM step_counts WHERE flow = ?1 AND at >= ?2 AND at < ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([flow, begin, end])?;
    let mut steps: BTreeMap<Arc<str>, (StepStats, Histogram)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let step: Arc<str> = row.get(0)?;
        let (stats, took) = steps.entry(Arc::clone(&step)).or_default();
        stats.step = step;
        stats.ok += number(row.get(1)?);
        stats.failed += number(row.get(2)?);
        stats.skipped += number(row.get(3)?);
        stats.missing += number(row.get(4)?);
        stats.not_reached += number(row.get(5)?);
        stats.first_failed += number(row.get(6)?);
        took.add_bytes(row.get_ref(7)?.as_blob()?);
    }
    let with_took = |(stats, took): (StepStats, Histogram)| StepStats {
        took: took.quantiles([500, 950, 990]),
        ..stats
    };
    Ok(steps.into_values().map(with_took).collect())
}

/// Returns the errors of a flow, the most frequent first.
pub(super) fn errors(
    connection: &Connection,
    flow: i64,
    window: Window,
    now: Timestamp,
) -> rusqlite::Result<Vec<ErrorGroup>> {
    let (begin, end) = span(window, now);
    let sql = "SELECT fingerprint, step, name, sum(count) AS number FROM errors
        WHERE flow = ?1 AND at >= ?2 AND at < ?3
        GROUP BY fingerprint ORDER BY number DESC, fingerprint LIMIT ?4";
    let mut groups = connection.prepare_cached(sql)?;
    let mut rows = groups.query(params![flow, begin, end, ERRORS_MAX])?;
    let last = "SELECT at, run, message FROM thrown
        WHERE flow = ?1 AND fingerprint = ?2 AND at >= ?3 AND at < ?4
        ORDER BY at DESC, run DESC LIMIT 1";
    let first = "SELECT min(at) FROM thrown
        WHERE flow = ?1 AND fingerprint = ?2 AND at >= ?3 AND at < ?4";
    let (mut first, mut last) =
        (connection.prepare_cached(first)?, connection.prepare_cached(last)?);
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let fingerprint: i64 = row.get(0)?;
        let place = [flow, fingerprint, begin, end];
        let first_at: i64 = first.query_row(place, |row| row.get(0))?;
        let (last_at, last_run, message) =
            last.query_row(place, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        found.push(ErrorGroup {
            fingerprint: fingerprint.cast_unsigned(),
            step: row.get(1)?,
            name: row.get(2)?,
            message,
            count: number(row.get(3)?),
            first_at: Timestamp::from_micros(first_at),
            last_at: Timestamp::from_micros(last_at),
            last_run,
        });
    }
    Ok(found)
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_all_its_parts_and_now_is_in_the_last() {
        let now = Timestamp::from_millis(1_795_390_276_123);
        for window in Window::ALL {
            let (parts, end) = parts(window, now);
            assert_eq!(parts.len() as u128 * window.part().as_micros(), {
                window.length().as_micros()
            });
            let last = *parts.last().unwrap();
            assert!(last <= now && now < end, "{window:?}");
            assert_eq!(last.after(window.part()), end);
            assert_eq!(end.since(parts[0]), window.length());
        }
    }
}
