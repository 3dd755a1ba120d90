//! Which acts are allowed.

use std::collections::BTreeSet;
use std::str::FromStr;

/// An act: something that a tool changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Start runs.
    Start,
    /// Send events.
    Send,
    /// Cancel runs.
    Cancel,
    /// End backoffs, and try blocked runs again.
    Retry,
    /// Start a run that goes on from a step of another one.
    Fork,
    /// Start a run again.
    Rerun,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 6] =
        [Self::Start, Self::Send, Self::Cancel, Self::Retry, Self::Fork, Self::Rerun];

    /// Returns the word by which it is allowed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Send => "send",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Fork => "fork",
            Self::Rerun => "rerun",
        }
    }

    /// Returns the name of the tool that does it.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Start => "start_run",
            Self::Send => "send_event",
            Self::Cancel => "cancel_run",
            Self::Retry => "retry_run",
            Self::Fork => "fork_run",
            Self::Rerun => "rerun_run",
        }
    }

    /// Returns what a tool does that is called so; nothing where it only reads, or there is none.
    pub(crate) fn of_tool(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.tool() == name)
    }
}

/// The acts that are allowed; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(BTreeSet<Act>);

/// A word that names no act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an act; accepted: all, or some of start, send, cancel, retry, fork, rerun")]
pub struct UnknownAct(pub String);

impl Allowed {
    /// Tells whether an act is allowed.
    pub fn has(&self, act: Act) -> bool {
        self.0.contains(&act)
    }

    /// Returns the acts that are allowed.
    pub fn acts(&self) -> impl Iterator<Item = Act> + '_ {
        self.0.iter().copied()
    }
}

/// Reads `all`, or words divided by commas: `start,send`.
impl FromStr for Allowed {
    type Err = UnknownAct;

    fn from_str(text: &str) -> Result<Self, UnknownAct> {
        let mut acts = BTreeSet::new();
        for word in text.split(',').map(str::trim) {
            match Act::ALL.into_iter().find(|act| act.as_str() == word) {
                Some(act) => drop(acts.insert(act)),
                None if word == "all" => acts.extend(Act::ALL),
                None => return Err(UnknownAct(word.to_owned())),
            }
        }
        Ok(Self(acts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        let read = |text: &str| text.parse::<Allowed>().map(|all| all.acts().collect::<Vec<_>>());
        assert_eq!(read("send, start"), Ok(vec![Act::Start, Act::Send]));
        assert_eq!(read("all"), Ok(Act::ALL.to_vec()));
        assert_eq!(read("fork,all"), Ok(Act::ALL.to_vec()));
        for text in ["", "start,", "terminate", "ALL", "start send"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("accepted: all, or some of start, send"), "{error}");
        }
        assert!(Allowed::default().acts().next().is_none());
    }

    #[test]
    fn the_error_names_every_act() {
        let error = UnknownAct(String::new()).to_string();
        for act in Act::ALL {
            assert!(error.contains(act.as_str()), "{act:?}");
            assert_eq!(Act::of_tool(act.tool()), Some(act));
        }
    }
}
