//! Writing a sheet.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

use super::clock::Stamp;
use super::fact::{Fact, What};

/// The end of a sheet's name.
pub(super) const ENDING: &str = "jsonl";

/// What a process writes its sheet with.
#[derive(Debug)]
pub struct Pen {
    file: File,
    process: String,
}

impl Pen {
    /// Begins the sheet of a process in a folder.
    ///
    /// # Errors
    /// Those of the file system; [`ErrorKind::AlreadyExists`] when the process has a sheet already.
    pub fn begin(folder: &Path, process: &str) -> Result<Self> {
        let path = folder.join(format!("{process}.{ENDING}"));
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Self { file, process: process.to_owned() })
    }

    /// Writes a fact that happens now. It outlives the process from the return on.
    ///
    /// # Errors
    /// Those of the file system; [`ErrorKind::WriteZero`] when only a part was written. The ledger is
    /// void then, and the process must not go on.
    pub fn note(&self, what: What) -> Result<Stamp> {
        let fact = Fact { at: Stamp::now(), process: self.process.clone(), what };
        let mut line = serde_json::to_vec(&fact)?;
        line.push(b'\n');
        // One call: what another process sees of it is nothing or the whole line.
        let written = (&self.file).write(&line)?;
        if written < line.len() {
            let short = format!("{written} of {} bytes of a fact were written", line.len());
            return Err(Error::new(ErrorKind::WriteZero, short));
        }
        Ok(fact.at)
    }
}
