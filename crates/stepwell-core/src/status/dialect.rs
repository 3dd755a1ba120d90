//! Statuses of steps in the words of other systems (§13.2); `spec/dialects.json` is the same as a table.

use super::StepStatus;

/// A system whose words for steps are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Failpath.
    Failpath,
    /// Loops.
    Loops,
    /// Durablex, whose words are those of §3.1.
    Durablex,
    /// QUESTPIE.
    Questpie,
}

impl Dialect {
    /// Every system.
    pub const ALL: [Self; 4] = [Self::Failpath, Self::Loops, Self::Durablex, Self::Questpie];

    const fn word(self) -> &'static str {
        match self {
            Self::Failpath => "failpath",
            Self::Loops => "loops",
            Self::Durablex => "durablex",
            Self::Questpie => "questpie",
        }
    }

    /// Returns the word that the system has for a step of this status (§13.2).
    pub const fn says(self, status: StepStatus) -> &'static str {
        match self {
            Self::Failpath => failpath(status),
            Self::Loops => loops(status),
            Self::Durablex => status.as_str(),
            Self::Questpie => questpie(status),
        }
    }

    /// Says a word of §3.1 as the system does; one that is none of these stays as it is.
    pub fn instead_of(self, word: &'static str) -> &'static str {
        StepStatus::parse(word).map_or(word, |status| self.says(status))
    }
}

words!(Dialect);

const fn failpath(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Running | StepStatus::Retrying | StepStatus::Sleeping | StepStatus::Waiting => {
            "running"
        }
        StepStatus::Completed => "success",
        StepStatus::Skipped => "skipped",
        StepStatus::Pending
        | StepStatus::Failed
        | StepStatus::TimedOut
        | StepStatus::Cancelled
        | StepStatus::Unknown => "error",
    }
}

const fn loops(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::Running | StepStatus::Retrying | StepStatus::Sleeping | StepStatus::Waiting => {
            "running"
        }
        StepStatus::Completed | StepStatus::Skipped => "succeeded",
        StepStatus::Failed | StepStatus::TimedOut | StepStatus::Cancelled | StepStatus::Unknown => {
            "failed"
        }
    }
}

const fn questpie(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::Running | StepStatus::Retrying => "running",
        StepStatus::Sleeping => "sleeping",
        StepStatus::Waiting => "waiting",
        StepStatus::Completed | StepStatus::Skipped => "completed",
        StepStatus::Failed | StepStatus::TimedOut | StepStatus::Cancelled | StepStatus::Unknown => {
            "failed"
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::{String, ToString};

    use super::*;

    /// §13.2: every status has in every system the word of the table, which has no other rows.
    #[test]
    fn words_are_those_of_the_table() {
        let table: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(include_str!("../../../../spec/dialects.json")).unwrap();
        let row = |dialect: Dialect| {
            let word = |status| (StepStatus::to_string(&status), dialect.says(status).to_string());
            (dialect.to_string(), StepStatus::ALL.map(word).into())
        };
        assert_eq!(table, Dialect::ALL.map(row).into());
    }

    /// §13.2: what is no status of a step has no other word.
    #[test]
    fn other_words_stay() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.as_str()), Some(dialect));
            assert_eq!(dialect.instead_of("lost"), "lost");
        }
        assert_eq!(Dialect::Loops.instead_of("completed"), "succeeded");
        assert_eq!(Dialect::parse("Loops"), None);
    }
}
