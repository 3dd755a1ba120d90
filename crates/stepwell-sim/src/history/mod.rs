//! What was observed, in order: the only thing that checkers see.
//!
//! | file | holds |
//! | --- | --- |
//! | `fact` | what was observed |
//! | `asked` | what clients ask for, and what they are answered |

mod asked;
mod fact;

pub use asked::{Answer, Asked, Forked, Known, Place, given_by_hand};
pub use fact::{
    Call, End, Fact, Held, History, Node, Process, ReadBack, Request, Sent, TakenBack, Written,
};
