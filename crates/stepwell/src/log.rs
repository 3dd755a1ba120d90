//! Logs of handlers and steps (§2.2, §2.3).

use std::fmt;
use std::sync::Arc;

use crate::machine::{Cell, Level};

/// Takes lines that are kept with the run: with the step where a step's function logs them.
///
/// Lines are also events of the `tracing` crate under the target `stepwell`.
#[derive(Clone)]
pub struct Log {
    cell: Arc<Cell>,
    step: Option<usize>,
}

impl Log {
    pub(crate) fn new(cell: Arc<Cell>, step: Option<usize>) -> Self {
        Self { cell, step }
    }

    /// Logs what is of interest to somebody who looks for a fault.
    pub fn debug(&self, message: impl fmt::Display) {
        self.line(Level::Debug, &message);
    }

    /// Logs what happens.
    pub fn info(&self, message: impl fmt::Display) {
        self.line(Level::Info, &message);
    }

    /// Logs what is not as it should be.
    pub fn warn(&self, message: impl fmt::Display) {
        self.line(Level::Warn, &message);
    }

    /// Logs what went wrong.
    pub fn error(&self, message: impl fmt::Display) {
        self.line(Level::Error, &message);
    }

    fn line(&self, level: Level, message: &dyn fmt::Display) {
        self.cell.log(self.step, level, message.to_string());
        self.cell.notify_from_code();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("run", &self.cell.info.run).finish_non_exhaustive()
    }
}
