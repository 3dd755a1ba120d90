//! How long ended runs are kept, and what becomes of one that is to be deleted.

use std::sync::Arc;

use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

/// How long ended runs are kept: the first rule that fits a run counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRetention {
    /// The rules.
    pub rules: Vec<RetentionRule>,
    /// Runs that no rule fits go when they ended before this.
    pub kept_from: Timestamp,
}

/// How long some ended runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// Only runs of this namespace.
    pub namespace: Option<Arc<str>>,
    /// Only runs of this app.
    pub app: Option<Arc<str>>,
    /// Only runs of this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only runs that ended with one of these statuses; empty for all.
    pub statuses: Vec<RunStatus>,
    /// Runs that the rule fits go when they ended before this.
    pub kept_from: Timestamp,
}

/// What runs are told apart by: all of one kind are kept equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKind<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The app.
    pub app: &'a str,
    /// The workflow.
    pub workflow: &'a str,
    /// The status with which they ended.
    pub status: RunStatus,
}

impl<'a> RunKind<'a> {
    /// Returns the kind of a run.
    pub fn of(run: &'a Summary) -> Self {
        let Summary { namespace, app, workflow, status, .. } = run;
        Self { namespace, app, workflow, status: *status }
    }
}

impl RunRetention {
    /// Keeps all runs equally long.
    pub fn of(kept_from: Timestamp) -> Self {
        Self { rules: Vec::new(), kept_from }
    }

    /// Returns from when on runs of a kind are kept: those that ended before this go.
    pub fn kept_from(&self, kind: RunKind<'_>) -> Timestamp {
        let rule = self.rules.iter().find(|rule| rule.fits(kind));
        rule.map_or(self.kept_from, |rule| rule.kept_from)
    }

    /// Returns the instant from which on runs of every kind are kept.
    pub fn all_kept_from(&self) -> Timestamp {
        let rules = self.rules.iter().map(|rule| rule.kept_from);
        rules.fold(self.kept_from, Timestamp::max)
    }
}

impl RetentionRule {
    fn fits(&self, kind: RunKind<'_>) -> bool {
        let is = |wanted: &Option<Arc<str>>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| **wanted == *found)
        };
        is(&self.namespace, kind.namespace)
            && is(&self.app, kind.app)
            && is(&self.workflow, kind.workflow)
            && (self.statuses.is_empty() || self.statuses.contains(&kind.status))
    }
}

/// What became of a run that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, durably, with its journal, its key, and what events did to it.
    Done,
    /// There is no such run in this namespace.
    Unknown,
    /// It has not ended, and stays.
    Open(RunStatus),
    /// It stays for the moment: it is being written, or an event that did something to it is not done with
    /// all that it does, and could begin it again.
    Early,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §4.8: which rule counts for a run.
    #[test]
    fn the_first_rule_that_fits_counts() {
        let at = Timestamp::from_millis;
        let rule = |workflow: Option<&str>, statuses: &[RunStatus], millis| RetentionRule {
            namespace: None,
            app: None,
            workflow: workflow.map(Arc::from),
            statuses: statuses.to_vec(),
            kept_from: at(millis),
        };
        let rules = vec![
            rule(Some("audit"), &[], 1),
            rule(None, &[RunStatus::Failed, RunStatus::TimedOut], 2),
            rule(Some("mail"), &[RunStatus::Failed, RunStatus::Completed], 3),
        ];
        let retention = RunRetention { rules, kept_from: at(4) };
        for (workflow, status, expected) in [
            ("audit", RunStatus::Failed, 1),
            ("audit", RunStatus::Completed, 1),
            ("mail", RunStatus::Failed, 2),
            ("mail", RunStatus::Completed, 3),
            ("mail", RunStatus::Cancelled, 4),
            ("other", RunStatus::TimedOut, 2),
            ("other", RunStatus::Completed, 4),
        ] {
            let kind = RunKind { namespace: "default", app: "shop", workflow, status };
            assert_eq!(retention.kept_from(kind), at(expected), "{workflow} {status}");
        }
        assert_eq!(retention.all_kept_from(), at(4));
    }
}
