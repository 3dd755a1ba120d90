//! Sabotage: a server that forgets what it wrote last.
//!
//! This is what a server loses with the power that acknowledges before its writes are on the disk. A
//! test that does not notice would prove nothing.

use std::fs::{self, OpenOptions};
use std::io::{Result, Seek, SeekFrom, Write};
use std::path::Path;

/// Erases so many bytes at the end of what is written in the log of a data folder. The segments of the
/// log are made whole and filled with zeros, so the end is the last byte that is not zero.
pub(super) fn forget(data: &Path, bytes: usize) -> Result<()> {
    let mut newest = None;
    for entry in data.read_dir()? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("log-") {
            let written = entry.metadata()?.modified()?;
            newest = newest.max(Some((written, entry.path())));
        }
    }
    let Some((_, path)) = newest else { return Ok(()) };
    let text = fs::read(&path)?;
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let from = end.saturating_sub(bytes);
    let mut file = OpenOptions::new().write(true).open(&path)?;
    file.seek(SeekFrom::Start(from as u64))?;
    file.write_all(&vec![0; end - from])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_newest_segment_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
        write("log-000002", b"old\0\0");
        write("stepwell.db", b"tables");
        let old = fs::File::open(folder.path().join("log-000002")).unwrap();
        old.set_modified(std::time::UNIX_EPOCH).unwrap();
        write("log-000001", b"abcdef\0gh\0\0");
        forget(folder.path(), 4).unwrap();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("log-000001"), b"abcde\0\0\0\0\0\0");
        assert_eq!(
            (read("log-000002"), read("stepwell.db")),
            (b"old\0\0".into(), b"tables".into())
        );
    }
}
