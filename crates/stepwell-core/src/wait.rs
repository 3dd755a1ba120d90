//! The rows under which events find parked waits, derived from the state of a run.

use alloc::sync::Arc;

use crate::id::RunId;
use crate::matching::Leaf;
use crate::run::Run;
use crate::time::Timestamp;

/// A parked wait, as an event finds it (§8.8). Waits are ordered by leaf, then run, then step.
///
/// Derived: [`Wait::all_of`] gives the waits of a run back at any time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// Where it is filed among the waits on its event.
    pub leaf: Leaf,
    /// The run that waits.
    pub run: RunId,
    /// The id of the step that waits.
    pub step: Arc<str>,
    /// The namespace of the run.
    pub namespace: Arc<str>,
    /// The app of the run; an event may be for one app only.
    pub app: Arc<str>,
    /// The name of the event that it waits for.
    pub event: Arc<str>,
    /// Its match, as JSON; absent when every event of the name will do.
    pub wanted: Option<Arc<str>>,
    /// Events that were accepted before this instant do not count (§8.4).
    pub from: Timestamp,
}

impl Wait {
    /// Returns the parked waits of a run.
    pub fn all_of(run: &Run) -> Arc<[Self]> {
        let parked = run.parked_steps().filter_map(|step| step.parked.as_ref());
        parked.map(|parked| parked.wait.clone()).collect()
    }
}
