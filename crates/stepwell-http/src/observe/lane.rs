//! Bodies on their way to the thread. What waits is bounded by its bytes, so that telemetry takes no memory from
//! durable runs; what does not fit is turned away before it is read, and its sender tries again (§10.7).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::work::Answer;

/// Most bytes of bodies in the lane, with those that the thread is at.
const LANE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Largest body, also once it is unpacked.
pub(crate) const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// It is JSON as it is.
    None,
    /// It is compressed (RFC 1952).
    Gzip,
}

/// A body that waits, and who waits for what comes of it.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) namespace: Arc<str>,
    pub(super) body: Bytes,
    pub(super) packing: Packing,
    pub(super) answer: oneshot::Sender<Answer>,
    /// Given back once it is answered.
    pub(super) room: Room,
}

/// The lane. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queue: Mutex<Queue>,
    comes: Condvar,
    bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    parcels: VecDeque<Parcel>,
    is_closed: bool,
}

/// Room in the lane, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    inner: Arc<Inner>,
    bytes: usize,
}

/// What a look into the lane found.
#[derive(Debug)]
pub(super) enum Next {
    /// The first parcel.
    Parcel(Parcel),
    /// None came in the time.
    Nothing,
    /// None will come any more.
    Closed,
}

impl Lane {
    /// Takes room for a body; `None` where there is not enough.
    pub(super) fn room(&self, bytes: usize) -> Option<Room> {
        let taken = &self.0.bytes;
        let fits = |held: usize| held.checked_add(bytes).filter(|all| *all <= LANE_BYTES_MAX);
        taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok()?;
        Some(Room { inner: Arc::clone(&self.0), bytes })
    }

    /// Returns how many bytes are in it.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Acquire)
    }

    /// Puts a parcel behind the others. One that comes too late is dropped, and who waits hears of it.
    pub(super) fn put(&self, parcel: Parcel) {
        let mut queue = self.queue();
        if !queue.is_closed {
            queue.parcels.push_back(parcel);
            drop(queue);
            self.0.comes.notify_one();
        }
    }

    /// Takes the first parcel if there is one.
    pub(super) fn take(&self) -> Option<Parcel> {
        self.queue().parcels.pop_front()
    }

    /// Waits for a parcel, at most for the time where there is one.
    pub(super) fn wait(&self, time: Option<Duration>) -> Next {
        let mut queue = self.queue();
        loop {
            if let Some(parcel) = queue.parcels.pop_front() {
                return Next::Parcel(parcel);
            }
            if queue.is_closed {
                return Next::Closed;
            }
            let Some(time) = time else {
                let woken = self.0.comes.wait(queue);
                queue = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let woken = self.0.comes.wait_timeout(queue, time);
            let (woken, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            if waited.timed_out() && queue.parcels.is_empty() && !queue.is_closed {
                return Next::Nothing;
            }
        }
    }

    /// Takes no more; what is in it is still worked on.
    pub(super) fn close(&self) {
        self.queue().is_closed = true;
        self.0.comes.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Gives back what a body does not need.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.inner.bytes.fetch_sub(spare, Ordering::AcqRel);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.inner.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(lane: &Lane, bytes: usize) -> (Parcel, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let room = lane.room(bytes).unwrap();
        let (namespace, body) = (Arc::from("default"), Bytes::new());
        (Parcel { namespace, body, packing: Packing::None, answer, room }, answered)
    }

    /// §10.7: what telemetry holds in memory is bounded, and room comes back with the answer.
    #[test]
    fn room_is_bounded_and_given_back() {
        let lane = Lane::default();
        let rooms: Vec<_> = (0..8).map(|_| lane.room(BODY_BYTES_MAX).unwrap()).collect();
        assert_eq!(lane.bytes(), LANE_BYTES_MAX);
        assert!(lane.room(1).is_none());
        assert!(lane.room(0).is_some());
        drop(rooms);
        let mut room = lane.room(LANE_BYTES_MAX).unwrap();
        assert!(lane.room(usize::MAX).is_none());
        room.shrink(100);
        room.shrink(200);
        assert_eq!(lane.bytes(), 100);
        drop(room);
        assert_eq!(lane.bytes(), 0);
    }

    #[test]
    fn a_closed_lane_gives_out_what_it_has_and_takes_no_more() {
        let lane = Lane::default();
        let (first, _first) = parcel(&lane, 1);
        let (late, mut answered) = parcel(&lane, 2);
        lane.put(first);
        lane.close();
        lane.put(late);
        assert!(
            answered.try_recv().is_err_and(|error| error != oneshot::error::TryRecvError::Empty)
        );
        let Next::Parcel(first) = lane.wait(None) else { panic!("it was put before") };
        drop(first);
        assert!(matches!(lane.wait(None), Next::Closed), "there is nothing more");
        assert_eq!(lane.bytes(), 0);
    }

    #[test]
    fn who_waits_is_woken() {
        let lane = Lane::default();
        assert!(matches!(lane.wait(Some(Duration::ZERO)), Next::Nothing), "nothing came");
        let theirs = lane.clone();
        let waiting = std::thread::spawn(move || matches!(theirs.wait(None), Next::Parcel(_)));
        lane.put(parcel(&lane, 1).0);
        assert!(waiting.join().unwrap());
    }
}
