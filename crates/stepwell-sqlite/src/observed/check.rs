//! Reading everything and telling what is damaged.

use std::path::Path;

use rusqlite::Connection;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_telemetry::record::Record;
use stepwell_telemetry::row::Row;
use stepwell_telemetry::set::Set;

use super::fault::Fault;
use super::store::FOLDER;
use super::{TABLES, flows, row};
use crate::disk::OsDisk;
use crate::doctor::Problem;
use crate::folder::{self, Found, OBSERVED};
use crate::log::{Settings, recover};
use crate::options::SEGMENT_MIN;
use crate::tables::{self, Place};

/// Reads the log and the tables of observed runs in a data folder that the caller owns, and holds each row
/// against the events that it is made of. Nobody has them open. Changes nothing.
///
/// # Errors
/// [`Error::Format`] when they are of a later version; [`Error::Unavailable`] when something cannot be read at
/// all. Damage is no error.
pub fn verify(data: &Path) -> Result<Vec<Problem>, Error> {
    let folder = data.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let disk = OsDisk::new(&folder);
    let Found::Store { id, .. } = folder::look(&disk, &OBSERVED)? else { return Ok(Vec::new()) };
    let tables = Place::File(folder.join(TABLES)).connect()?;
    let mut found = tables::integrity(&tables)?;
    let position = tables::position(&tables)?;
    let settings = Settings { store: id, segment_bytes: SEGMENT_MIN, reserve_bytes: 0 };
    match recover::verify(&disk, &settings, position) {
        Ok(_) => {}
        Err(Error::Corrupt(what)) => found.push(what),
        Err(error) => return Err(error),
    }
    found.extend(rows(&tables)?);
    let told = |what| Problem { run: None, what: format!("observed runs: {what}") };
    Ok(found.into_iter().map(told).collect())
}

/// Holds each row against its events.
fn rows(tables: &Connection) -> Result<Vec<String>, Fault> {
    let mut problems = Vec::new();
    let mut events = tables.prepare("SELECT encoded FROM records WHERE run = ?1")?;
    let mut runs = tables.prepare(&format!("SELECT {}, declaration FROM runs", row::READ))?;
    let mut runs = runs.query([])?;
    while let Some(found) = runs.next()? {
        let (flow, listed) = row::read(found, Timestamp::MIN)?;
        let declaration: i64 = found.get("declaration")?;
        let run = &listed.run;
        let encoded = events.query_row([listed.place.n], |row| row.get::<_, Vec<u8>>(0));
        let Some(flow) = flows::of_id(tables, flow)? else {
            problems.push(format!("{run} is of no flow"));
            continue;
        };
        let encoded = encoded.unwrap_or_default();
        let Some(set) = Set::read(&encoded).filter(|set| !set.is_empty()) else {
            problems.push(format!("the events of {run} do not read"));
            continue;
        };
        let wanted = Row::of(&Record::of(&set), flow.declared.as_deref());
        // One that was judged by an earlier declaration is judged anew later.
        if flow.declaration == declaration && wanted.as_ref() != Some(&listed.row) {
            problems.push(format!("the row of {run} is not that of its events"));
        }
    }
    Ok(problems)
}
