//! The node's process: the real node over the real store, driven as a server drives them.
//!
//! | file | holds |
//! | --- | --- |
//! | `machine` | the machine: its disk, its tables, its clocks; processes begin and end on it |
//! | `begin` | a process begins: it opens the store, and makes a node for it |
//! | `backup` | backups of the store, and a store that is made of one |
//! | `life` | one node over one opening of the store: inputs, outputs, commits |
//! | `inbox` | what waits for the node |
//! | `ledger` | which runs there are, and which of them have ended |
//! | `tap` | reads what the node sends, and notes it |
//! | `read` | reads all that the store holds |

mod backup;
mod begin;
mod inbox;
mod ledger;
mod life;
mod machine;
mod read;
mod tap;

pub(crate) use inbox::APP;
pub(crate) use inbox::Item;
pub(crate) use machine::Machine;
