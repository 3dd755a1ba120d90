//! The signal that a step's function gets when it should stop (§2.2).

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Fires when a step's attempt runs out of time, or its run is ending (§2.2).
///
/// Cheap to clone; may be handed to other threads.
#[derive(Clone, Default)]
pub struct Signal {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    fired: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Signal {
    /// Tells whether the signal has fired.
    pub fn is_fired(&self) -> bool {
        self.inner.fired.load(Ordering::Acquire)
    }

    /// Waits until the signal fires.
    pub async fn fired(&self) {
        poll_fn(|cx| {
            if self.is_fired() {
                return Poll::Ready(());
            }
            let mut wakers = self.inner.wakers.lock().unwrap_or_else(PoisonError::into_inner);
            // Fired between the look above and the lock: the one who fired may have gone by.
            if self.is_fired() {
                return Poll::Ready(());
            }
            if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn fire(&self) {
        self.inner.fired.store(true, Ordering::Release);
        let wakers = {
            let mut wakers = self.inner.wakers.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("fired", &self.is_fired()).finish()
    }
}
