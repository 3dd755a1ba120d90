//! Copies of a store that is in use, and stores made from them.
//!
//! A copy is a folder: the tables as of one position P, the segments of the log behind P, what operators
//! own (ledger and pepper), and a manifest with the hash of each file. It gets its name when it is whole
//! and durable, so what has the name is a copy.
//!
//! | file | holds |
//! | --- | --- |
//! | `copy` | copying tables and log while commits go on |
//! | `take` | a copy as a folder: names, room, what is left of others |
//! | `files` | copying and hashing files |
//! | `manifest` | the file `MANIFEST` |
//! | `verify` | reading a copy whole |
//! | `restore` | a data folder made from a copy |
//! | `settle` | tables and log of a copy become those of a store of its own |
//! | `mark` | the files that say what a data folder was made from |

mod copy;
mod files;
mod manifest;
pub(crate) mod mark;
mod restore;
mod settle;
mod take;
mod verify;

pub(crate) use copy::copy_database;
pub(crate) use files::copy as copy_file;
pub use manifest::{FileEntry, MANIFEST, Manifest};
pub use restore::{Made, restore};
pub use settle::{Origin, settle};
pub use take::list;
pub use verify::{Verified, verify};
