//! What a life has of the database that it shares with others: its lease, and the time there.
//!
//! Engine time is never before the database's clock, and ahead of it by no more than it took to ask for
//! it. The lease is counted from when it was asked for, by a clock that nobody sets.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::memory::Joined;
use stepwell_store::shared::{Lease, Shared as _};

use crate::clock::{Micros, micros};

/// How far the renewal of a lease is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The node asks.
    Asks,
    /// The question reaches the database.
    Reaches,
    /// The answer reaches the node.
    Answered,
}

/// A lease as it was granted, by the node's monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Granted {
    asked: u64,
    answered: u64,
    lease: Lease,
}

/// What a life has of the database.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) joined: Arc<Joined>,
    granted: Granted,
    last: Timestamp,
    /// When the renewal that is under way was asked for.
    asked: u64,
    found: Option<Result<Lease, Error>>,
}

impl Standing {
    /// Begins with the lease that was granted for joining, at a reading of the monotonic clock.
    pub(super) fn new(joined: Arc<Joined>, monotonic: u64, floor: Timestamp) -> Self {
        let lease = joined.lease();
        let granted = Granted { asked: monotonic, answered: monotonic, lease };
        Self { joined, granted, last: floor, asked: monotonic, found: None }
    }

    /// Returns engine time; never less than what it returned before.
    pub(super) fn now(&mut self, monotonic: u64) -> Timestamp {
        let passed = monotonic.saturating_sub(self.granted.asked);
        let now = self.granted.lease.now.after(Duration::from_micros(passed));
        self.last = self.last.max(now);
        self.last
    }

    /// Returns how long a lease runs.
    pub(super) fn term(&self) -> Duration {
        self.granted.lease.until.since(self.granted.lease.now)
    }

    /// Checks that the lease runs; says why it does not.
    pub(super) fn check(&self, monotonic: u64) -> Result<(), String> {
        let passed = monotonic.saturating_sub(self.granted.asked);
        if passed >= micros(self.term()) {
            return Err(format!("the lease has run out, {passed} us after it was asked for"));
        }
        Ok(())
    }

    /// Checks that what is written of an instant is not written too late.
    pub(super) fn check_batch(&mut self, at: Timestamp, monotonic: u64) -> Result<(), String> {
        self.check(monotonic)?;
        let late = self.now(monotonic).since(at);
        if late >= self.term() {
            return Err(format!("what is to be written was decided {late:?} ago"));
        }
        Ok(())
    }

    /// Returns how long it is until an instant has certainly passed at the database.
    pub(super) fn left_until(&self, at: Timestamp, monotonic: u64) -> Micros {
        let passed = monotonic.saturating_sub(self.granted.answered);
        micros(at.since(self.granted.lease.now.after(Duration::from_micros(passed))))
    }

    /// The node asks for a longer lease.
    pub(super) fn asks(&mut self, monotonic: u64) {
        self.asked = monotonic;
    }

    /// The question reaches the database.
    pub(super) fn reaches(&mut self) {
        self.found = Some(self.joined.renew());
    }

    /// The answer reaches the node. Says whether there is one, or why there is no lease any more.
    pub(super) fn answered(&mut self, monotonic: u64) -> Result<bool, String> {
        match self.found.take() {
            Some(Ok(lease)) => {
                self.granted = Granted { asked: self.asked, answered: monotonic, lease };
                Ok(true)
            }
            Some(Err(error @ Error::Fenced)) => Err(error.to_string()),
            Some(Err(_)) | None => self.check(monotonic).map(|()| false),
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_store::memory::SharedMemory;

    use super::*;

    const SECOND: u64 = crate::clock::SECOND;

    /// A node whose clock goes too slow, and which waited half a second for its lease.
    #[test]
    fn time_is_not_before_that_of_the_database_and_never_goes_back() {
        let memory = SharedMemory::new(Timestamp::from_millis(1_000_000));
        let mut standing = Standing::new(memory.join("a", 1), 0, Timestamp::MIN);
        assert_eq!(standing.now(0), memory.now());
        standing.asks(SECOND);
        memory.pass(Duration::from_millis(1_500));
        standing.reaches();
        assert_eq!(standing.answered(2 * SECOND), Ok(true));
        let now = standing.now(2 * SECOND);
        assert_eq!(now.since(memory.now()), Duration::from_secs(1), "as if it had come at once");
        assert_eq!(standing.left_until(now, 2 * SECOND), SECOND);
        standing.asks(2 * SECOND);
        standing.reaches();
        assert_eq!(standing.answered(2 * SECOND), Ok(true));
        assert_eq!(standing.now(2 * SECOND), now, "it does not go back");
        assert_eq!(standing.left_until(memory.now(), 2 * SECOND), 0);
    }

    #[test]
    fn a_lease_is_counted_from_when_it_was_asked_for() {
        let memory = SharedMemory::new(Timestamp::from_millis(1_000_000));
        let mut standing = Standing::new(memory.join("a", 1), 0, Timestamp::MIN);
        standing.asks(SECOND);
        standing.reaches();
        assert_eq!(standing.answered(3 * SECOND), Ok(true));
        assert_eq!(standing.check(4 * SECOND - 1), Ok(()));
        assert!(standing.check(4 * SECOND).is_err());
        let early = standing.now(0);
        assert!(standing.check_batch(early, 4 * SECOND - 1).is_ok());
        memory.pass(Duration::from_secs(3));
        standing.asks(4 * SECOND);
        standing.reaches();
        let error = standing.answered(4 * SECOND).unwrap_err();
        assert!(error.contains("taken over"), "{error}");
    }
}
