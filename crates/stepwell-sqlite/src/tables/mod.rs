//! The tables behind the log: SQLite, written by the fold only.
//!
//! | file | holds |
//! | --- | --- |
//! | `schema` | tables, indexes, the view of steps |
//! | `connection` | opening, and a pool for readers |
//! | `read` | queues, timers, keys, rows |
//! | `list` | pages of runs |
//! | `delete` | runs that go, and which those are |
//! | `ends` | how many runs ended, by the minute |
//! | `open` | how many runs of each workflow have not ended |
//! | `counts` | how many runs of each status |
//! | `find`, `walk`, `search`, `check` | which runs fit a filter: plans, indexes of rows, of attributes, one run |
//! | `history` | journals: chunks, their check, reading them whole |
//! | `events` | events and what they did |
//! | `inbox` | messages between runs |
//! | `waits` | parked waits, by event and leaf |
//! | `orphans` | rows that belong to nothing |
//! | `write` | what a fold writes, in one transaction |

mod check;
mod connection;
mod counts;
mod delete;
mod ends;
mod events;
mod find;
mod history;
mod inbox;
mod list;
mod open;
mod orphans;
mod read;
mod row;
mod schema;
mod search;
mod waits;
mod walk;
mod write;

pub use connection::Place;
pub(crate) use connection::{Reader, Tables, begin_meta, check_meta, failed, shape};
pub(crate) use counts::counts;
pub(crate) use delete::{delete_run, delete_runs, expired};
pub(crate) use ends::ends;
pub(crate) use events::{
    check as event_check, damaged_events, did, event, events_list, purge_events, unrouted,
};
pub(crate) use history::{Damage, chunks, journal};
pub(crate) use inbox::{check as message_check, inbox};
pub(crate) use list::{Found, list};
pub(crate) use open::open_runs;
pub(crate) use orphans::{drop_orphans, orphans};
pub(crate) use read::{
    active, blocked, due, ended, find_key, high_water, integrity, position, ready, runs_behind,
    workflows,
};
pub(crate) use row::find as find_row;
pub(crate) use waits::waits_for;
pub(crate) use write::{FoldRun, FoldWrite, put_rows, write};
