//! The bytes of the log: segment headers and batch frames.
//!
//! All numbers are little-endian. A segment begins with a header of 64 bytes; frames follow at
//! offsets that 8 divides, each a header of 64 bytes and a body.
//!
//! | segment header | | frame header | |
//! | --- | --- | --- | --- |
//! | 0 | magic `SWSG` | 0 | magic `SWBF` |
//! | 4 | version, 1 | 4 | kind: 1 batch, 2 open |
//! | 8 | store id | 8 | store id |
//! | 24 | open-epoch that began it | 24 | open-epoch |
//! | 32 | sequence number | 32 | sequence number of the segment |
//! | 40 | position of its first frame | 40 | position |
//! | 48 | zero | 48 | position known to be durable when it was written |
//! | 56 | zero | 56 | length of the body |
//! | 60 | CRC32C of bytes 0 to 60 | 60 | CRC32C of the body, then of bytes 0 to 60 |
//!
//! A recycled segment still holds frames of its former life; their sequence number is another, so
//! they are never taken for frames of this one.

use stepwell_core::planted::{self, Plant};

/// Size of a segment's header and of a frame's header, in bytes.
pub(crate) const HEADER: usize = 64;
/// The largest body, in bytes.
pub(crate) const BODY_MAX: usize = 1 << 30;

const SEGMENT_MAGIC: [u8; 4] = *b"SWSG";
const FRAME_MAGIC: [u8; 4] = *b"SWBF";
const SEGMENT_VERSION: u32 = 1;
const BATCH: u32 = 1;
const OPEN: u32 = 2;

