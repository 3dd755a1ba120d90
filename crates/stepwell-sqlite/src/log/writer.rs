//! Appending to the log.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use stepwell_core::planted::{self, Plant};
use stepwell_metrics::Histogram;
use stepwell_store::Error;
use stepwell_store::batch::Batch;

use super::body::{self, Piece};
use super::frame::{self, BODY_MAX, FrameHeader, FrameKind, HEADER, SegmentHeader};
use super::segment::{self, Slot, create_slot, failed};
use crate::disk::{Disk, File};

/// Spare segments that are kept for use; more are removed.
const SPARES_MAX: usize = 8;
/// Where the body stands in the bytes of a [`Prepared`]: behind room for both headers.
const BODY_AT: usize = 2 * HEADER;

/// What a log is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The id that every frame carries.
    pub(crate) store: u128,
    /// Size of a segment file, in bytes.
    pub(crate) segment_bytes: u64,
    /// Told in [`Error::DiskFull`], in bytes.
    pub(crate) reserve_bytes: u64,
}

/// The segment that is written to.
pub(crate) struct Active<F> {
    pub(crate) slot: Slot<F>,
    pub(crate) sequence: u64,
    /// Where the next frame goes.
    pub(crate) end: u64,
}

/// A full segment whose last frames may not be in tables yet.
pub(crate) struct Sealed<F> {
    pub(crate) slot: Slot<F>,
    pub(crate) last: u64,
}

/// A frame that lacks only its headers.
pub(crate) struct Prepared {
    bytes: Vec<u8>,
    body_len: u32,
    body_crc: u32,
    kind: FrameKind,
}

impl Prepared {
    /// Makes the frame of a batch, apart from what depends on its place in the log.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the batch is larger than a frame can be.
    pub(crate) fn batch(batch: &Batch) -> Result<(Self, Vec<Piece>), Error> {
        Self::filled(body::len(batch), |bytes| body::encode(batch, bytes))
    }

    /// Makes the frame of a body of `len` bytes that `fill` appends and the log knows nothing of.
    ///
    /// # Errors
    /// As [`Prepared::batch`].
    pub(crate) fn filled<T>(
        len: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<(Self, T), Error> {
        let Some(body_len) = u32::try_from(len).ok().filter(|_| len <= BODY_MAX) else {
            let why = format!("a batch of {len} bytes is over the limit of {BODY_MAX} bytes");
            return Err(Error::Unavailable(why));
        };
        let mut bytes = Vec::with_capacity(HEADER + frame::space(len));
        bytes.resize(BODY_AT, 0);
        let filled = fill(&mut bytes);
        debug_assert_eq!(bytes.len(), BODY_AT + len, "the body is as long as was said");
        let body_crc = crc32c::crc32c(&bytes[BODY_AT..]);
        bytes.resize(HEADER + frame::space(len), 0);
        Ok((Self { bytes, body_len, body_crc, kind: FrameKind::Batch }, filled))
    }

    /// Makes the frame that begins an open-epoch.
    pub(crate) fn open() -> Self {
        let body_crc = crc32c::crc32c(&[]);
        Self { bytes: vec![0; BODY_AT], body_len: 0, body_crc, kind: FrameKind::Open }
    }

    fn frame_space(&self) -> u64 {
        (self.bytes.len() - HEADER) as u64
    }
}

/// The open log. One frame is in flight at a time, so that all before it is durable.
pub(crate) struct Log<D: Disk> {
    pub(crate) disk: Arc<D>,
    pub(crate) settings: Settings,
    pub(crate) epoch: u64,
    /// The position of the last durable frame.
    pub(crate) head: u64,
    pub(crate) active: Active<D::File>,
    /// Oldest first.
    pub(crate) sealed: VecDeque<Sealed<D::File>>,
    pub(crate) spares: Vec<Slot<D::File>>,
    pub(crate) next_slot: u32,
    /// Segments with frames behind this position are being copied, and stay as they are.
    pub(crate) pinned: Option<u64>,
    pub(crate) poisoned: Option<String>,
    /// How long syncs of frames took.
    pub(crate) syncs: Histogram,
}

impl<D: Disk> Log<D> {
    /// Appends a frame and syncs it. Returns its position and its body.
    ///
    /// # Errors
    /// [`Error::DiskFull`] and [`Error::Unavailable`]: nothing was written. [`Error::Unknown`] when
    /// a write or a sync failed, and [`Error::Poisoned`] from then on.
    pub(crate) fn append(&mut self, mut frame: Prepared) -> Result<(u64, Bytes), Error> {
        if let Some(why) = &self.poisoned {
            return Err(Error::Poisoned(why.clone()));
        }
        let space = frame.frame_space();
        // Behind every frame there is room for the one that begins the next open-epoch, so that
        // a store opens on a full disk.
        let fits = self.active.end + space + HEADER as u64 <= self.active.slot.size;
        let fresh = if fits { None } else { Some(self.take_slot(space)?) };
        let sequence = self.active.sequence + u64::from(fresh.is_some());
        let position = self.head + 1;
        self.fill_headers(&mut frame, sequence, position);
        let (file, bytes, offset) = match &fresh {
            Some(slot) => (&slot.file, &frame.bytes[..], 0),
            None => (&self.active.slot.file, &frame.bytes[HEADER..], self.active.end),
        };
        match file.write_at(bytes, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                self.spares.extend(fresh);
                return Err(self.disk_full());
            }
            Err(error) => return Err(self.poison(format!("a write to the log failed: {error}"))),
        }
        let began = Instant::now();
        if !planted::has(Plant::UnsyncedCommit)
            && let Err(error) = file.sync()
        {
            return Err(self.poison(format!("a sync of the log failed: {error}")));
        }
        self.syncs.observe(began.elapsed());
        if let Some(slot) = fresh {
            let active = Active { slot, sequence, end: HEADER as u64 };
            let full = std::mem::replace(&mut self.active, active);
            self.sealed.push_back(Sealed { slot: full.slot, last: self.head });
        }
        self.active.end += space;
        self.head = position;
        let end = BODY_AT + usize::try_from(frame.body_len).unwrap_or(0);
        Ok((position, Bytes::from(frame.bytes).slice(BODY_AT..end)))
    }

