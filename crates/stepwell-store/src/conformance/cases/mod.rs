//! The cases of the suite.

mod commits;
mod deletes;
mod events;
mod inbox;
mod keys;
mod lists;
mod pairs;
mod purges;
mod queues;
mod states;
mod waits;
mod walks;

use super::world::World;

/// One case: a name that says what must hold, and how that is shown.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) run: Box<dyn Fn(&mut World<'_>)>,
}

impl Case {
    fn new(name: impl Into<String>, run: impl Fn(&mut World<'_>) + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// Returns every case.
pub(super) fn all() -> Vec<Case> {
    let parts = [
        states::cases(),
        queues::cases(),
        lists::cases(),
        pairs::cases(),
        keys::cases(),
        commits::cases(),
        purges::cases(),
        deletes::cases(),
        waits::cases(),
        events::cases(),
        inbox::cases(),
        walks::cases(),
    ];
    let cases: Vec<Case> = parts.into_iter().flatten().collect();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "every case has a name of its own");
    cases
}
