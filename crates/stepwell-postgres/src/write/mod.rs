//! What a commit writes, as one statement.
//!
//! | file | holds |
//! | --- | --- |
//! | `commit` | the statement: the fence, and what of a batch is there |
//! | `runs` | rows of runs, their journals, keys, attributes and waits |
//! | `others` | workflows, events, messages, answers, and what is free from now on |
//! | `known` | which rows need not be written, since they would be what they are |
//! | `columns` | values of many rows, column by column |

mod columns;
mod commit;
mod known;
mod others;
mod runs;

pub(crate) use commit::{Commit, commit};
pub(crate) use known::Known;
