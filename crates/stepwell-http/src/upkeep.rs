//! What has to be done for keys and namespaces from time to time: notes of when keys were used, runs of
//! namespaces that were deleted, counts of addresses that have been quiet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stepwell_access::Keyring;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_driver::Handle;
use stepwell_node::Signed;
use stepwell_store::Store;
use stepwell_store::query::{EventList, Filter};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::gate::{self, Keys, Throttle};
use crate::observe::Observed;
use crate::problem::Problem;

/// Pause between looks.
const EVERY: Duration = Duration::from_mins(1);

/// Pause between portions while there is more to end, so that work of others comes first.
const BREATH: Duration = Duration::from_millis(100);

/// Runs ended in one portion.
const PORTION: usize = 100;

/// How long a namespace is closed before it is forgotten, at least.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// How long a list waits for what is not in tables yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// The loop that does it.
#[derive(Debug)]
pub(crate) struct Upkeep {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    throttles: Arc<Mutex<Vec<Throttle>>>,
}

/// What is stored of a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Runs that have not ended.
    pub(crate) active: u64,
    /// Runs that have ended.
    pub(crate) ended: u64,
    /// There are events or workflows.
    pub(crate) others: bool,
    /// There are flows, observed or declared.
    pub(crate) flows: bool,
    /// Not everything that was written is counted.
    pub(crate) stale: bool,
}

impl Left {
    /// Tells whether it is certain that nothing is stored.
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Tells whether it is certain that there are no runs, and nothing was observed.
    pub(crate) fn has_no_runs(self) -> bool {
        self.active == 0 && self.ended == 0 && !self.flows && !self.stale
    }
}

/// Tells what is stored of a namespace.
pub(crate) async fn left(
    node: &Handle,
    observed: Option<&Observed>,
    namespace: Arc<str>,
) -> Result<Left, Problem> {
    let flows = match observed {
        Some(observed) => observed.has_flows(&namespace).await?,
        None => false,
    };
    let look = move |store: &dyn Store| {
        let filter = Filter { namespace: Arc::clone(&namespace), limit: 1, ..Filter::default() };
        let counts = store.counts(&filter, PATIENCE)?;
        let mut left = Left { flows, stale: counts.stale, ..Left::default() };
        for (status, count) in counts.counts {
            *(if status.is_ended() { &mut left.ended } else { &mut left.active }) += count.runs;
        }
        let list = EventList {
            namespace: Arc::clone(&namespace),
            name: None,
            from: Timestamp::MIN,
            newest: true,
        };
        left.others = !store.events_list(&list, None, 1)?.is_empty()
            || store.workflows()?.iter().any(|one| one.namespace == namespace);
        Ok(left)
    };
    Ok(node.read(look).await?)
}

impl Upkeep {
    /// Starts the loop.
    pub(crate) fn start(keys: Keys, node: Handle, observed: Option<Observed>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let throttles = Arc::new(Mutex::new(Vec::new()));
        let tidied = Arc::clone(&throttles);
        let running = tokio::spawn(async move {
            let mut changed = keys.watch();
            loop {
                changed.borrow_and_update();
                let pause =
                    if end_closed(&keys, &node, observed.as_ref()).await { BREATH } else { EVERY };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = changed.changed() => {}
                    _ = &mut stopped => break,
                }
                for throttle in tidied.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    Throttle::tidy(throttle);
                }
                note_uses(&keys).await;
            }
            note_uses(&keys).await;
        });
        Self { stop, running, throttles }
    }

    /// Has a throttle forget what is over, too.
    pub(crate) fn watch(&self, throttle: Throttle) {
        self.throttles.lock().unwrap_or_else(PoisonError::into_inner).push(throttle);
    }

    /// Returns the throttles that it watches, to change them.
    pub(crate) fn throttles(&self) -> Arc<Mutex<Vec<Throttle>>> {
        Arc::clone(&self.throttles)
    }

    /// Ends the loop after what it is at.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the upkeep of keys panicked");
        }
    }
}

async fn note_uses(keys: &Keys) {
    if let Err(problem) = keys.ask(Keyring::note_uses).await {
        tracing::warn!(detail = problem.detail, "when keys were used could not be noted");
    }
}

/// Ends runs of namespaces that were deleted, and forgets those of which nothing is left. Tells whether
/// there is more to do at once.
async fn end_closed(keys: &Keys, node: &Handle, observed: Option<&Observed>) -> bool {
    let mut more = false;
    for namespace in keys.keyring().namespaces() {
        let Some(closed_at) = namespace.closed_at else { continue };
        let name = Arc::clone(&namespace.name);
        match end_portion(keys, (node, observed), (&name, closed_at)).await {
            Ok(unfinished) => more |= unfinished,
            Err(problem) => {
                let detail = problem.detail;
                tracing::warn!(
                    detail,
                    namespace = %name,
                    "runs of a deleted namespace could not be ended"
                );
            }
        }
    }
    more
}

async fn end_portion(
    keys: &Keys,
    (node, observed): (&Handle, Option<&Observed>),
    (name, closed_at): (&Arc<str>, Timestamp),
) -> Result<bool, Problem> {
    let statuses = RunStatus::ALL.into_iter().filter(|status| !status.is_ended()).collect();
    let namespace = Arc::clone(name);
    let filter = Filter { namespace, statuses, limit: PORTION, ..Filter::default() };
    let page = node.read(move |store| store.query(&filter, PATIENCE)).await?;
    for run in &page.runs {
        let signed = Signed {
            by: Some("stepwell".into()),
            reason: Some("its namespace was deleted".into()),
        };
        // A run that has ended meanwhile, or that is damaged, is no reason to leave the others.
        if let Err(error) =
            node.operate(Arc::clone(name), run.id, Operation::Terminate, signed).await
        {
            let detail = error.detail;
            tracing::debug!(namespace = %name, run_id = %run.id, detail, "a run could not be ended");
        }
    }
    if !page.runs.is_empty() || page.stale {
        return Ok(true);
    }
    // What was under way when it was closed has come to its end.
    let is_still = gate::now().since(closed_at) >= LAST_STEPS;
    if !is_still {
        return Ok(false);
    }
    if let Some(observed) = observed {
        observed.forget(name).await?;
    }
    if left(node, observed, Arc::clone(name)).await?.is_nothing() {
        let name = Arc::clone(name);
        keys.ask(move |keyring| keyring.forget_namespace(&name)).await?;
    }
    Ok(false)
}
