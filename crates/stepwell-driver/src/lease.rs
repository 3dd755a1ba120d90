//! The lease of a life on a store that several nodes share, and engine time there.
//!
//! Engine time is the store's: an instant that is never before the store's clock, and ahead of it by little
//! more than it took to ask for it: of several answers the one counts that says it most exactly. What is
//! acknowledged at an instant is acknowledged only once that instant has certainly passed at the store
//! ([`Term::wait_until`]), which the commit itself takes longer than, as a rule. So whoever is told of
//! something, and asks another node for something else, has the two in this order at every node.
//!
//! The lease is counted from when it was asked for, by a clock that nobody sets: a node stops before the
//! store thinks that it has to, also when its process stood still meanwhile.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::shared::{Lease, Shared};
use stepwell_store::{Error as StoreError, Store};

use crate::clock::{Clock, Machine, Reading};

/// How often what belongs to nodes that are gone is looked for.
const LOOK: Duration = Duration::from_millis(250);
/// How many runs are freed at once.
const SLICE: usize = 1_000;
/// How long answers to what was asked of runs elsewhere are kept, and how often old ones are dropped.
const ANSWERS_KEPT: Duration = Duration::from_mins(2);
const TIDY: Duration = Duration::from_secs(30);
/// Longest pause between tries to renew.
const RETRY: Duration = Duration::from_millis(100);

/// How often the store is asked for its time with each renewal: on a busy machine an answer may wait for its
/// thread.
const SAMPLES: usize = 4;
/// Clocks of two machines that somebody keeps right go apart by a millisecond in so many at most.
const DRIFT: u32 = 2_000;

/// What the store's clock said, by the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Sample {
    asked: Duration,
    answered: Duration,
    said: Timestamp,
}

impl Sample {
    fn take(
        machine: Machine,
        ask: impl FnOnce() -> Result<Timestamp, StoreError>,
    ) -> Result<Self, StoreError> {
        let asked = machine.read().monotonic;
        let said = ask()?;
        Ok(Self { asked, answered: machine.read().monotonic, said })
    }

    /// Returns an instant that is not before the store's clock, and one that is not behind it.
    fn bounds(&self, monotonic: Duration) -> (Timestamp, Timestamp) {
        let (most, least) =
            (monotonic.saturating_sub(self.asked), monotonic.saturating_sub(self.answered));
        (self.said.after(most + most / DRIFT), self.said.after(least.saturating_sub(least / DRIFT)))
    }

    /// Tells whether both can be true.
    fn agrees(&self, other: &Self, monotonic: Duration) -> bool {
        let ((most, least), (others, other)) = (self.bounds(monotonic), other.bounds(monotonic));
        most >= other && least <= others
    }

    /// Returns by how much the store's clock may be other than it is thought to be.
    fn error(&self, monotonic: Duration) -> Duration {
        let (most, least) = self.bounds(monotonic);
        most.since(least)
    }
}

/// A lease as it was granted, by the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Granted {
    asked: Duration,
    lease: Lease,
    clock: Sample,
}

impl Granted {
    /// Asks for a lease, and for the time. `known` is what the clock said before.
    fn ask(
        shared: &dyn Shared,
        machine: Machine,
        known: Option<Sample>,
    ) -> Result<Self, StoreError> {
        let asked = machine.read().monotonic;
        let lease = shared.renew()?;
        let renewed = Sample { asked, answered: machine.read().monotonic, said: lease.now };
        let samples = (0..SAMPLES).map_while(|_| Sample::take(machine, || shared.time()).ok());
        let samples: Vec<Sample> = samples.collect();
        let now = machine.read().monotonic;
        // One that says something else by now is of a clock that was set, or of a machine that slept.
        let known = known.filter(|known| known.agrees(&renewed, now));
        let best = samples.into_iter().chain(known).min_by_key(|sample| sample.error(now));
        let clock = best.filter(|best| best.error(now) < renewed.error(now)).unwrap_or(renewed);
        Ok(Self { asked, lease, clock })
    }

