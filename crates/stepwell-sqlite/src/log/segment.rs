//! Segment files.

use std::io;

use stepwell_store::Error;

use super::frame::{HEADER, SegmentHeader};
use crate::disk::{Disk, File};

const PREFIX: &str = "log-";
/// Zeros are written in pieces of this size, in bytes.
const FILL: usize = 1 << 20;

/// A segment file, whatever is in it.
#[derive(Debug)]
pub(crate) struct Slot<F> {
    /// The number in its name, which never changes and says nothing of what it holds.
    pub(crate) number: u32,
    pub(crate) file: F,
    pub(crate) size: u64,
}

/// Returns the name of a segment file.
pub(crate) fn name(number: u32) -> String {
    format!("{PREFIX}{number:06}")
}

fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(PREFIX)?;
    let plain = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// Makes a segment file of zeros and makes it durable, so that a commit into it changes no metadata.
pub(crate) fn create_slot<D: Disk>(disk: &D, number: u32, size: u64) -> io::Result<Slot<D::File>> {
    let name = name(number);
    let file = disk.create(&name)?;
    let fill = || {
        let zeros = vec![0; FILL.min(usize::try_from(size).unwrap_or(FILL))];
        let mut offset = 0;
        while offset < size {
            let len = usize::try_from(size - offset).unwrap_or(FILL).min(FILL);
            file.write_at(&zeros[..len], offset)?;
            offset += len as u64;
        }
        file.sync()?;
        disk.sync_dir()
    };
    match fill() {
        Ok(()) => Ok(Slot { number, file, size }),
        Err(error) => {
            // What is left behind has no header; the next open removes it.
            let _ = disk.remove(&name);
            Err(error)
        }
    }
}

/// A segment file with its header, where it has one.
pub(crate) struct Found<F> {
    pub(crate) slot: Slot<F>,
    pub(crate) header: Option<SegmentHeader>,
}

/// Opens every segment file of a folder.
pub(crate) fn find_slots<D: Disk>(disk: &D) -> Result<Vec<Found<D::File>>, Error> {
    let mut numbers: Vec<u32> = disk
        .list()
        .map_err(|e| failed("list the folder", &e))?
        .iter()
        .filter_map(|n| number(n))
        .collect();
    numbers.sort_unstable();
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        let name = name(number);
        let open = || {
            let file = disk.open(&name)?;
            let size = file.size()?;
            let mut header = [0; HEADER];
            let got = file.read_at(&mut header, 0)?;
            let header = SegmentHeader::parse(&header[..got]);
            io::Result::Ok(Found { slot: Slot { number, file, size }, header })
        };
        found.push(open().map_err(|e| failed(&format!("read {name}"), &e))?);
    }
    Ok(found)
}

/// Makes the error of a file that could not be read or written.
pub(crate) fn failed(what: &str, error: &io::Error) -> Error {
    Error::Unavailable(format!("cannot {what}: {error}"))
}
