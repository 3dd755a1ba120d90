//! Copies of a store, and stores that were made from one.
//!
//! A store that keeps its bytes in a folder of its own can be copied while it is used, and tells whether
//! it was made from such a copy.

use std::path::Path;

use stepwell_core::time::Timestamp;

use crate::error::Error;
use crate::store::Position;

/// What a store in a folder can do beside keeping runs.
pub trait InFolder {
    /// Copies everything that was durable when this was called into a folder of its own below
    /// `ask.into`, while commits go on. What is left behind of copies that were cut off goes first, and
    /// the oldest copies of this store go last, once the new one is whole.
    ///
    /// # Errors
    /// [`Error::NoRoom`] when it would not fit, [`Error::Unavailable`] when the disk refuses or
    /// `ask.watch` says to stop: nothing that looks like a copy was left behind, and older copies are as
    /// they were.
    fn back_up(&self, ask: &Ask<'_>) -> Result<Taken, Error>;

    /// Returns the copies in a folder, of whatever store, oldest first. What is no copy is left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the folder cannot be read; a folder that is not there holds none.
    fn backups(&self, folder: &Path) -> Result<Vec<Taken>, Error>;

    /// Returns the store's id, which its copies name.
    fn store_id(&self) -> u128;

    /// Tells of which copy the store was made, if it was made of one.
    fn restored(&self) -> Option<Restored>;

    /// Lets the runs of a store that was restored go on; durable when this returns. Changes nothing
    /// where they may already.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk refuses.
    fn let_go(&self) -> Result<(), Error>;
}

/// How a copy is made.
pub struct Ask<'a> {
    /// The folder that holds copies; made where it is not there.
    pub into: &'a Path,
    /// When, for the copy's name.
    pub at: Timestamp,
    /// How many copies of this store stay, the new one among them; at least 1.
    pub kept: usize,
    /// Free bytes that stay on the disk.
    pub reserve: u64,
    /// Is told how far the copy is, every few milliseconds, and says whether to go on.
    pub watch: &'a dyn Fn(Progress) -> Go,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were copied.
    pub copied: u64,
    /// Bytes that there are to copy.
    pub total: u64,
}

/// Whether a copy goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// It is given up.
    Stop,
}

/// A whole copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The name of its folder.
    pub name: String,
    /// The id of the store that it is of.
    pub store: u128,
    /// When it was begun, by the clock of the machine.
    pub at: Timestamp,
    /// The position up to which its tables are.
    pub folded: Position,
    /// The position up to which it is: everything durable when it was begun, and maybe more.
    pub head: Position,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// Of which copy a store was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The name of the copy.
    pub backup: String,
    /// The id of the store that the copy is of.
    pub store: u128,
    /// When the copy was begun, by the clock of the machine.
    pub taken_at: Timestamp,
    /// The engine time of the last thing in it. What was given to runners at or before it was given by
    /// the original, and is void here.
    pub until: Timestamp,
    /// Runs are held back until somebody lets them go.
    pub held: bool,
}
