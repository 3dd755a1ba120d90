//! Runners as commands, in the languages that there are SDKs for.

use std::process::{Child, Command, ExitStatus, Stdio};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Fault;

/// The runner for Node: it takes the npm package `stepwell` from where it is started.
const ON_NODE: &str = include_str!("runner.mjs");

/// What a runner is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Program {
    /// Rust, in this binary
    #[default]
    Rust,
    /// TypeScript's SDK on Node
    Node,
}

impl Program {
    /// Starts a runner of an app.
    pub(super) fn start(self, url: &str, app: &str) -> Result<Child, Fault> {
        let mut command = match self {
            Self::Rust => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench-runner", "--url", url, "--app", app]);
                command
            }
            Self::Node => {
                let mut command = Command::new("node");
                command.args(["--input-type=module", "--eval", ON_NODE, "--", url, app]);
                command
            }
        };
        // The runner ends when this end of it is gone, however this process ended.
        let started = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        started.map_err(|error| {
            Fault::Machine(format!("cannot start the runner: {error}{}", self.needs()))
        })
    }

    /// Tells what is wrong with a runner that ended before it was told to.
    pub(super) fn ended(self, status: ExitStatus) -> Fault {
        Fault::Machine(format!("the runner ended by itself, {status}{}", self.needs()))
    }

    /// Returns what runners are called that are measured.
    pub(super) fn text(self) -> Result<String, Fault> {
        match self {
            Self::Rust => Ok("rust".to_owned()),
            Self::Node => {
                let version = Command::new("node").arg("--version").output()?;
                Ok(format!("node {}", String::from_utf8_lossy(&version.stdout).trim()))
            }
        }
    }

    fn needs(self) -> &'static str {
        match self {
            Self::Rust => "",
            Self::Node => {
                "; it needs `node` on the PATH, and the npm package `stepwell` installed in this folder"
            }
        }
    }
}
