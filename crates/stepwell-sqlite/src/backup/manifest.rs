//! The file `MANIFEST` of a copy: what it is of, and the hash of each of its files.
//!
//! A line for each fact, as `FORMAT` of a data folder has them; the last line is the hash of all before it.

use std::fmt::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;

/// The name of the file.
pub const MANIFEST: &str = "MANIFEST";
const TITLE: &str = "stepwell backup";
/// The layout of copies that is written and read.
const LAYOUT: &str = "1";

/// A file of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub hash: [u8; 32],
}

/// What a copy says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The format of the data folder that it is of.
    pub format: u32,
    /// The id of the store that it is of.
    pub store: u128,
    /// The version that took it.
    pub version: String,
    /// When it was begun, by the clock of the machine.
    pub at: Timestamp,
    /// The position of its tables.
    pub folded: u64,
    /// The last position of its log.
    pub head: u64,
    /// Its files but for this one.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Returns the size of all files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Reads the manifest of a copy.
    ///
    /// # Errors
    /// [`Error::Unusable`] when there is none; [`Error::Corrupt`] when it is not as it was written;
    /// [`Error::Format`] when a later version wrote it.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Error::Unavailable(format!(
                "{} is no backup: its file {MANIFEST} cannot be read: {error}; accepted: a folder \
                 that `stepwell backup` made",
                folder.display()
            ))
        })?;
        Self::parse(&text).map_err(|why| match why {
            Why::Layout(found) => Error::Format {
                found: format!("a backup of layout {found} in {}", folder.display()),
                known: LAYOUT.to_owned(),
            },
            Why::Damaged(what) => Error::Corrupt(format!("{}: {what}", path.display())),
        })
    }

    /// Returns the content of the file.
    pub fn to_text(&self) -> String {
        let Self { format, store, version, at, folded, head, files } = self;
        let mut text = format!(
            "{TITLE}\nlayout {LAYOUT}\nformat {format}\nstore {store:032x}\nversion {version}\n\
             at {at}\nfolded {folded}\nhead {head}\n"
        );
        for FileEntry { name, bytes, hash } in files {
            // Writing to a text does not fail.
            let _ = writeln!(text, "file {} {bytes} {name}", HEXLOWER.encode(hash));
        }
        let sum = HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
        let _ = writeln!(text, "sum {sum}");
        text
    }

    fn parse(text: &str) -> Result<Self, Why> {
        let damaged = |what: &str| Why::Damaged(what.to_owned());
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err(damaged("its first line is another one"));
        }
        let mut fact = |name: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.ok_or_else(|| Why::Damaged(format!("its line `{name}` is missing")))
        };
        let layout = fact("layout")?;
        if layout != LAYOUT {
            return Err(Why::Layout(layout.to_owned()));
        }
        let (body, sum) = text
            .trim_end()
            .rsplit_once("\nsum ")
            .ok_or_else(|| damaged("its last line is missing"))?;
        let body = &text[..=body.len()];
        if HEXLOWER.encode(&Sha256::digest(body.as_bytes())) != sum {
            return Err(damaged("its hash is another one"));
        }
        let bad = |what: &str| Why::Damaged(format!("its line `{what}` is not understood"));
        let format = fact("format")?.parse().map_err(|_| bad("format"))?;
        let store = u128::from_str_radix(fact("store")?, 16).map_err(|_| bad("store"))?;
        let version = fact("version")?.to_owned();
        let at = Timestamp::parse_iso(fact("at")?).map_err(|_| bad("at"))?;
        let folded = fact("folded")?.parse().map_err(|_| bad("folded"))?;
        let head = fact("head")?.parse().map_err(|_| bad("head"))?;
        let files = body.lines().filter_map(|line| line.strip_prefix("file "));
        let files = files.map(|line| FileEntry::parse(line).ok_or_else(|| bad("file")));
        let files = files.collect::<Result<_, _>>()?;
        Ok(Self { format, store, version, at, folded, head, files })
    }
}

impl FileEntry {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, ' ');
        let hash = HEXLOWER.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()?;
        let bytes = parts.next()?.parse().ok()?;
        let name = parts.next()?.to_owned();
        // What leads out of the folder is not read.
        let plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        plain.then_some(Self { name, bytes, hash })
    }
}

enum Why {
    Layout(String),
    Damaged(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let file = |name: &str, n| FileEntry {
            name: name.into(),
            bytes: n,
            hash: [n.to_le_bytes()[0]; 32],
        };
        Manifest {
            format: 2,
            store: 7,
            version: "0.1.0".into(),
            at: Timestamp::from_millis(1_795_262_400_000),
            folded: 12,
            head: 15,
            files: vec![file("stepwell.db", 8_192), file("log-000001", 64)],
        }
    }

    #[test]
    fn a_manifest_reads_back_and_no_byte_of_it_may_change() {
        let text = manifest().to_text();
        assert!(Manifest::parse(&text).is_ok_and(|read| read == manifest()), "{text}");
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(Manifest::parse(&damaged).is_err(), "byte {at}: {damaged}");
            assert!(Manifest::parse(&text[..at]).is_err(), "cut at byte {at}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../x", "a/b", "/etc/passwd", ".hidden", ""] {
            let mut manifest = manifest();
            manifest.files[0].name = name.into();
            assert!(Manifest::parse(&manifest.to_text()).is_err(), "{name}");
        }
    }
}
