//! All that a store holds, moved to a store of another kind.
//!
//! What is stored is things of some [`Kind`]s. Each is a row of plain values, the same for every store, and the
//! rows of a kind have one order. So a store that can read and write rows can be moved from and to, and two
//! stores hold the same where the hashes of all rows are equal.
//!
//! A move goes on where it was: the last row of a kind that is there already tells from where.
//!
//! | file | holds |
//! | --- | --- |
//! | `kind` | kinds, and the columns of their rows |
//! | `row` | rows, and what they add up to |
//! | `carry` | reading of one store, writing to another, comparing both |
//! | `facts` | what there is once in a store |
//! | `made` | what follows from a journal, and things as the engine has them |

mod carry;
mod facts;
mod kind;
mod made;
mod row;

#[cfg(test)]
mod tests;

pub use carry::{Moved, Read, Source, Target, carry, compare};
pub use facts::Facts;
pub use kind::{Column, Kind, Type};
pub use made::{Derived, event_of, journal_of, message_of};
pub use row::{Field, Row, Sum};
