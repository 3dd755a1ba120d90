//! An observed run in the words of another system.

use stepwell_core::status::{Dialect, StepStatus as Durable};

use super::run::RunView;
use super::step::StepStatus;
use crate::event::Said;
use crate::record::State;

impl StepStatus {
    /// The status of a durable step that says the same; `None` where there is none (§3.1, §10.5).
    const fn durable(self) -> Option<Durable> {
        match self {
            Self::Running => Some(Durable::Running),
            Self::Completed => Some(Durable::Completed),
            Self::Failed => Some(Durable::Failed),
            Self::Skipped => Some(Durable::Skipped),
            Self::Stuck | Self::Missing | Self::NotReached => None,
        }
    }
}

impl Said {
    const fn durable(self) -> Durable {
        match self {
            Self::Running => Durable::Running,
            Self::Success => Durable::Completed,
            Self::Error => Durable::Failed,
            Self::Skipped => Durable::Skipped,
        }
    }
}

impl State {
    /// Returns the word in answers, or that of another system (§13.2).
    pub const fn word(self, dialect: Option<Dialect>) -> &'static str {
        let Some(dialect) = dialect else { return self.as_str() };
        dialect.says(match self {
            Self::Skipped => Durable::Skipped,
            Self::Completed => Durable::Completed,
            Self::Running => Durable::Running,
            Self::Failed => Durable::Failed,
        })
    }
}

impl RunView {
    /// Says how steps and their attempts are in the words of another system (§13.2). All else stays: statuses of runs,
    /// and that a step is `stuck`, `missing` or `not_reached`.
    pub fn speak(&mut self, dialect: Dialect) {
        for step in &mut self.steps {
            let known = StepStatus::ALL.into_iter().find(|status| status.as_str() == step.status);
            if let Some(status) = known.and_then(StepStatus::durable) {
                step.status = dialect.says(status);
            }
            for attempt in &mut step.attempts {
                if let Some(said) = Said::parse(attempt.status) {
                    attempt.status = dialect.says(said.durable());
                }
            }
        }
    }
}