    /// Gives up segments whose frames are all at or before `folded`. Returns the numbers of those
    /// to remove; the others are used again.
    pub(crate) fn trim(&mut self, folded: u64) -> Vec<u32> {
        let folded = self.pinned.map_or(folded, |pinned| folded.min(pinned));
        let mut removed = Vec::new();
        while self.sealed.front().is_some_and(|segment| segment.last <= folded) {
            let Some(segment) = self.sealed.pop_front() else { break };
            let slot = segment.slot;
            if slot.size == self.settings.segment_bytes && self.spares.len() < SPARES_MAX {
                self.spares.push(slot);
            } else {
                removed.push(slot.number);
            }
        }
        removed
    }

    /// Returns the number for a spare to make, if there is none ready.
    pub(crate) fn wants_spare(&mut self) -> Option<u32> {
        (self.spares.is_empty() && self.poisoned.is_none()).then(|| self.reserve_number())
    }

    /// Stops taking frames; returns the error for the one that was in flight.
    pub(crate) fn poison(&mut self, why: String) -> Error {
        self.poisoned = Some(why.clone());
        Error::Unknown(why)
    }

    /// Returns the size of all segment files, in bytes.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let sealed = self.sealed.iter().map(|segment| segment.slot.size);
        let spares = self.spares.iter().map(|slot| slot.size);
        self.active.slot.size + sealed.chain(spares).sum::<u64>()
    }

    fn reserve_number(&mut self) -> u32 {
        let number = self.next_slot;
        self.next_slot += 1;
        number
    }

    fn take_slot(&mut self, space: u64) -> Result<Slot<D::File>, Error> {
        let needed = space + 2 * HEADER as u64;
        let size = self.settings.segment_bytes.max(needed.next_multiple_of(4_096));
        if let Some(at) = self.spares.iter().position(|slot| slot.size >= needed) {
            return Ok(self.spares.swap_remove(at));
        }
        let number = self.reserve_number();
        create_slot(&*self.disk, number, size).map_err(|error| match error.kind() {
            ErrorKind::StorageFull => self.disk_full(),
            _ => failed(&format!("make {}", segment::name(number)), &error),
        })
    }

    fn disk_full(&self) -> Error {
        let free = self.disk.free_space().unwrap_or(0);
        Error::DiskFull { free, reserve: self.settings.reserve_bytes }
    }

    fn fill_headers(&self, frame: &mut Prepared, sequence: u64, position: u64) {
        let store = self.settings.store;
        let segment = SegmentHeader { store, epoch: self.epoch, sequence, first: position };
        let header = FrameHeader {
            kind: frame.kind,
            store,
            epoch: self.epoch,
            sequence,
            position,
            synced_to: self.head,
            body_len: frame.body_len,
        };
        frame.bytes[..HEADER].copy_from_slice(&segment.encode());
        frame.bytes[HEADER..BODY_AT].copy_from_slice(&header.encode(frame.body_crc));
    }
}
