//! Moving a folder to a store of another kind, and the other way round.
//!
//! The folder that is moved from is owned by the move as by a server. What is in its log is put into its tables,
//! as at each start, and read from there; nothing of what it holds is changed. The folder that is moved to is no
//! store until everything is in it.
//!
//! | file | holds |
//! | --- | --- |
//! | `mark` | the files that say what is being done with a folder, and who is refused |
//! | `read` | rows of tables and ledger |
//! | `source` | a folder that is moved |
//! | `target` | a folder that is moved to |

pub(crate) mod mark;
mod read;
mod source;
mod target;

pub use source::FolderSource;
pub use target::FolderTarget;
