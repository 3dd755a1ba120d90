//! Checkers: functions over what was observed, one file for each invariant.
//!
//! | file | holds |
//! | --- | --- |
//! | `worlds` | a history taken apart where the server was lost and another made of a backup |
//! | `story` | the history with its journals read: what checkers look at |
//! | `all` | running all of them |
//! | `i01` … `i24` | one invariant each, under the numbers of the project's list; two where several nodes make another matter of it |
//! | `events` | events wake what waits for them, once, and nothing is missed |
//! | `acts` | what operators do is in the history, and does what it says |
//! | `children` | children and chains: who started whom, whose end was heard, who is left behind |
//! | `copies` | copies of runs are what was sent, and never run |
//! | `forks` | runs that are made of others keep what they are to, and no more |
//! | `once` | functions that start at most once do |
//! | `search` | what code set is what its run is found by |
//! | `races` | a race has one winner, and leaves nothing open |
//! | `pause` | while a run is paused nothing of it begins |
//! | `restores` | a store that is made of a backup has no more than that, and is held |
//! | `protocol` | nobody is refused who keeps to the protocol |
//!
//! A checker takes the whole history at the end. It sees nothing else, so it can be shown a history
//! with a violation put in, and has to refuse it: each file's tests do.

mod acts;
mod all;
mod children;
mod copies;
mod events;
mod forks;
mod i01_acks;
mod i02_append_only;
mod i03_atomic;
mod i04_fail_stop;
mod i05_damage;
mod i06_one_result;
mod i07_no_restart;
mod i08_attempts;
mod i09_fold;
mod i10_progress;
mod i11_keys;
mod i12_one_end;
mod i13_timers;
mod i16_cancel;
mod i17_clean_up;
mod i18_deadline;
mod i20_one_holder;
mod i20_one_writer;
mod i21_no_stale_answer;
mod i24_bounded;
mod once;
mod pause;
mod protocol;
mod races;
mod restores;
mod search;
mod story;
#[cfg(test)]
mod testing;
mod uptime;
mod worlds;

pub use all::{Violation, check};
