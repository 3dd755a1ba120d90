//! Moving a database to a store of another kind, and the other way round.
//!
//! Whoever moves holds a lock that lets nobody join. A schema that is being filled has a table `moving`, and one whose
//! content was moved has a table `moved`: as long as one of them is there nobody joins either.
//!
//! | file | holds |
//! | --- | --- |
//! | `mark` | who is refused, and why |
//! | `desk` | the connection of a move |
//! | `read` | rows of tables |
//! | `source` | a database that is moved |
//! | `target` | a database that is moved to |
//! | `write` | journals, and all that follows from them, in bulk |

pub(crate) mod desk;
pub(crate) mod mark;
mod read;
mod source;
mod target;
mod write;

pub use desk::describe;
pub use source::DatabaseSource;
pub use target::DatabaseTarget;
