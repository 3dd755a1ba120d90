//! The node's process: the real node over the real store, driven as a server drives them; or several, each on a
//! machine of its own, over a database that they share.
//!
//! | file | holds |
//! | --- | --- |
//! | `machine` | the machine: its disk, its tables, its clocks; processes begin and end on it |
//! | `begin` | a process begins: it opens the store, and makes a node for it |
//! | `backup` | backups of the store, and a store that is made of one |
//! | `life` | one node over one opening of the store: inputs, outputs, commits |
//! | `reply` | its answers to clients |
//! | `inbox` | what waits for the node |
//! | `ledger` | which runs there are, and which of them have ended |
//! | `shared`, `standing` | a node among several: its membership, its lease, its time |
//! | `ask` | statements to the database that it shares with them |
//! | `database` | that database: its clock, its standby, what happened in it |
//! | `tap` | reads what the node sends, and notes it |
//! | `read` | reads all that the store holds |

mod ask;
mod backup;
mod begin;
mod database;
mod inbox;
mod ledger;
mod life;
mod machine;
mod read;
mod reply;
mod shared;
mod standing;
mod tap;

pub(crate) use database::Database;
pub(crate) use inbox::APP;
pub(crate) use inbox::Item;
pub(crate) use ledger::Ledger;
pub(crate) use machine::Machine;
pub(crate) use standing::Step;
