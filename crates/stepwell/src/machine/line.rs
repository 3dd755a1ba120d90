//! Lines that code logs.

use crate::moment::Moment;

/// How loud a line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line that code logged.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) step: Option<usize>,
    pub(crate) at: Moment,
    pub(crate) level: Level,
    pub(crate) message: String,
}
