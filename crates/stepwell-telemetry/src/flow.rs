//! What is declared of a flow: its steps, what follows what, and how long it is waited (§10.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::status::Patience;

/// Most steps of a flow.
pub const STEPS_MAX: usize = 500;

/// Most edges of a flow.
pub const EDGES_MAX: usize = 5_000;

/// Longest slug, key or name, in characters.
pub const NAME_MAX: usize = 200;

/// A step that is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredStep {
    /// What `run.step` is called with.
    pub key: Arc<str>,
    /// What people read; the key where nothing else is declared.
    pub name: Arc<str>,
}

/// A flow that is declared, or was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What `client.run` is called with.
    pub slug: Arc<str>,
    /// What people read; the slug where nothing else is declared.
    pub name: Arc<str>,
    /// The steps, each key once.
    pub steps: Vec<DeclaredStep>,
    /// Which step follows which, by key; both are steps of the flow, each pair stands once.
    pub edges: Vec<(Arc<str>, Arc<str>)>,
    /// How long it is waited.
    pub patience: Patience,
}

impl Flow {
    /// Returns a declared step.
    pub fn step(&self, key: &str) -> Option<&DeclaredStep> {
        self.steps.iter().find(|step| &*step.key == key)
    }

    /// Returns the keys of steps that nothing follows.
    pub fn terminal(&self) -> impl Iterator<Item = &str> {
        let leading: BTreeSet<&str> = self.edges.iter().map(|(from, _)| &**from).collect();
        self.steps.iter().map(|step| &*step.key).filter(move |key| !leading.contains(key))
    }

    /// Returns the keys of all steps that follow one of these, directly or behind others.
    pub fn behind<'a>(&'a self, keys: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut from: Vec<&str> = keys.into_iter().collect();
        if from.is_empty() {
            return found;
        }
        let mut follow: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (begin, end) in &self.edges {
            follow.entry(begin).or_default().push(end);
        }
        while let Some(key) = from.pop() {
            let next = follow.get(key).into_iter().flatten().copied();
            from.extend(next.filter(|end| found.insert(*end)));
        }
        found
    }
}

/// Why a slug, key, name or run's name is not accepted, or nothing.
pub fn refuse_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty; accepted: 1 to 200 characters without control characters");
    }
    let is_bad = name.chars().any(char::is_control)
        || (name.len() > NAME_MAX && name.chars().count() > NAME_MAX);
    is_bad.then_some("accepted: 1 to 200 characters without control characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn flow(keys: &[&str], edges: &[(&str, &str)]) -> Flow {
        let step = |key: &&str| DeclaredStep { key: (*key).into(), name: (*key).into() };
        Flow {
            slug: "shop".into(),
            name: "Shop".into(),
            steps: keys.iter().map(step).collect(),
            edges: edges.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect(),
            patience: Patience::default(),
        }
    }

    #[test]
    fn terminal_steps_are_those_that_nothing_follows() {
        let flow = flow(&["a", "b", "c", "d"], &[("a", "b"), ("a", "c")]);
        assert_eq!(flow.terminal().collect::<Vec<_>>(), ["b", "c", "d"]);
        assert_eq!(flow.behind(["a"]).into_iter().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn loops_are_followed_once() {
        let flow = flow(&["a", "b"], &[("a", "b"), ("b", "a")]);
        assert_eq!(flow.terminal().count(), 0);
        assert_eq!(flow.behind(["a"]).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(refuse_name("validate cart ✓"), None);
        assert_eq!(refuse_name(&"é".repeat(200)), None);
        for bad in ["", "a\nb", &"x".repeat(201)] {
            assert!(refuse_name(bad).is_some(), "{bad:?}");
        }
    }
}
