//! Bundles: copies of runs with their whole journals, for other servers and for reports of errors.
//!
//! A bundle is JSON Lines ([`MEDIA_TYPE`]). The first line names the format, the last one says how many
//! runs there were, so that a file that was cut off is known. Between them stands for each run a line that
//! says how many records follow, and their hash; then the records, as they stand in the journal:
//!
//! ```text
//! {"stepwell":"bundle","version":1,"by":"0.1.0","at":"2026-11-21T14:02:05.000000Z"}
//! {"run":{"id":"run_…","app":"shop","workflow":"pay","status":"completed","records":2,"bytes":341,"sha256":"…"}}
//! {"started":{…}}
//! {"ended":{…}}
//! {"end":{"runs":1,"skipped":0}}
//! ```
//!
//! The hash is that of the run's id and of each record, with a line feed behind each. It tells damage, not
//! who wrote it.
//!
//! | file | holds |
//! | --- | --- |
//! | `line` | what stands in lines |
//! | `write` | making bundles |
//! | `read` | reading them, from whoever sends them |

mod line;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use line::Copied;
pub use read::{Error, Item, Reader};
pub use write::{end, head, run, skipped};

/// The format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// What a bundle is as a body of HTTP.
pub const MEDIA_TYPE: &str = "application/x-ndjson";
