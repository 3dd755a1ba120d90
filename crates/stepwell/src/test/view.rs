//! What a test sees of runs and steps.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::step_id;
use stepwell_core::view::{StepView, View};

use super::harness::Shared;
use crate::client::Shown;
use crate::error::{Error, Result};
use crate::json;

/// A run of a [`Test`](super::Test). Cheap to clone.
///
/// Not to be asked inside of workflows and their functions: the test that moves them holds it then.
#[derive(Clone)]
pub struct TestRun {
    world: Shared,
    id: RunId,
}

/// A step as its run's journal has it.
#[derive(Clone, Debug)]
pub struct TestStep {
    /// Its id; of steps that the engine makes, such as `compensate charge` and `onFailure`.
    pub id: String,
    /// What it is made by.
    pub kind: Kind,
    /// Where it stands.
    pub status: StepStatus,
    /// How many attempts its function had, lost ones included.
    pub attempts: usize,
    /// Why it failed: the recorded name and message.
    pub error: Option<String>,
    /// The child run that it invoked.
    pub child: Option<RunId>,
    output: Option<Box<RawValue>>,
    input: Option<Box<RawValue>>,
}

impl TestRun {
    pub(super) fn new(world: Shared, id: RunId) -> Self {
        Self { world, id }
    }

    /// Returns the run's id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Returns where the run stands (§3.2).
    ///
    /// # Errors
    /// [`Connection`](crate::ErrorKind::Connection) when the test's node has stopped.
    pub fn status(&self) -> Result<RunStatus> {
        self.look(|view| Ok(view.status))
    }

    /// Reads what the run's handler returned.
    ///
    /// # Errors
    /// [`RunFailed`](crate::ErrorKind::RunFailed), [`RunCancelled`](crate::ErrorKind::RunCancelled) or
    /// [`RunTimedOut`](crate::ErrorKind::RunTimedOut) as the run ended;
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout) when it has not.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T> {
        if let Some(id) = self.look(|view| Ok(view.continued_as))? {
            // §2.3: a chain ends with its last run.
            return Self { world: self.world.clone(), id }.output();
        }
        self.look(|view| {
            if !view.status.is_ended() {
                return Err(Error::wait_timeout(unended(view)));
            }
            let error = view.error.as_ref().map(serde_json::value::to_raw_value);
            let error = error.transpose().map_err(Error::new)?;
            Shown::new(view.status, view.output.map(ToOwned::to_owned), error).output_of(self.id)
        })
    }

    /// Returns the run's steps, by start and then position (§3.5).
    ///
    /// # Errors
    /// [`Connection`](crate::ErrorKind::Connection) when the test's node has stopped.
    pub fn steps(&self) -> Result<Vec<TestStep>> {
        self.look(|view| Ok(view.steps.iter().map(TestStep::of).collect()))
    }

    /// Returns a step.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when the run has no such step; it names those that it
    /// has.
    pub fn step(&self, id: &str) -> Result<TestStep> {
        let steps = self.steps()?;
        let names: Vec<String> = steps.iter().map(|step| format!("`{}`", step.id)).collect();
        steps.into_iter().find(|step| step.id == id).ok_or_else(|| {
            let text = format!("run {} has no step `{id}`; it has {}", self.id, names.join(", "));
            Error::argument(text)
        })
    }

    /// Returns the run's journal as a JSON array of records: what [`replay`](super::replay) takes.
    ///
    /// # Errors
    /// [`Connection`](crate::ErrorKind::Connection) when the test's node has stopped.
    pub fn journal(&self) -> Result<String> {
        let bytes = self.bytes()?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(format!("[{}]", text.trim_end_matches(',')))
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let world = self.world.lock();
        world.check()?;
        let journal = world.host.journal(self.id).map_err(Error::new)?;
        journal.ok_or_else(|| Error::argument(format!("there is no run {}", self.id)))
    }

    fn look<T>(&self, look: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let journal = self.bytes()?;
        look(&View::of(self.id, &journal).map_err(Error::new)?)
    }
}

fn unended(view: &View<'_>) -> String {
    let open = view.steps.iter().filter(|step| !step.status.is_ended());
    let open: Vec<String> =
        open.map(|step| format!("step `{}` is {}", step.id, step.status)).collect();
    let open = if open.is_empty() { String::new() } else { format!(": {}", open.join(", ")) };
    format!("run {} has not ended, it is {}{open}", view.id, view.status)
}

fn sentence(error: &Failure<'_>) -> String {
    format!("{}: {}", error.name, error.message)
}

impl TestStep {
    fn of(step: &StepView<'_>) -> Self {
        Self {
            id: step_id::spelled(&step.id).into_owned(),
            kind: step.kind,
            status: step.status,
            attempts: step.attempts.len(),
            error: step.error.as_ref().map(sentence),
            child: step.child.as_ref().map(|child| child.run),
            output: step.output.map(ToOwned::to_owned),
            input: step.input.map(ToOwned::to_owned),
        }
    }

    /// Reads the step's recorded input (§3.4).
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        json::decode(|| format!("the input of step `{}`", self.id), self.input.as_deref())
    }

    /// Reads the step's result.
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T> {
        json::decode(|| format!("the result of step `{}`", self.id), self.output.as_deref())
    }

    pub(super) fn output_text(&self) -> &str {
        self.output.as_deref().map_or("null", RawValue::get)
    }
}

impl fmt::Debug for TestRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRun").field("id", &self.id).finish_non_exhaustive()
    }
}
