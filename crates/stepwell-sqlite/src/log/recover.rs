//! Reading a log back.
//!
//! Everything at or before the greatest position that a later frame, or a segment's header, calls
//! durable must be there: if not, that is damage, and nothing is served. What is missing behind it
//! was never acknowledged: a torn tail, which is cut. Frames that the tables hold already may be
//! missing.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use stepwell_metrics::Histogram;
use stepwell_store::Error;

use super::frame::{self, FrameHeader, FrameKind, HEADER, SegmentHeader};
use super::segment::{self, Found, Slot, create_slot, failed, find_slots};
use super::writer::{Active, Log, Prepared, Sealed, Settings};
use crate::disk::{Disk, File, read_all};

/// A log that was read back and takes frames again.
pub(crate) struct Recovered<D: Disk> {
    pub(crate) log: Log<D>,
    /// The bodies of batches behind the tables' position, in order.
    pub(crate) tail: Vec<(u64, Bytes)>,
}

/// Makes the first segment of a log that goes on behind the position of the tables, 0 for a new store, in
/// place of any segments that are there.
///
/// # Errors
/// [`Error::Unavailable`] when the disk refuses.
pub(crate) fn create<D: Disk>(disk: &D, settings: &Settings, folded: u64) -> Result<(), Error> {
    for found in find_slots(disk)? {
        remove(disk, found.slot.number)?;
    }
    let slot = create_slot(disk, 1, settings.segment_bytes)
        .map_err(|e| failed("make the first segment of the log", &e))?;
    let header = SegmentHeader { store: settings.store, epoch: 0, sequence: 1, first: folded + 1 };
    let write = || {
        slot.file.write_at(&header.encode(), 0)?;
        slot.file.sync()
    };
    write().map_err(|e| failed("begin the log", &e))
}

/// Opens the log: reads it, begins a new open-epoch, and syncs what was read.
///
/// # Errors
/// [`Error::Corrupt`] when something that was durable is missing or damaged;
/// [`Error::Unavailable`] and [`Error::DiskFull`] when the disk refuses.
pub(crate) fn open<D: Disk>(
    disk: &Arc<D>,
    settings: Settings,
    folded: u64,
) -> Result<Recovered<D>, Error> {
    let (live, spares) = sort_slots(find_slots(&**disk)?, &settings, folded)?;
    let mut scan = Scan::new(settings.store, folded);
    let mut segments = VecDeque::new();
    for (slot, header) in live {
        let bytes = read_all(&slot.file)
            .map_err(|e| failed(&format!("read {}", segment::name(slot.number)), &e))?;
        let end = scan.segment(&slot, header, &Bytes::from(bytes))?;
        segments.push_back((slot, header.sequence, end, scan.position));
    }
    let head = scan.position.max(folded);
    let spares = check_spares(&**disk, spares, &settings, head)?;
    rewrite_last(&segments, &scan)?;
    let next_slot =
        segments.iter().map(|(slot, ..)| slot.number).chain(spares.iter().map(|s| s.number));
    let next_slot = next_slot.max().unwrap_or(0) + 1;
    let Some((slot, sequence, end, _)) = segments.pop_back() else {
        return Err(Error::Corrupt("the log has no segment".into()));
    };
    let sealed = segments.into_iter().map(|(slot, _, _, last)| Sealed { slot, last }).collect();
    let mut log = Log {
        disk: Arc::clone(disk),
        settings,
        epoch: scan.epoch + 1,
        head,
        active: Active { slot, sequence, end },
        sealed,
        spares,
        next_slot,
        pinned: None,
        poisoned: None,
        syncs: Histogram::default(),
    };
    log.append(Prepared::open())?;
    Ok(Recovered { log, tail: scan.tail })
}

/// Reads every frame again that the tables do not hold, and tells what is damaged.
pub(crate) fn verify<D: Disk>(disk: &D, settings: &Settings, folded: u64) -> Result<u64, Error> {
    let (live, _) = sort_slots(find_slots(disk)?, settings, folded)?;
    let mut scan = Scan::new(settings.store, folded);
    for (slot, header) in live {
        let bytes = read_all(&slot.file)
            .map_err(|e| failed(&format!("read {}", segment::name(slot.number)), &e))?;
        scan.segment(&slot, header, &Bytes::from(bytes))?;
    }
    Ok(scan.position.max(folded))
}

type Live<F> = Vec<(Slot<F>, SegmentHeader)>;

/// Parts the segments that may hold frames behind `folded`, in order, from all others.
fn sort_slots<F: File>(
    found: Vec<Found<F>>,
    settings: &Settings,
    folded: u64,
) -> Result<(Live<F>, Vec<Slot<F>>), Error> {
    let (mut live, mut spares) = (Vec::new(), Vec::new());
    for Found { slot, header } in found {
        match header {
            Some(header) if header.store != settings.store => {
                let why = format!(
                    "{} belongs to store {:032x}, this is store {:032x}",
                    segment::name(slot.number),
                    header.store,
                    settings.store,
                );
                return Err(Error::Corrupt(why));
            }
            Some(header) => live.push((slot, header)),
            None => spares.push(slot),
        }
    }
    live.sort_by_key(|(_, header)| header.sequence);
    if let Some(pair) = live.windows(2).find(|pair| pair[0].1.sequence == pair[1].1.sequence) {
        let names = (segment::name(pair[0].0.number), segment::name(pair[1].0.number));
        let why = format!("{} and {} claim the same place in the log", names.0, names.1);
        return Err(Error::Corrupt(why));
    }
    let Some(start) = live.iter().rposition(|(_, header)| header.first <= folded + 1) else {
        let begin = live.first().map_or_else(
            || "the log has no segment".into(),
            |(_, header)| format!("the log begins at position {}", header.first),
        );
        return Err(Error::Corrupt(format!("{begin}, the tables end at position {folded}")));
    };
    let current = live.split_off(start);
    spares.extend(live.into_iter().map(|(slot, _)| slot));
    Ok((current, spares))
}

