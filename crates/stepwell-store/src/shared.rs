//! Stores that several nodes share: who is there, and whose a run is.
//!
//! Who opened a shared store is a *member* of it for as long as it renews its lease. A run belongs to
//! one member at most, and only that one writes of it. A member claims a run before it looks at it
//! with the intent to write, and releases it once nothing of it is in memory. What a member writes
//! counts only while it is a member: each commit and each claim is checked against the member's row,
//! its lease included, in the statement that does the work.
//!
//! Nobody takes a run from a member that is alive: what it is to do is put in the run's inbox, which
//! whose the run is reads ([`MessageKind::Event`], [`MessageKind::Ask`]). The runs of one that is not
//! are freed by whoever finds out. A run that a runner still holds is freed with the instant until
//! which that runner may come back ([`Away`]): until then it may present the run to any member.
//!
//! [`MessageKind::Event`]: crate::inbox::MessageKind::Event
//! [`MessageKind::Ask`]: crate::inbox::MessageKind::Ask

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;

use crate::batch::Workflow;
use crate::error::Error;
use crate::event::Place;
use crate::inbox::{Message, MessageId};
use crate::query::Queue;

/// Names one opening of a shared store. Never used twice; should a failover lose that it was used,
/// the random nonce beside it tells the two apart (I20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// How long a member may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The member.
    pub member: MemberId,
    /// The store's time when it granted this.
    pub now: Timestamp,
    /// Nothing of the member is written at or after this instant of the store's time.
    pub until: Timestamp,
}

/// A run that a runner holds, of whom nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Away {
    /// Until when it may come back; from then on the run is due, and lost to it.
    pub until: Timestamp,
    /// It said that no code of the run was in progress.
    pub idle: bool,
}

/// What became of the claim of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The run is this member's until it is released.
    Mine {
        /// Its whole journal.
        journal: Vec<u8>,
        /// Set where a runner holds it that is away.
        away: Option<Away>,
    },
    /// It is another member's.
    Elsewhere,
    /// It is not stored.
    Missing,
    /// It is this member's, and its stored bytes are damaged.
    Damaged(String),
}

/// A run that is free from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// The run.
    pub run: RunId,
    /// Set where a runner holds it that is away.
    pub away: Option<Away>,
}

/// What a run needs of a runner that not every runner with its workflow gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needs {
    /// The run.
    pub run: RunId,
    /// The name of the runner that it is pinned to.
    pub runner: Option<Arc<str>>,
    /// The build that could not go on with it (§4.10).
    pub shuns: Option<Arc<str>>,
}

impl Needs {
    /// Returns what a run needs of a runner; `None` where every runner with its workflow will do.
    pub fn of(run: &Run) -> Option<Self> {
        let (runner, shuns) = (run.pinned_runner().cloned(), run.shunned_build().cloned());
        (runner.is_some() || shuns.is_some()).then(|| Self { run: run.id(), runner, shuns })
    }
}

/// Who could run what a member claims: the runners of one workflow that are connected to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crew {
    /// Their names.
    pub names: Vec<Arc<str>>,
    /// Their builds; an empty text for one that names none.
    pub builds: Vec<Arc<str>>,
    /// Runs that have wanted a runner since before this instant are claimed though they shun every
    /// build of the crew: that they are blocked again shows what they wait for.
    pub unshunned: Timestamp,
}

/// The answer to what was asked of a run that was another member's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The `from` of the message that asked.
    pub ask: RunId,
    /// The answer, as JSON; the node that gives it knows what it means.
    pub body: Arc<str>,
}

/// What a batch says to the other members. Empty where the store is not shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Of the runs of the batch, those that need something of a runner; the others need nothing.
    pub needs: Vec<Needs>,
    /// Runs of this member that are free once the batch is durable. Every other run of the batch is
    /// this member's then, and was before, or is new.
    pub released: Vec<Release>,
    /// Answers to asks that the batch consumes.
    pub answers: Vec<Answer>,
    /// Of the events of the batch that are accepted and not routed, all are this member's to route.
    /// These are events that it routes no longer, and which it did not finish.
    pub unrouted: Vec<Place>,
}

impl Share {
    /// Tells whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
            && self.released.is_empty()
            && self.answers.is_empty()
            && self.unrouted.is_empty()
    }
}

/// A runner that is connected to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its app.
    pub app: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its process.
    pub instance: Arc<str>,
    /// When it connected here.
    pub since: Timestamp,
    /// More about it, as JSON; the node knows what it means.
    pub body: Arc<str>,
}

/// A member, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// The name of its node.
    pub node: Arc<str>,
    /// When it became one.
    pub since: Timestamp,
    /// Until when its lease runs; in the past for one that is not there any more, whose runs are not
    /// all freed.
    pub until: Timestamp,
    /// How many batches it made durable.
    pub head: u64,
    /// How many runs are its.
    pub runs: u64,
}

