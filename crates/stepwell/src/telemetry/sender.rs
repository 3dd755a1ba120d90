//! The thread that sends: it has a runtime of its own, and outlives those of the program.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, select};

use super::error::SendError;
use super::post::{Failed, Receipt, post};
use super::queue::Lost;
use super::shared::Shared;
use super::waiting::Chunk;
use crate::driver::Backoff;

/// The first pause and the longest after a request that failed.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// Ends a client whose thread has ended, however that came.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue.abandon();
        self.0.singles.abandon();
        self.0.over.set();
    }
}

/// Starts the thread. Where there can be none, the client drops what it is told.
pub(super) fn start(shared: Arc<Shared>) {
    let ending = Ending(shared);
    let thread = std::thread::Builder::new().name("stepwell-telemetry".into());
    if let Err(error) = thread.spawn(move || run(&ending.0)) {
        tracing::warn!(target: "stepwell::telemetry", "nothing is sent, there is no thread: {error}");
    }
}

fn run(shared: &Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(send(shared));
            // A name that is still being looked up is not waited for.
            runtime.shutdown_background();
        }
        Err(error) => {
            tracing::warn!(target: "stepwell::telemetry", "nothing is sent, there is no runtime: {error}");
        }
    }
}

async fn send(shared: &Shared) {
    let sending = pin!(join(chunks(shared), shared.singles.send(shared)));
    let time_over = pin!(shared.queue.time_over());
    let watching = pin!(shared.queue.watch());
    select(select(sending, time_over), watching).await;
}

/// Sends what was collected, one request after another, until the queue is closed and empty.
async fn chunks(shared: &Shared) {
    let mut backoff = Backoff::between(BACKOFF.0, BACKOFF.1);
    while let Some(chunk) = shared.queue.next().await {
        match deliver(shared, &chunk, &mut backoff).await {
            Ok(receipt) => {
                backoff.reset();
                let refused = receipt.refused_total();
                shared.queue.on_sent(&chunk, refused);
                if let Some(first) = receipt.refused.first() {
                    shared.report(&first.to_error().of(refused));
                }
            }
            Err((error, lost)) => {
                shared.queue.on_lost(&chunk, lost);
                shared.report(&error.of(chunk.events));
                // A server that takes none of them is not asked all the time.
                if !shared.queue.is_closed() {
                    pause(shared, backoff.next()).await;
                }
            }
        }
        shared.report_drops();
    }
}

/// Sends a chunk until it is taken, refused for good, or its time is over.
async fn deliver(
    shared: &Shared,
    chunk: &Chunk,
    backoff: &mut Backoff,
) -> Result<Receipt, (SendError, Lost)> {
    let began = Instant::now();
    loop {
        match post(shared, chunk.body.clone()).await {
            Ok(receipt) => return Ok(receipt),
            Err(Failed::Never(error)) => return Err((error, Lost::Refused)),
            Err(Failed::Again { error, .. }) if began.elapsed() >= shared.times.retry => {
                return Err((error, Lost::Unreachable));
            }
            Err(Failed::Again { error, pause: told }) => {
                shared.report(&error.of(chunk.events).for_now());
                shared.report_drops();
                if told.is_zero() {
                    pause(shared, backoff.next()).await;
                } else {
                    // What the server says counts, whoever waits.
                    tokio::time::sleep(told.max(backoff.next())).await;
                }
            }
        }
    }
}

/// Waits, unless somebody else waits for what is to be sent.
async fn pause(shared: &Shared, pause: Duration) {
    select(pin!(tokio::time::sleep(pause)), pin!(shared.queue.hurry.notified())).await;
}
