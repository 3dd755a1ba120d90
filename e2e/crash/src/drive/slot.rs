//! A process that is started again whenever it was killed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

use crate::error::Error;
use crate::ledger::{Pen, Target, What};

/// How a process is started.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The flag that tells the process its name, which is another one after each start.
    pub(crate) name_flag: Option<&'static str>,
    pub(crate) log: PathBuf,
}

/// A process, the same one for the test though it has been many for the machine.
#[derive(Debug)]
pub(crate) struct Slot {
    recipe: Recipe,
    child: Option<Child>,
    starts: u32,
}

impl Slot {
    /// Starts the first process.
    pub(crate) fn start(recipe: Recipe) -> Result<Self, Error> {
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
    pub(crate) fn check(&mut self) -> Result<(), Error> {
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

    /// Starts the process again where it has ended by itself.
    pub(crate) fn revive(&mut self) -> Result<(), Error> {
        match self.check() {
            Err(Error::Ended { .. }) => self.spawn(),
            checked => checked,
        }
    }

    /// Kills the process with SIGKILL and notes it once it is gone.
    pub(crate) fn kill(&mut self, pen: &Pen) -> Result<(), Error> {
        self.check()?;
        self.end();
        let (target, victim) = (self.recipe.target, self.name());
        pen.note(What::Kill { target, victim }).map_err(Error::io("a kill is noted"))?;
        Ok(())
    }

    /// Kills the process, does something, and starts another one at once.
    pub(crate) fn kill_and_start(
        &mut self,
        pen: &Pen,
        between: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.kill(pen)?;
        between()?;
        self.spawn()
    }

    /// Starts the process again where it has ended.
    pub(crate) fn start_again(&mut self) -> Result<(), Error> {
        if self.child.is_some() { Ok(()) } else { self.spawn() }
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        self.check()?;
        let id = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        let Some(id) = id.and_then(Pid::from_raw) else { return Ok(()) };
        let sent = rustix::process::kill_process(id, signal);
        sent.map_err(|error| Error::io("a process is sent a signal")(error.into()))
    }

    /// Tells whether the process, which was told to stop, has.
    pub(crate) fn has_stopped(&mut self) -> Result<bool, Error> {
        let Some(child) = &mut self.child else { return Ok(true) };
        let ended = child.try_wait().map_err(Error::io("a process is looked at"))?;
        let Some(status) = ended else { return Ok(false) };
        self.child = None;
        if status.success() {
            return Ok(true);
        }
        let (process, log) = (self.name(), self.recipe.log.clone());
        Err(Error::Ended { process, status: status.to_string(), log })
    }

    /// Ends the process, if there is one, without a word in the ledger.
    pub(crate) fn end(&mut self) {
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
