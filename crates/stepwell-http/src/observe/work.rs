//! The thread of telemetry: reads bodies, makes the events of as many as wait durable with one sync, and answers them.
//! It steps back behind the threads that durable runs need (§10.7).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use stepwell_driver::Handle;
use stepwell_telemetry::batch::Batch;
use stepwell_telemetry::incoming::{self, Taken};
use tokio::sync::oneshot;

use super::counted::Counted;
use super::hints::Hints;
use super::lane::{Lane, Next, Parcel, Room};
use super::shelf::Shelf;
use super::unpack::unpack;
use crate::gate;
use crate::problem::Problem;

/// No more bodies are put together once their events have so many bytes.
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;

/// How much the thread steps back behind others, by the measure of `nice`.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// What came of a body.
pub(super) type Answer = Result<Taken, Problem>;

/// The thread.
pub(super) struct Work {
    lane: Lane,
    shelf: Shelf,
    counted: Arc<Counted>,
    node: Handle,
    hints: Hints,
    /// For bodies that are compressed.
    buffer: Vec<u8>,
    /// What was to be kept last was.
    is_well: bool,
}

/// A body whose events are in the batch.
struct Read {
    namespace: Arc<str>,
    taken: Taken,
    answer: oneshot::Sender<Answer>,
    _room: Room,
}

impl Work {
    pub(super) fn new(lane: Lane, shelf: Shelf, counted: Arc<Counted>, node: Handle) -> Self {
        let (hints, buffer) = (Hints::default(), Vec::new());
        Self { lane, shelf, counted, node, hints, buffer, is_well: true }
    }

    /// Works until the lane is closed and empty.
    pub(super) fn run(mut self) {
        // On Linux a thread has a niceness of its own, on other systems the process has one.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(STEP_BACK);
        loop {
            match self.lane.wait(self.hints.due_in(Instant::now())) {
                Next::Parcel(first) => {
                    // What is at fault is lost with its senders' answers; they send it again, the rest goes on.
                    let worked = catch_unwind(AssertUnwindSafe(|| self.portion(first)));
                    if worked.is_err() {
                        tracing::error!("telemetry could not be taken: the thread panicked");
                    }
                }
                Next::Nothing => {}
                Next::Closed => break,
            }
            self.tell();
        }
    }

    /// Takes what waits, makes it durable, and answers.
    fn portion(&mut self, first: Parcel) {
        let mut batch = Batch::new(gate::now());
        let mut read = Vec::new();
        let mut next = Some(first);
        while let Some(parcel) = next {
            read.extend(self.read(parcel, &mut batch));
            let is_full = batch.as_bytes().len() >= TOGETHER_BYTES;
            next = if is_full { None } else { self.lane.take() };
        }
        let kept = if batch.is_empty() { Ok(()) } else { self.append(&batch) };
        for Read { namespace, taken, answer, .. } in read {
            let answered = match &kept {
                Ok(()) => {
                    self.counted.taken(taken.accepted, taken.refused);
                    if taken.accepted > 0 {
                        self.hints.add(&namespace);
                    }
                    Ok(taken)
                }
                Err(problem) => {
                    self.counted.turned_away();
                    Err(problem.clone())
                }
            };
            // Who went away meanwhile sends it again, which changes nothing.
            let _ = answer.send(answered);
        }
    }

    /// Reads a body into the batch. One that is not understood as a whole is answered at once.
    fn read(&mut self, parcel: Parcel, batch: &mut Batch) -> Option<Read> {
        let Parcel { namespace, body, packing, answer, room } = parcel;
        let taken = unpack(&body, packing, &mut self.buffer).and_then(|json| {
            self.counted.read(json.len());
            incoming::read(json, &namespace, batch)
                .map_err(|error| Problem::bad_request(error.to_string()))
        });
        match taken {
            Ok(taken) => Some(Read { namespace, taken, answer, _room: room }),
            Err(problem) => {
                let _ = answer.send(Err(problem));
                None
            }
        }
    }

    fn append(&mut self, batch: &Batch) -> Result<(), Problem> {
        let began = Instant::now();
        let keep = self.shelf.keep();
        let kept = keep.and_then(|keep| keep.append(batch).map_err(Problem::from));
        // Said once that something is wrong, and once that it is over.
        match &kept {
            Ok(()) => {
                self.counted.appended(began.elapsed());
                if !self.is_well {
                    tracing::info!("telemetry is kept again");
                }
            }
            Err(problem) if self.is_well => {
                tracing::warn!(detail = problem.detail, "telemetry cannot be kept");
            }
            Err(_) => {}
        }
        self.is_well = kept.is_ok();
        kept
    }

    fn tell(&mut self) {
        for namespace in self.hints.take(Instant::now()) {
            self.node.observed(&namespace);
        }
    }
}
