//! Where tests see functions begin and end, and stand in for them (feature `test`).

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::plan::Plan;
use crate::error::Error;
use crate::json;
use crate::machine::{Cell, Outcome};
use crate::session::Begins;
use crate::test::Call;

/// What is to happen where a function would be called.
pub(super) enum Begin {
    /// Call it.
    Call,
    /// It is as if it had ended so.
    Ends(Outcome),
    /// Its process is dead.
    Never,
}

/// A function that is seen from another thread.
pub(super) struct Seen {
    cell: Arc<Cell>,
    step: Arc<str>,
}

impl Seen {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { cell: plan.ctx.cell().clone(), step: plan.id.clone() }
    }

    pub(super) fn ended(&self, n: u32) {
        if let Some(watch) = &self.cell.shared.watch {
            watch.ended(self.cell.info.run, &self.step, n);
        }
    }
}

impl Plan {
    /// Asks what is to happen where a function that gives `T` would be called.
    pub(super) fn begins<T: DeserializeOwned>(&self, n: u32) -> Begin {
        let cell = self.ctx.cell();
        let (Some(watch), Some(place)) = (&cell.shared.watch, self.place()) else {
            return Begin::Call;
        };
        let (input, once) = {
            let core = cell.lock();
            let step = &core.steps[place];
            let details = step.details.as_deref();
            (details.and_then(|details| details.input.clone()), step.once.is)
        };
        let (run, workflow) = (cell.info.run, cell.info.workflow.clone());
        let call = Call { run, workflow, step: self.id.clone(), attempt: n, input, once };
        match watch.begins(call) {
            Begins::Call => Begin::Call,
            Begins::Ends(outcome) => Begin::Ends(self.checked::<T>(outcome)),
            Begins::Never => Begin::Never,
        }
    }

    /// A mock's result has to read as the function's: the step fails where it does not.
    fn checked<T: DeserializeOwned>(&self, outcome: Outcome) -> Outcome {
        let Outcome::Returned(output) = &outcome else { return outcome };
        let what = || format!("what the mock of step `{}` gave", self.id);
        match json::decode::<T>(what, output.as_deref()) {
            Ok(_) => outcome,
            Err(error) => Outcome::of_error(&Error::terminal(error.to_string())),
        }
    }

    pub(super) fn ended(&self, n: u32) {
        Seen::of(self).ended(n);
    }
}