    fn ttl(&self) -> Duration {
        self.lease.until.since(self.lease.now)
    }
}

/// What a life knows of its lease.
#[derive(Debug)]
pub(crate) struct Term {
    machine: Machine,
    granted: Mutex<Result<Granted, String>>,
    ttl: Duration,
}

impl Term {
    /// Asks for a lease.
    ///
    /// # Errors
    /// Those of [`Shared::renew`].
    pub(crate) fn begin(shared: &dyn Shared, machine: Machine) -> Result<Self, StoreError> {
        let granted = Granted::ask(shared, machine, None)?;
        Ok(Self { machine, granted: Mutex::new(Ok(granted)), ttl: granted.ttl() })
    }

    /// Returns how long a lease lasts.
    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    fn granted(&self) -> Result<Granted, String> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, granted: Result<Granted, String>) {
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = granted;
    }

    /// Returns an instant that is not before the store's clock.
    pub(crate) fn now(&self, monotonic: Duration) -> Option<Timestamp> {
        let granted = self.granted().ok()?;
        Some(granted.clock.bounds(monotonic).0)
    }

    /// Checks that the lease lasts.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let granted = self.granted()?;
        let since = self.machine.read().monotonic.saturating_sub(granted.asked);
        if since >= granted.ttl() {
            return Err(format!(
                "the lease of this node has run out: it was renewed {} ms ago, and lasts {} ms",
                since.as_millis(),
                granted.ttl().as_millis()
            ));
        }
        Ok(())
    }

    /// Checks that what is written of an instant is not written so late that it comes as a surprise: whoever looks for
    /// what was written lately looks back for two leases ([`stepwell_node::Config::lease`]).
    ///
    /// # Errors
    /// Why it may not be written any more.
    pub(crate) fn check_batch(&self, at: Timestamp) -> Result<(), String> {
        self.check()?;
        let late =
            self.now(self.machine.read().monotonic).map_or(Duration::MAX, |now| now.since(at));
        if late >= self.ttl {
            let late = late.as_millis();
            return Err(format!(
                "what is to be written was decided {late} ms ago, longer than a lease"
            ));
        }
        Ok(())
    }

    /// Waits until an instant has passed at the store.
    ///
    /// # Errors
    /// Why the lease ended meanwhile.
    pub(crate) fn wait_until(&self, at: Timestamp) -> Result<(), String> {
        loop {
            let granted = self.granted()?;
            let (_, passed) = granted.clock.bounds(self.machine.read().monotonic);
            let left = at.since(passed);
            if left.is_zero() {
                return Ok(());
            }
            self.check()?;
            std::thread::sleep(left.min(RETRY));
        }
    }
}

/// Engine time of a life.
pub(crate) enum Time {
    /// By the machine's clocks.
    Alone(Clock),
    /// By the store's.
    Shared { term: Arc<Term>, last: Timestamp },
}

impl Time {
    pub(crate) fn alone(machine: Machine, floor: Timestamp) -> Self {
        Self::Alone(Clock::new(machine.read(), floor))
    }

    pub(crate) fn shared(term: &Arc<Term>, floor: Timestamp) -> Self {
        Self::Shared { term: Arc::clone(term), last: floor }
    }

    /// Returns engine time at a reading; never less than what it returned before.
    pub(crate) fn at(&mut self, now: Reading) -> Timestamp {
        match self {
            Self::Alone(clock) => clock.at(now),
            Self::Shared { term, last } => {
                *last = term.now(now.monotonic).map_or(*last, |now| now.max(*last));
                *last
            }
        }
    }
}

