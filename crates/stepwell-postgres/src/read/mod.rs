//! What is asked.
//!
//! | file | holds |
//! | --- | --- |
//! | `row` | rows of runs as summaries |
//! | `history` | journals, and whether they are what was written |
//! | `runs` | queues, timers, keys, workflows |
//! | `filter` | what a filter asks, as a condition |
//! | `list` | pages of runs, and how many there are |
//! | `ends` | how many runs ended, by the minute; how many have not |
//! | `events` | events and what they did |
//! | `waits` | parked waits, and messages between runs |

mod ends;
mod events;
mod filter;
mod history;
mod list;
mod row;
mod runs;
mod waits;

pub(crate) use ends::{ends, open_runs};
pub(crate) use events::{EVENT, did, event, events_list, place_at, read_event, unrouted};
pub(crate) use history::{CHUNKS, Journal, join, journal};
pub(crate) use list::{Found, counts, list};
pub(crate) use row::{COLUMNS, LAST, read as read_summary};
pub(crate) use runs::{active, blocked, due, ended, high_water, key, ready, workflow, workflows};
pub(crate) use waits::{MESSAGE, inbox, message, waits_for};
