//! Rules of the file that say which ended runs are kept for how long.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use stepwell_core::status::RunStatus;
use stepwell_driver::KeepRule;

use super::resolve::Error;
use super::values::Span;

/// What rules are about.
pub(super) const ABOUT: &str = "How long some ended runs are kept: the first rule that fits a run counts, `retention` where none does";

/// How long some ended runs are kept: a table `[[retention_rule]]` of the file. The first that fits a run
/// counts, and `retention` where none does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetting {
    /// Only runs of this namespace.
    pub namespace: Option<String>,
    /// Only runs of this app.
    pub app: Option<String>,
    /// Only runs of this workflow.
    pub workflow: Option<String>,
    /// Only runs that ended with one of these; all where there is none.
    #[serde(default)]
    pub statuses: Vec<Ended>,
    /// How long, after their end, at least 24h.
    pub keep: Span,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It completed.
    Completed,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its time was over.
    TimedOut,
}

impl Ended {
    const fn status(self) -> RunStatus {
        match self {
            Self::Completed => RunStatus::Completed,
            Self::Failed => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::TimedOut => RunStatus::TimedOut,
        }
    }
}

impl RuleSetting {
    /// Returns the rule as the server takes it.
    pub(super) fn rule(&self) -> KeepRule {
        let name = |name: &Option<String>| name.as_deref().map(Arc::from);
        KeepRule {
            namespace: name(&self.namespace),
            app: name(&self.app),
            workflow: name(&self.workflow),
            statuses: self.statuses.iter().map(|status| status.status()).collect(),
            keep: self.keep.0,
        }
    }
}

/// Checks that keys are kept as long as §4.8 says.
pub(super) fn check(rules: &[KeepRule]) -> Result<(), Error> {
    const DAY: Duration = Duration::from_hours(24);
    const MAX: Duration = Duration::from_hours(36_500 * 24);
    for rule in rules {
        if !(DAY..=MAX).contains(&rule.keep) {
            return Err(Error::Range {
                key: "keep` of a `retention_rule",
                found: Span(rule.keep).to_string(),
                accepted: format!("{} to {}", Span(DAY), Span(MAX)),
            });
        }
    }
    Ok(())
}

/// Shows rules as the file has them.
pub(super) fn to_toml(rules: &[KeepRule]) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let mut all = String::new();
    for rule in rules {
        let gap = if all.is_empty() { "" } else { "\n" };
        let _ = writeln!(all, "{gap}[[retention_rule]]");
        let names =
            [("namespace", &rule.namespace), ("app", &rule.app), ("workflow", &rule.workflow)];
        for (key, value) in names {
            if let Some(value) = value {
                let _ = writeln!(all, "{key} = {}", text(value));
            }
        }
        if !rule.statuses.is_empty() {
            let statuses: Vec<_> =
                rule.statuses.iter().map(|status| text(status.as_str())).collect();
            let _ = writeln!(all, "statuses = [{}]", statuses.join(", "));
        }
        let _ = writeln!(all, "keep = {}", text(&Span(rule.keep).to_string()));
    }
    all
}
