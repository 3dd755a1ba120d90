//! What runs need of a runner.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_store::query::Queue;

use crate::dispatch::Slot;
use crate::node::Node;
use crate::session::{Session, Sessions};

/// What a run needs that not every runner with its workflow gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) queue: Queue,
    /// The name of the runner that it is pinned to.
    runner: Option<Arc<str>>,
    /// It is suspected of crashing its runner (§4.4).
    pub(crate) alone: bool,
    /// The build that could not go on with it (§4.10).
    shuns: Option<Arc<str>>,
}

/// A need as it is at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants<'a> {
    runner: Option<&'a Arc<str>>,
    shuns: Option<&'a Arc<str>>,
}

impl Wants<'_> {
    /// Tells whether a runner may have the run, should it have a slot.
    pub(crate) fn accept(&self, session: &Session) -> bool {
        self.runner.is_none_or(|name| *name == session.name)
            && self.shuns.is_none_or(|build| session.build.as_ref() != Some(build))
    }
}

impl Need {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            queue: queue_of(run),
            runner: run.pinned_runner().cloned(),
            alone: run.must_be_alone(),
            shuns: run.shunned_build().cloned(),
        }
    }

    /// Tells whether a runner that could ever have the run is connected.
    pub(crate) fn has_any(&self, sessions: &Sessions) -> bool {
        let wants = self.wants(sessions);
        sessions.any(&self.queue, |session| wants.accept(session))
    }

    /// A build is shunned only as long as there are runners with another: where there are none, the
    /// run shows by being blocked again what it waits for.
    pub(crate) fn wants(&self, sessions: &Sessions) -> Wants<'_> {
        let all = Wants { runner: self.runner.as_ref(), shuns: self.shuns.as_ref() };
        let other = self.shuns.is_some() && sessions.any(&self.queue, |one| all.accept(one));
        Wants { shuns: all.shuns.filter(|_| other), ..all }
    }
}

/// Returns the queue of a run.
pub(crate) fn queue_of(run: &Run) -> Queue {
    Queue {
        namespace: run.namespace().clone(),
        app: run.app().clone(),
        workflow: run.workflow().clone(),
    }
}

impl Node {
    /// Says what a run needs that this slot does not give.
    pub(crate) fn unmet_need(&self, id: RunId, slot: Slot) -> Option<Need> {
        let need = Need::of(self.hot.run(id)?);
        let wants = need.wants(&self.sessions);
        let met = wants.accept(self.sessions.get(slot.session)?) && (slot.alone || !need.alone);
        (!met).then_some(need)
    }

    /// Tells whether the slot's runner got a run meanwhile beside which this one may not be (§4.4).
    pub(crate) fn has_company(&self, id: RunId, slot: Slot) -> bool {
        self.sessions.get(slot.session).is_some_and(|session| {
            let suspect = session.alone.filter(|alone| *alone != id);
            let beside = suspect.is_some_and(|one| session.held.values().any(|held| *held == one));
            beside || slot.alone && session.used > 1
        })
    }

    /// §9.9: a runner with the version that began the run is preferred, where one has a slot.
    pub(crate) fn same_version(&mut self, id: RunId, slot: Slot) -> Slot {
        let Some(run) = self.hot.run(id) else {
            return slot;
        };
        let Some(version) = run.started_version().filter(|_| !slot.alone) else {
            return slot;
        };
        if self.sessions.version(slot.session, run.workflow()).as_ref() == Some(version) {
            return slot;
        }
        let need = Need::of(run);
        let wants = need.wants(&self.sessions);
        let accepts = |session: &Session| wants.accept(session);
        let Some(session) = self.sessions.pick_version(&need.queue, accepts, version) else {
            return slot;
        };
        let better = Slot { session, alone: false };
        self.keep_slot(better);
        self.free_slot(slot);
        better
    }
}