/// Renews a lease, and frees what belongs to nodes that are gone, on threads of its own; until it is dropped.
pub(crate) struct Renewal {
    stops: Vec<SyncSender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Renewal {
    /// Starts the threads. `wake` is called when the lease was lost, or something was freed.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn begin(
        store: &Arc<dyn Store>,
        term: &Arc<Term>,
        grant: Duration,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let mut renewal = Self { stops: Vec::new(), threads: Vec::new() };
        let (renewed, woken) = (Arc::clone(term), wake.clone());
        renewal.spawn("stepwell-lease", store, move |shared| {
            let granted = renew(shared, &renewed);
            let lost = granted.is_err();
            renewed.set(granted);
            if lost {
                woken();
            }
            // A third of the lease is for the next try to come in time.
            (!lost).then(|| renewed.ttl() / 3)
        })?;
        let mut tidied = Duration::ZERO;
        let machine = term.machine;
        renewal.spawn("stepwell-keeper", store, move |shared| {
            match shared.take_over(grant, SLICE) {
                Ok(0) => {}
                Ok(freed) => {
                    tracing::info!(runs = freed, "freed runs of a node that is gone");
                    wake();
                    return Some(Duration::ZERO);
                }
                Err(StoreError::Fenced) => return None,
                Err(error) => tracing::warn!(%error, "looking for nodes that are gone failed"),
            }
            let now = machine.read().monotonic;
            if now.saturating_sub(tidied) >= TIDY {
                tidied = now;
                let until = shared.lease().now.before(ANSWERS_KEPT);
                if let Err(error) = shared.tidy(until, SLICE) {
                    tracing::warn!(%error, "dropping old answers failed");
                }
            }
            Some(LOOK)
        })?;
        Ok(renewal)
    }

    /// Does something again and again, with the pauses that it asks for, until it asks for none.
    fn spawn(
        &mut self,
        name: &str,
        store: &Arc<dyn Store>,
        mut work: impl FnMut(&dyn Shared) -> Option<Duration> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = sync_channel(1);
        let store = Arc::clone(store);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut pause = LOOK;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let Some(shared) = store.shared() else { return };
                match work(shared) {
                    Some(next) => pause = next,
                    None => return,
                }
            }
        })?;
        self.stops.push(stop);
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.stops.clear();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that renews the lease panicked");
            }
        }
    }
}

/// Renews until that works or the lease has run out.
fn renew(shared: &dyn Shared, term: &Term) -> Result<Granted, String> {
    loop {
        let known = term.granted().ok().map(|granted| granted.clock);
        match Granted::ask(shared, term.machine, known) {
            Ok(granted) => return Ok(granted),
            Err(StoreError::Fenced) => return Err(StoreError::Fenced.to_string()),
            Err(error) => {
                term.check()?;
                tracing::warn!(%error, "renewing the lease of this node failed; trying again");
                std::thread::sleep(RETRY);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(asked: u64, answered: u64, said_ms: i64) -> Sample {
        let [asked, answered] = [asked, answered].map(Duration::from_millis);
        Sample { asked, answered, said: Timestamp::from_millis(said_ms) }
    }

    #[test]
    fn the_clock_is_between_its_bounds() {
        let sample = sample(1_000, 1_010, 50_000);
        let (most, least) = sample.bounds(Duration::from_millis(1_010));
        assert_eq!((most.as_micros(), least.as_micros()), (50_010_005, 50_000_000));
        let later = Duration::from_millis(3_010);
        let (most, least) = sample.bounds(later);
        assert_eq!((most.as_micros(), least.as_micros()), (52_011_005, 51_999_000));
        assert!(sample.error(later) > sample.error(Duration::from_millis(1_010)));
    }

    #[test]
    fn a_clock_that_was_set_agrees_with_nothing_before() {
        let now = Duration::from_secs(3);
        let (before, after) = (sample(1_000, 1_001, 50_000), sample(2_000, 2_001, 51_000));
        assert!(before.agrees(&after, now) && after.agrees(&before, now));
        for set_ms in [51_100, 50_900] {
            let set = sample(2_000, 2_001, set_ms);
            assert!(!before.agrees(&set, now) && !set.agrees(&before, now));
        }
    }
}
