//! The ledger: what functions and clients say that happened, written outside of the engine.
//!
//! Each process writes a *sheet* of its own: one fact a line, appended with one `write(2)`, which is
//! whole or, when the process is killed in the middle of it, the torn end of the sheet. The facts of
//! several sheets are put in order by the monotonic clock, which all processes of a machine share.

mod clock;
mod fact;
mod hash;
mod pen;
mod sheet;

pub use clock::Stamp;
pub use fact::{Fact, Fault, Origin, Source, StepRead, Target, What};
pub use hash::Hash;
pub use pen::Pen;
pub use sheet::{Sheet, Unreadable, load, parse};
