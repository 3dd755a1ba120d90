//! Errors as people see them: `error[SW2001]: what is wrong and what is accepted`.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 the server cannot be reached,
//! 4 the run that was waited for did not complete.

use std::fmt;
use std::process::ExitCode;

use stepwell_core::code::Code;

use stepwell_http::problem::Problem;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request or the configuration is not accepted, or the server refused it.
    Refused(Problem),
    /// The server said no in its own words, with its own code.
    Answered { code: String, detail: String },
    /// The command line is not understood, beyond what clap checks.
    Usage(String),
    /// The server cannot be reached.
    Unreachable(String),
    /// The run ended otherwise than completed; it has been shown.
    NotCompleted,
    /// Something of the machine failed.
    Machine(String),
}

impl Fault {
    pub(crate) fn refused(code: Code, detail: impl Into<String>) -> Self {
        Self::Refused(Problem::new(code, detail))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) | Self::Answered { .. } | Self::Machine(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::NotCompleted => 4,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => write!(f, "error[{}]: {}", problem.code, problem.detail),
            Self::Answered { code, detail } => write!(f, "error[{code}]: {detail}"),
            Self::Usage(text) | Self::Unreachable(text) | Self::Machine(text) => {
                write!(f, "error: {text}")
            }
            Self::NotCompleted => Ok(()),
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<crate::server::Error> for Fault {
    fn from(error: crate::server::Error) -> Self {
        Self::refused(error.code(), error.to_string())
    }
}

impl From<crate::config::Error> for Fault {
    fn from(error: crate::config::Error) -> Self {
        Self::refused(Code::ConfigInvalid, error.to_string())
    }
}

impl From<crate::logs::Error> for Fault {
    fn from(error: crate::logs::Error) -> Self {
        Self::refused(Code::ConfigInvalid, error.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Machine(error.to_string())
    }
}