/// Looks through segments that should hold nothing: a frame there that was durable tells that the
/// header of a live segment is damaged. Returns those that can be used again, removes the others.
fn check_spares<D: Disk>(
    disk: &D,
    spares: Vec<Slot<D::File>>,
    settings: &Settings,
    head: u64,
) -> Result<Vec<Slot<D::File>>, Error> {
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    for slot in spares {
        let name = segment::name(slot.number);
        let bytes = read_all(&slot.file).map_err(|e| failed(&format!("read {name}"), &e))?;
        let durable =
            frame::find(&bytes, settings.store, HEADER).find(|(_, frame)| frame.synced_to > head);
        if let Some((at, frame)) = durable {
            let why = format!(
                "the header of {name} is damaged: position {} at byte {at} says that position {} \
                 was durable, the log ends at {head}",
                frame.position, frame.synced_to,
            );
            return Err(Error::Corrupt(why));
        }
        if slot.size == settings.segment_bytes && SegmentHeader::parse(&bytes).is_some() {
            kept.push(slot);
        } else {
            removed.push(slot);
        }
    }
    // Only now, since a damaged log keeps all its files.
    for slot in removed {
        remove(disk, slot.number)?;
    }
    Ok(kept)
}

/// Writes the last frame again and syncs it. It may be in the system's cache only, if a sync of it
/// failed before, and a sync of a page that was not written since does nothing.
fn rewrite_last<F: File>(
    segments: &VecDeque<(Slot<F>, u64, u64, u64)>,
    scan: &Scan,
) -> Result<(), Error> {
    let Some((slot, ..)) = segments.back() else { return Ok(()) };
    let write = || {
        if let Some((bytes, range)) = &scan.last {
            slot.file.write_at(&bytes[range.clone()], range.start as u64)?;
        }
        slot.file.write_at(&scan.header, 0)?;
        slot.file.sync()
    };
    write().map_err(|e| failed(&format!("sync {}", segment::name(slot.number)), &e))
}

fn remove<D: Disk>(disk: &D, number: u32) -> Result<(), Error> {
    let name = segment::name(number);
    disk.remove(&name).map_err(|e| failed(&format!("remove {name}"), &e))
}

/// Goes through the live segments in order.
struct Scan {
    store: u128,
    folded: u64,
    /// The last position that was found.
    position: u64,
    epoch: u64,
    tail: Vec<(u64, Bytes)>,
    /// The header of the segment gone through last, and the last frame in it.
    header: [u8; HEADER],
    last: Option<(Bytes, Range<usize>)>,
    begun: bool,
}

impl Scan {
    fn new(store: u128, folded: u64) -> Self {
        Self {
            store,
            folded,
            position: 0,
            epoch: 0,
            tail: Vec::new(),
            header: [0; HEADER],
            last: None,
            begun: false,
        }
    }

    /// Takes the frames of one segment; returns where they end.
    fn segment<F>(
        &mut self,
        slot: &Slot<F>,
        header: SegmentHeader,
        bytes: &Bytes,
    ) -> Result<u64, Error> {
        let name = segment::name(slot.number);
        if self.begun {
            self.expect(header.first, &name, 0)?;
        }
        self.begun = true;
        self.position = header.first - 1;
        self.epoch = self.epoch.max(header.epoch);
        self.header = header.encode();
        self.last = None;
        let mut offset = HEADER;
        loop {
            let next = bytes.get(offset..).and_then(FrameHeader::parse);
            if let Some(frame) = next.filter(|frame| self.follows(frame, header.sequence)) {
                self.take(&frame, bytes, offset);
                offset += frame.space();
                continue;
            }
            let later = frame::find(bytes, self.store, offset).find(|(_, frame)| {
                frame.sequence == header.sequence
                    && frame.position > self.position
                    && frame.epoch >= self.epoch
            });
            let Some((at, frame)) = later else { return Ok(offset as u64) };
            self.expect(frame.position, &name, offset)?;
            self.take(&frame, bytes, at);
            offset = at + frame.space();
        }
    }

    /// Tells whether a frame is the next one. An epoch begins with its own frame, so what an
    /// earlier epoch left behind does not follow a later one.
    fn follows(&self, frame: &FrameHeader, sequence: u64) -> bool {
        let epoch = match frame.kind {
            FrameKind::Batch => frame.epoch == self.epoch,
            FrameKind::Open => frame.epoch >= self.epoch,
        };
        let place = frame.sequence == sequence && frame.position == self.position + 1;
        frame.store == self.store && place && epoch
    }

    /// Refuses a gap before `found`, unless the tables hold what is missing.
    fn expect(&self, found: u64, name: &str, offset: usize) -> Result<(), Error> {
        let wanted = self.position + 1;
        if found == wanted || (found > wanted && found <= self.folded + 1) {
            return Ok(());
        }
        Err(Error::Corrupt(format!(
            "{name} has position {found} where position {wanted} is expected (byte {offset}); the \
             tables end at position {}",
            self.folded,
        )))
    }

    fn take(&mut self, frame: &FrameHeader, bytes: &Bytes, offset: usize) {
        let body = offset + HEADER..offset + HEADER + usize::try_from(frame.body_len).unwrap_or(0);
        self.last = Some((bytes.clone(), offset..body.end));
        self.position = frame.position;
        self.epoch = frame.epoch;
        if frame.position > self.folded && frame.kind == FrameKind::Batch {
            self.tail.push((frame.position, bytes.slice(body)));
        }
    }
}
