//! A shared store under test, and what cases do with it.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::super::script::{Script, Start};
use super::harness::SharedHarness;
use crate::batch::Batch;
use crate::error::Error;
use crate::event::{Event, EventId, EventWrite, Scope};
use crate::query::Queue;
use crate::shared::{Away, Claim, Crew, Release, Share, Shared};
use crate::store::{Position, Store};

/// Most that cases ask for where they want everything.
pub(super) const ALL: usize = 1_000;

/// A database under test. Instants that cases write have nothing to do with what its clock shows.
pub(super) struct Cluster<'h> {
    harness: &'h mut dyn SharedHarness,
    now: Timestamp,
    salt: u64,
}

/// A member of it.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) store: Arc<dyn Store>,
}

impl<'h> Cluster<'h> {
    pub(super) fn new(harness: &'h mut dyn SharedHarness) -> Self {
        harness.open();
        Self { harness, now: Timestamp::from_millis(1_795_000_000_000), salt: 0 }
    }

    pub(super) fn join(&mut self, node: &str) -> Node {
        Node { store: self.harness.join(node) }
    }

    /// Lets the database's time pass. A member of `stay` renews its lease often enough.
    pub(super) fn pass(&mut self, time: Duration, stay: &[&Node]) {
        let mut left = time;
        while !left.is_zero() {
            let terms = stay.iter().map(|node| {
                let lease = node.shared().renew().unwrap();
                lease.until.since(lease.now)
            });
            let step = terms.min().map_or(left, |term| left.min(term / 3));
            self.harness.pass(step);
            left -= step;
        }
    }

    /// Lets the leases of all run out but those of `stay`.
    pub(super) fn lapse(&mut self, of: &Node, stay: &[&Node]) {
        let lease = of.shared().lease();
        self.pass(lease.until.since(lease.now) + Duration::from_millis(1), stay);
    }

    /// Returns an instant, a second behind the last one.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.now = self.now.after(Duration::from_secs(1));
        self.now
    }

    /// Begins a run, which is not stored yet.
    pub(super) fn start(&mut self, start: Start<'_>) -> Script {
        self.salt += 1;
        let at = self.tick();
        Script::new(at, self.salt, start)
    }

    /// Begins a run of the default workflow and stores it. It is the member's.
    pub(super) fn put(&mut self, node: &Node, go_on: impl Fn(&mut Script)) -> Script {
        let mut script = self.start(Start::default());
        go_on(&mut script);
        self.write(node, &mut script, Share::default()).unwrap();
        script
    }

    /// The same, of a run that is free then.
    pub(super) fn put_free(&mut self, node: &Node, go_on: impl Fn(&mut Script)) -> Script {
        let script = self.put(node, go_on);
        self.release(node, &script, None);
        script
    }

    /// Commits what is new of a run.
    pub(super) fn write(
        &mut self,
        node: &Node,
        script: &mut Script,
        share: Share,
    ) -> Result<Position, Error> {
        let at = self.tick();
        let runs = vec![script.write()];
        node.store.commit(&Batch { at, runs, share, ..Batch::default() })
    }

    /// Commits something that is of no run.
    pub(super) fn say(&mut self, node: &Node, share: Share) {
        let at = self.tick();
        node.store.commit(&Batch { at, share, ..Batch::default() }).unwrap();
    }

    pub(super) fn release(&mut self, node: &Node, script: &Script, away: Option<Away>) {
        let released = vec![Release { run: script.id(), away }];
        self.say(node, Share { released, ..Share::default() });
    }

    /// Makes an event of the default namespace.
    pub(super) fn event(&mut self, id: &str, data: &str) -> Arc<Event> {
        Arc::new(Event {
            id: EventId { namespace: "default".into(), id: id.into() },
            name: "paid".into(),
            accepted_at: self.tick(),
            data: Some(data.into()),
            offer: None,
            scope: Scope::default(),
        })
    }

    /// Commits what is said of events, in a batch that grows.
    pub(super) fn tell(&mut self, node: &Node, events: Vec<EventWrite>) -> Result<Position, Error> {
        let at = self.tick();
        node.store.commit(&Batch { at, events, grows: true, ..Batch::default() })
    }
}

impl Node {
    #[expect(clippy::expect_used, reason = "the cases are for shared stores only")]
    pub(super) fn shared(&self) -> &dyn Shared {
        self.store.shared().expect("the store is shared")
    }

    /// Claims one run.
    pub(super) fn claim(&self, run: RunId) -> Claim {
        let mut claims = self.shared().claim(&[run]).unwrap();
        assert_eq!(claims.len(), 1, "one answer for one question");
        claims.remove(0)
    }

    pub(super) fn has(&self, script: &Script) -> bool {
        matches!(self.claim(script.id()), Claim::Mine { .. })
    }
}

/// Returns the queue of the default workflow.
pub(super) fn queue() -> Queue {
    let start = Start::default();
    Queue {
        namespace: start.namespace.into(),
        app: start.app.into(),
        workflow: start.workflow.into(),
    }
}

/// Returns a crew of one runner that names no build.
pub(super) fn crew() -> Crew {
    Crew { names: vec!["worker".into()], builds: vec!["".into()], unshunned: Timestamp::MIN }
}

/// Returns the ids of runs.
pub(super) fn ids(scripts: &[&Script]) -> Vec<RunId> {
    scripts.iter().map(|script| script.id()).collect()
}
