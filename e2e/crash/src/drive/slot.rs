//! A process that is started again whenever it was killed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::Error;
use crate::ledger::{Pen, Target, What};

/// How a process is started.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) name: String,
    pub(super) target: Target,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// The flag that tells the process its name, which is another one after each start.
    pub(super) name_flag: Option<&'static str>,
    pub(super) log: PathBuf,
}

/// A process, the same one for the test though it has been many for the machine.
#[derive(Debug)]
pub(super) struct Slot {
    recipe: Recipe,
    child: Option<Child>,
    starts: u32,
}

impl Slot {
    /// Starts the first process.
    pub(super) fn start(recipe: Recipe) -> Result<Self, Error> {
        let mut slot = Self { recipe, child: None, starts: 0 };
        slot.spawn()?;
        Ok(slot)
    }

    fn name(&self) -> String {
        format!("{}-{}", self.recipe.name, self.starts)
    }

    fn spawn(&mut self) -> Result<(), Error> {
        self.starts += 1;
        let log = open_log(&self.recipe.log)?;
        let errors = log.try_clone().map_err(Error::io("the log is opened twice"))?;
        let mut command = Command::new(&self.recipe.program);
        command.args(&self.recipe.args);
        if let Some(flag) = self.recipe.name_flag {
            command.arg(flag).arg(self.name());
        }
        // Settings of whoever runs the test are not those of the test.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STEPWELL_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let what = format!("{} is started", self.recipe.program.display());
        self.child = Some(command.spawn().map_err(Error::io(what))?);
        Ok(())
    }

    /// Checks that the process has not ended by itself.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        let (process, log) = (self.name(), self.recipe.log.clone());
        let Some(child) = &mut self.child else { return Ok(()) };
        match child.try_wait().map_err(Error::io("a process is looked at"))? {
            None => Ok(()),
            Some(status) => {
                self.child = None;
                Err(Error::Ended { process, status: status.to_string(), log })
            }
        }
    }

    /// Kills the process with SIGKILL and notes it once it is gone.
    pub(super) fn kill(&mut self, pen: &Pen) -> Result<(), Error> {
        self.check()?;
        self.end();
        let (target, victim) = (self.recipe.target, self.name());
        pen.note(What::Kill { target, victim }).map_err(Error::io("a kill is noted"))?;
        Ok(())
    }

    /// Kills the process, does something, and starts another one at once.
    pub(super) fn kill_and_start(
        &mut self,
        pen: &Pen,
        between: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.kill(pen)?;
        between()?;
        self.spawn()
    }

    /// Ends the process, if there is one, without a word in the ledger.
    pub(super) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // By its id, which is ours until it is waited for. It may have ended meanwhile.
            let _ended = child.kill();
            let _ended = child.wait();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.end();
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    let what = format!("{} is opened", path.display());
    OpenOptions::new().append(true).create(true).open(path).map_err(Error::io(what))
}
