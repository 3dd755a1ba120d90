//! The files of the web console, embedded when this crate is built.
//!
//! `make console` builds the console from `console/` and puts it, compressed, into `dist/` here. A build without
//! it works and has no files; whoever serves them says then how to build it. Nothing but bytes is here.
//!
//! ```
//! if let Some(page) = stepwell_console::file("index.html") {
//!     assert!(page.gzip.starts_with(&[0x1f, 0x8b]));
//! }
//! ```

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "dist"]
#[allow_missing = true]
struct Dist;

/// A file of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its bytes, compressed (RFC 1952).
    pub gzip: Cow<'static, [u8]>,
    /// The SHA-256 of the compressed bytes.
    pub hash: [u8; 32],
}

/// Returns a file by its path without a leading slash; `None` where there is none, or nothing was built.
pub fn file(path: &str) -> Option<File> {
    let found = Dist::get(&format!("{path}.gz"))?;
    Some(File { gzip: found.data, hash: found.metadata.sha256_hash() })
}

/// Returns the size in bytes of everything that is embedded.
pub fn size() -> usize {
    Dist::iter().filter_map(|path| Dist::get(&path)).map(|file| file.data.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_under_a_mebibyte_and_compressed() {
        assert!(size() <= 1024 * 1024, "{} bytes are embedded", size());
        for path in Dist::iter().filter(|path| path != ".stamp") {
            assert!(path.ends_with(".gz"), "{path}");
            let name = path.trim_end_matches(".gz");
            assert!(file(name).is_some_and(|file| file.gzip.starts_with(&[0x1f, 0x8b])), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        assert_eq!(file("../Cargo.toml"), None);
        assert_eq!(file(""), None);
    }
}
