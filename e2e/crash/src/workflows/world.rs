//! What the code of the workflows has beside its run.

use std::io::{Result, Write as _};
use std::path::Path;

use super::bank::Bank;
use crate::ledger::{Pen, What};

/// The exit code of a runner that cannot write its ledger.
const NO_LEDGER: i32 = 70;

/// The ledger, and the world outside.
#[derive(Debug)]
pub struct World {
    pen: Pen,
    pub(super) bank: Bank,
    /// The name of this process.
    pub(super) process: String,
}

impl World {
    /// Begins the sheet of a process in the folder of a ledger, and opens the bank beside it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(ledger: &Path, process: &str) -> Result<Self> {
        let (pen, bank) = (Pen::begin(ledger, process)?, Bank::open(&ledger.join("bank"))?);
        Ok(Self { pen, bank, process: process.to_owned() })
    }

    /// Notes a fact. A process that cannot do so must not go on: what it does would not be judged.
    pub(super) fn note(&self, what: What) {
        if let Err(error) = self.pen.note(what) {
            let _gone = writeln!(std::io::stderr(), "the ledger cannot be written: {error}");
            std::process::exit(NO_LEDGER);
        }
    }
}
