//! What clients have before them: the server, the app, and a sheet of the ledger.

use std::time::Duration;

use crate::client::{Api, Failure};
use crate::error::Error;
use crate::ledger::Pen;
use crate::plan::WORKFLOWS;

/// How long a server and its runners have to be ready.
const READY: Duration = Duration::from_secs(30);

/// What clients have before them.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) api: Api,
    pub(crate) app: &'static str,
    pub(crate) pen: Pen,
}

impl Desk {
    /// Waits until the workflows are registered, and checks meanwhile.
    pub(crate) fn await_workflows(
        &self,
        check: impl Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.api.insist("a server with workflows was due", READY, |api| {
            check().map_err(Failure::Refused)?;
            if api.has_workflows(&WORKFLOWS)? {
                return Ok(());
            }
            Err(Failure::Away("the workflows are not registered".into()))
        })
    }
}

/// How many clients there are, and what they do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) clients: u64,
    /// How many runs all clients start in a second, at most.
    pub(crate) rate: u64,
    /// They cancel runs and try what has to be refused, which a server that forgets does otherwise.
    pub(crate) honest: bool,
}
