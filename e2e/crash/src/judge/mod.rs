//! The judgement over a ledger: what was lost, what changed, what was done again.
//!
//! [`judge`] is a pure function: `rules` has what holds for every run, `kinds` what holds for events,
//! children, clean-up and functions that start at most once, `stale` what holds where nodes and runners lose what they had.
//! [`plant`] puts each kind of violation into a ledger that has none, to
//! show that it would be seen.

mod finding;
mod index;
mod kinds;
mod plant;
mod plant_kinds;
mod rules;
mod sample;
mod sample_kinds;
mod stale;
mod verdict;

#[cfg(test)]
mod tests;

pub use finding::{Class, Finding};
pub use plant::{PLANTS, Plant};
pub use sample::sample;
pub use verdict::{Demands, Figures, Verdict, judge};