/// What stands at the beginning of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) store: u128,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    /// The position of its first frame; everything before was durable when this was written.
    pub(crate) first: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        put(&mut bytes, 0, &SEGMENT_MAGIC);
        put(&mut bytes, 4, &SEGMENT_VERSION.to_le_bytes());
        put(&mut bytes, 8, &self.store.to_le_bytes());
        put(&mut bytes, 24, &self.epoch.to_le_bytes());
        put(&mut bytes, 32, &self.sequence.to_le_bytes());
        put(&mut bytes, 40, &self.first.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        put(&mut bytes, 60, &crc.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` where there is none, or a damaged one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let good = header[..4] == SEGMENT_MAGIC
            && word(header, 4) == SEGMENT_VERSION
            && word(header, 60) == crc32c::crc32c(&header[..60]);
        good.then(|| Self {
            store: store_id(header),
            epoch: long(header, 24),
            sequence: long(header, 32),
            first: long(header, 40),
        })
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A batch, which is its body.
    Batch,
    /// The first frame of an open-epoch, without a body.
    Open,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: FrameKind,
    pub(crate) store: u128,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) position: u64,
    pub(crate) synced_to: u64,
    pub(crate) body_len: u32,
}

impl FrameHeader {
    /// Encodes the header of a frame whose body has the given CRC32C.
    pub(crate) fn encode(&self, body_crc: u32) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let kind = match self.kind {
            FrameKind::Batch => BATCH,
            FrameKind::Open => OPEN,
        };
        put(&mut bytes, 0, &FRAME_MAGIC);
        put(&mut bytes, 4, &kind.to_le_bytes());
        put(&mut bytes, 8, &self.store.to_le_bytes());
        put(&mut bytes, 24, &self.epoch.to_le_bytes());
        put(&mut bytes, 32, &self.sequence.to_le_bytes());
        put(&mut bytes, 40, &self.position.to_le_bytes());
        put(&mut bytes, 48, &self.synced_to.to_le_bytes());
        put(&mut bytes, 56, &self.body_len.to_le_bytes());
        let crc = crc32c::crc32c_append(body_crc, &bytes[..60]);
        put(&mut bytes, 60, &crc.to_le_bytes());
        bytes
    }

    /// Reads a frame's header and checks it together with its body.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        if header[..4] != FRAME_MAGIC {
            return None;
        }
        let kind = match word(header, 4) {
            BATCH => FrameKind::Batch,
            OPEN => FrameKind::Open,
            _ => return None,
        };
        let body_len = word(header, 56);
        let body = bytes.get(HEADER..)?.get(..usize::try_from(body_len).ok()?)?;
        let whole = word(header, 60) == crc32c::crc32c_append(crc32c::crc32c(body), &header[..60]);
        if !whole && !planted::has(Plant::TornTail) {
            return None;
        }
        Some(Self {
            kind,
            store: store_id(header),
            epoch: long(header, 24),
            sequence: long(header, 32),
            position: long(header, 40),
            synced_to: long(header, 48),
            body_len,
        })
    }

    /// Returns the space that the frame takes, in bytes.
    pub(crate) fn space(&self) -> usize {
        // A length that was read fits, since the body was there.
        space(usize::try_from(self.body_len).unwrap_or(usize::MAX / 2))
    }
}

/// Returns the space that a frame with a body of this length takes, in bytes.
pub(crate) fn space(body_len: usize) -> usize {
    (HEADER + body_len).next_multiple_of(8)
}

/// Finds whole frames of a store at any offset behind `from`, whatever lies between them.
pub(crate) fn find(
    segment: &[u8],
    store: u128,
    from: usize,
) -> impl Iterator<Item = (usize, FrameHeader)> + '_ {
    let mut offset = from.next_multiple_of(8);
    std::iter::from_fn(move || {
        while let Some(rest) = segment.get(offset..).filter(|rest| rest.len() >= HEADER) {
            let at = offset;
            offset += 8;
            if !rest.starts_with(&FRAME_MAGIC) {
                continue;
            }
            if let Some(frame) = FrameHeader::parse(rest).filter(|frame| frame.store == store) {
                offset = at + frame.space();
                return Some((at, frame));
            }
        }
        None
    })
}

fn put(bytes: &mut [u8; HEADER], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn word(bytes: &[u8; HEADER], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn long(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

fn store_id(bytes: &[u8; HEADER]) -> u128 {
    let mut value = [0; 16];
    value.copy_from_slice(&bytes[8..24]);
    u128::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(position: u64, body: &[u8]) -> Vec<u8> {
        let header = FrameHeader {
            kind: FrameKind::Batch,
            store: 7,
            epoch: 3,
            sequence: 1,
            position,
            synced_to: position - 1,
            body_len: u32::try_from(body.len()).unwrap(),
        };
        let mut bytes = header.encode(crc32c::crc32c(body)).to_vec();
        bytes.extend_from_slice(body);
        bytes.resize(header.space(), 0);
        bytes
    }

    /// Flips every bit of a frame in turn: none may pass.
    #[test]
    fn a_frame_with_any_bit_flipped_is_refused() {
        let whole = frame(9, b"a batch of some bytes");
        assert_eq!(FrameHeader::parse(&whole).unwrap().position, 9);
        for bit in 0..(HEADER + 21) * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::parse(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_segment_header_with_any_bit_flipped_is_refused() {
        let header = SegmentHeader { store: u128::MAX / 3, epoch: 2, sequence: 5, first: 44 };
        let whole = header.encode();
        assert_eq!(SegmentHeader::parse(&whole), Some(header));
        for bit in 0..HEADER * 8 {
            let mut damaged = whole;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::parse(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn frames_are_found_behind_garbage() {
        let mut segment = vec![0xa5; 104];
        segment.extend_from_slice(&frame(4, b"four"));
        segment.extend_from_slice(&[0; 24]);
        segment.extend_from_slice(&frame(5, b"five"));
        let found: Vec<_> = find(&segment, 7, 64).map(|(at, f)| (at, f.position)).collect();
        assert_eq!(found, [(104, 4), (104 + 72 + 24, 5)]);
        assert_eq!(find(&segment, 8, 0).count(), 0, "frames of another store");
    }
}
