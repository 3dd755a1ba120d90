//! Making bundles, line by line: whoever sends one need not hold it.

use serde::Serialize;
use stepwell_core::id::RunId;
use stepwell_core::record::{DecodeError, decode_at};
use stepwell_core::run::{ReplayError, Run, flat};
use stepwell_core::time::Timestamp;

use super::VERSION;
use super::line::{EndLine, Hash, Head, Line, NAME, RunLine, SkippedLine};

/// Returns the first line of a bundle that a server of the version `by` writes.
pub fn head(by: &str, at: Timestamp) -> Vec<u8> {
    let (stepwell, by) = (NAME.to_owned(), by.to_owned());
    text(&Head { stepwell, version: VERSION, by, at: at.to_string() })
}

/// Returns the lines of a run.
///
/// # Errors
/// [`ReplayError`] when the journal is not that of a run: then it is left out, and [`skipped`] says so.
pub fn run(id: RunId, journal: &[u8]) -> Result<Vec<u8>, ReplayError> {
    let run = Run::replay(id, journal)?;
    let journal = flat(journal);
    let mut lines = Vec::with_capacity(journal.len());
    let (mut hash, mut records, mut begins) = (Hash::of(id), 0, 0);
    for found in decode_at(&journal) {
        let (ends, _) = found.map_err(|error: DecodeError| ReplayError::from(error))?;
        let record = journal.get(begins..ends.saturating_sub(1)).unwrap_or_default();
        hash.line(record);
        lines.extend_from_slice(record);
        lines.push(b'\n');
        (begins, records) = (ends, records + 1);
    }
    let mut all = text(&Line::Run(RunLine {
        id,
        app: run.app().to_string(),
        workflow: run.workflow().to_string(),
        status: run.status().to_string(),
        records,
        bytes: journal.len(),
        sha256: hash.hex(),
    }));
    all.append(&mut lines);
    Ok(all)
}

/// Returns the line that says why a run is not there.
pub fn skipped(run: RunId, why: &str) -> Vec<u8> {
    text(&Line::Skipped(SkippedLine { run, why: why.to_owned() }))
}

/// Returns the last line.
pub fn end(runs: u64, skipped: u64) -> Vec<u8> {
    text(&Line::End(EndLine { runs, skipped }))
}

fn text(line: &impl Serialize) -> Vec<u8> {
    let written = serde_json::to_vec(line);
    debug_assert!(written.is_ok(), "lines hold texts and numbers only");
    let mut written = written.unwrap_or_default();
    written.push(b'\n');
    written
}