/// What a node asks of a store that it shares with other nodes, beside what it asks of every store.
///
/// Everything here, and [`Store::commit`](crate::Store::commit), fails with [`Error::Fenced`] for
/// who is not a member any more, and then nothing was changed; with [`Error::Unknown`] where it is not
/// known whether something was. In both cases the caller drops what it knows and opens the store anew.
/// Reads of [`Store`](crate::Store) show what all members wrote; none of them claims anything.
///
/// A commit that grows fails with [`Error::Contended`] where a key, an event or a run of it is known by
/// now; nothing was written. In one that does not, an event whose id is known is left out, and a key that is
/// known stays with its run.
pub trait Shared: Send + Sync {
    /// Returns the lease that was granted last.
    fn lease(&self) -> Lease;

    /// Returns until when what runners were given is void, if it is: the database is not the one any more that
    /// it was, or went another way from some instant on, and what was acknowledged then may be lost (I20).
    /// [`Store::high_water`](crate::Store::high_water) is behind it.
    fn void_until(&self) -> Option<Timestamp> {
        None
    }

    /// Lets the lease run anew from now. May be called beside everything else, from another thread.
    ///
    /// # Errors
    /// See the trait.
    fn renew(&self) -> Result<Lease, Error>;

    /// Asks what the store's clock says, of anybody and as quickly as it can be asked. May be called beside everything
    /// else, from another thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn time(&self) -> Result<Timestamp, Error>;

    /// Claims runs that are free; what is this member's already stays so. Answers in the order of the question.
    ///
    /// # Errors
    /// See the trait.
    fn claim(&self, runs: &[RunId]) -> Result<Vec<Claim>, Error>;

    /// Claims free runs whose timer is due at or before `until`, or whose runner may not come back any more at
    /// `until`, earliest first; at most `limit`. Passes over what another member is claiming.
    ///
    /// # Errors
    /// See the trait.
    fn claim_due(&self, until: Timestamp, limit: usize) -> Result<Vec<RunId>, Error>;

    /// Claims free runs of a workflow that want a runner and need none but one of this crew, longest
    /// waiting first; at most `limit`. Passes over what another member is claiming.
    ///
    /// # Errors
    /// See the trait.
    fn claim_ready(
        &self,
        queue: &Queue,
        crew: &Crew,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error>;

    /// Claims events that are not routed and that no member routes, oldest first; at most `limit`. Those that are
    /// this member's are not among them.
    ///
    /// # Errors
    /// See the trait.
    fn claim_unrouted(&self, limit: usize) -> Result<Vec<Place>, Error>;

    /// Returns messages that were not consumed, for runs that are this member's, free, or not stored, in the
    /// order of [`Store::inbox`](crate::Store::inbox), after the given one; at most `limit`.
    ///
    /// # Errors
    /// See the trait.
    fn mail(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// Returns the answers that there are to these asks. They are kept for a while ([`Shared::tidy`]).
    ///
    /// # Errors
    /// See the trait.
    fn answers(&self, asks: &[RunId]) -> Result<Vec<Answer>, Error>;

    /// Returns which of these runs have ended, or are not stored.
    ///
    /// # Errors
    /// See the trait.
    fn over(&self, runs: &[RunId]) -> Result<Vec<RunId>, Error>;

    /// Returns the workflows that were registered after a version of the list, and the version now. Version 0
    /// is before the first.
    ///
    /// # Errors
    /// See the trait.
    fn registered(&self, since: u64) -> Result<(u64, Vec<Workflow>), Error>;

    /// Says which runners are connected to this member, in place of what it said before. Returns the instances of
    /// those that have connected to another one since.
    ///
    /// # Errors
    /// See the trait.
    fn meet(&self, runners: &[Presence]) -> Result<Vec<Arc<str>>, Error>;

    /// Returns the runners that are connected to any member, in the order of namespace, app, name and instance.
    ///
    /// # Errors
    /// See the trait.
    fn runners(&self) -> Result<Vec<(MemberId, Presence)>, Error>;

    /// Frees what belongs to members that are not there any more: at most `limit` of their runs, and all of
    /// their events. A runner that holds one of the runs may come back for `grant` from now. Returns of how many
    /// runs; a member of whom nothing is left is forgotten. What a member was writing when its lease ended is written or
    /// refused before.
    ///
    /// # Errors
    /// See the trait.
    fn take_over(&self, grant: Duration, limit: usize) -> Result<usize, Error>;

    /// Drops answers that were given before `until`; at most `limit`. Returns how many.
    ///
    /// # Errors
    /// See the trait.
    fn tidy(&self, until: Timestamp, limit: usize) -> Result<usize, Error>;

    /// Ends the membership: whatever is still this member's is free for [`Shared::take_over`] at once.
    ///
    /// # Errors
    /// See the trait.
    fn leave(&self) -> Result<(), Error>;

    /// Returns the members, in the order of their ids.
    ///
    /// # Errors
    /// See the trait.
    fn members(&self) -> Result<Vec<Member>, Error>;
}
