//! Workflows that say how their runs end.

/// What such a workflow says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saga {
    /// It has a function for runs that end badly.
    pub on_failure: bool,
    /// Cancelled runs are cleaned up too.
    pub on_cancel: bool,
    /// How often its handler runs at most.
    pub attempts: u32,
}

impl Saga {
    /// Every such workflow.
    pub const ALL: [Self; 4] = [
        Self { on_failure: false, on_cancel: false, attempts: 1 },
        Self { on_failure: true, on_cancel: true, attempts: 1 },
        Self { on_failure: true, on_cancel: false, attempts: 3 },
        Self { on_failure: false, on_cancel: true, attempts: 2 },
    ];

    /// Returns the one that a program's number stands for.
    pub fn of(program: u64) -> Self {
        Self::ALL[usize::try_from(program % 4).unwrap_or(0)]
    }

    /// Finds one by the name of its workflow.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Returns the name of the workflow.
    pub fn name(self) -> String {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        format!("saga-{place}")
    }
}
