//! Running all checkers.

use std::fmt;

use super::story::Story;
use super::{
    acts, children, copies, events, forks, i01_acks, i02_append_only, i03_atomic, i04_fail_stop,
    i05_damage, i06_one_result, i07_no_restart, i08_attempts, i09_fold, i10_progress, i11_keys,
    i12_one_end, i13_timers, i16_cancel, i17_clean_up, i18_deadline, i20_one_holder,
    i20_one_writer, i21_no_stale_answer, i24_bounded, once, pause, protocol, races, restores,
    search, worlds,
};
use crate::clock::Micros;
use crate::history::History;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant does not hold.
    pub invariant: &'static str,
    /// When that was seen.
    pub at: Micros,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tick={} {}", self.invariant, self.at, self.what)
    }
}

type Checker = fn(&Story<'_>, &mut Found);

/// What a checker finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) violations: Vec<Violation>,
    invariant: &'static str,
}

impl Found {
    /// Notes that something must not be.
    pub(super) fn add(&mut self, at: Micros, what: String) {
        self.violations.push(Violation { invariant: self.invariant, at, what });
    }
}

const ALL: [(&str, Checker); 30] = [
    ("I1", i01_acks::check),
    ("I2", i02_append_only::check),
    ("I3", i03_atomic::check),
    ("I4", i04_fail_stop::check),
    ("I5", i05_damage::check),
    ("I6", i06_one_result::check),
    ("I7", i07_no_restart::check),
    ("I8", i08_attempts::check),
    ("I9", i09_fold::check),
    ("I10", i10_progress::check),
    ("I11", i11_keys::check),
    ("I12", i12_one_end::check),
    ("I13", i13_timers::check),
    ("I16", i16_cancel::check),
    ("I17", i17_clean_up::check),
    ("I18", i18_deadline::check),
    ("I20", i20_one_holder::check),
    ("I20", i20_one_writer::check),
    ("I21", i21_no_stale_answer::check),
    ("I24", i24_bounded::check),
    ("acts", acts::check),
    ("once", once::check),
    ("children", children::check),
    ("copies", copies::check),
    ("forks", forks::check),
    ("pause", pause::check),
    ("protocol", protocol::check),
    ("races", races::check),
    ("events", events::check),
    ("search", search::check),
];

/// Checks a history, the part of each store by itself and then what is between them; returns what must not be, the
/// earliest first.
pub fn check(history: &History) -> Vec<Violation> {
    let mut found = Found::default();
    for world in worlds::of(&history.facts) {
        let story = Story::of(&world);
        for (invariant, checker) in ALL {
            found.invariant = invariant;
            checker(&story, &mut found);
        }
    }
    found.invariant = "restores";
    restores::check(&history.facts, &mut found);
    found.violations.sort_by_key(|violation| violation.at);
    found.violations
}

/// Runs one checker over a history, for its tests.
#[cfg(test)]
pub(super) fn run(checker: Checker, history: &History) -> Vec<String> {
    let mut found = Found::default();
    checker(&Story::of(&history.facts), &mut found);
    found.violations.into_iter().map(|violation| violation.what).collect()
}
