//! Until when functions may start (§4.7).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use crate::moment::Moment;

/// The runner's grant: from the sending of the newest answered ping to its TTL later.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    until_us: AtomicU64,
    waiting: Mutex<Vec<Waker>>,
}

impl Grant {
    /// Tells whether a function may start now. Where none may, the waker is woken once one may.
    pub(crate) fn holds(&self, now: Moment, waker: &Waker) -> bool {
        if now.as_micros() < self.until_us.load(Ordering::Acquire) {
            return true;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(waker.clone());
        // Renewed between the look above and the lock: whoever renewed it may have gone by.
        now.as_micros() < self.until_us.load(Ordering::Acquire)
    }

    /// Extends the grant; it never gets shorter by this.
    pub(super) fn extend(&self, until: Moment) {
        self.until_us.fetch_max(until.as_micros(), Ordering::AcqRel);
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
