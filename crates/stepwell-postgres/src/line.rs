//! The thread on which connections live.

use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use stepwell_store::Error;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A small runtime of its own on a thread of its own.
///
/// Who waits for an answer waits on a channel of the standard library, so that it does not matter
/// whether its thread is inside of another runtime.
#[derive(Debug)]
pub(crate) struct Line {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system refuses.
    pub(crate) fn start() -> Result<Self, Error> {
        let refused = |error| Error::Unavailable(format!("no thread for connections: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("stepwell-postgres".into())
            .spawn(move || drop(runtime.block_on(stopped)))
            .map_err(refused)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Lets the thread begin something, and waits for nothing.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// Lets the thread do something, and waits for it.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the thread is gone, and with it what was being done.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = sync_channel(1);
        self.handle.spawn(async move {
            // Nobody waits any more: there is nothing to be told.
            let _ = tell.send(work.await);
        });
        told.recv().map_err(|_| Error::Unknown("the thread of the connections ended".into()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
