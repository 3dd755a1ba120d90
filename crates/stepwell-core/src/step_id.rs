//! Ids of steps: what code may choose, and what the engine makes (§2.5).
//!
//! Code names its steps with texts that hold no control characters. Steps that the engine makes
//! (compensations, `onFailure`, named waits) have ids of a space of their own: the name of the space,
//! the unit separator U+001F, and the name that people see. So neither can be taken for the other,
//! wherever ids are kept as one text: in journals, in messages, in indexes.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use crate::name;
use crate::status::Kind;

/// Stands between the space and the name of an id that the engine made.
pub const SEPARATOR: char = '\u{1f}';

/// Returns the space of ids that steps of a kind have; `None` for those that code names.
pub const fn space(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Compensate => Some("compensate"),
        Kind::OnFailure => Some("onFailure"),
        Kind::NamedWait => Some("wait"),
        Kind::Run
        | Kind::Sleep
        | Kind::SleepUntil
        | Kind::WaitForEvent
        | Kind::Invoke
        | Kind::Emit
        | Kind::Race
        | Kind::Skip => None,
    }
}

/// Makes the id of a step of a kind whose name people see: the name itself, where code gave it.
pub fn of(kind: Kind, name: &str) -> String {
    space(kind).map_or_else(|| name.into(), |space| format!("{space}{SEPARATOR}{name}"))
}

/// Returns the id of the step that calls a workflow's `onFailure` (§7.4): a run has one.
pub fn on_failure() -> String {
    of(Kind::OnFailure, "onFailure")
}

/// Returns the name that people see: the id without its space.
pub fn shown(id: &str) -> &str {
    id.split_once(SEPARATOR).map_or(id, |(_, name)| name)
}

/// Returns the id as people spell it: the name, behind the space where the engine made it. What has
/// no name but its space's is that.
pub fn spelled(id: &str) -> Cow<'_, str> {
    match id.split_once(SEPARATOR) {
        None => Cow::Borrowed(id),
        Some((space, name)) if space == name => Cow::Borrowed(name),
        Some((space, name)) => Cow::Owned(format!("{space} {name}")),
    }
}

/// Tells whether an id begins as those of a kind do that the engine makes.
pub fn is_of_space(kind: Kind, id: &str) -> bool {
    space(kind).is_some_and(|space| name_in(space, id).is_some())
}

/// Returns what stands behind the space, where the id is of it.
fn name_in<'a>(space: &str, id: &'a str) -> Option<&'a str> {
    id.strip_prefix(space).and_then(|rest| rest.strip_prefix(SEPARATOR))
}

/// Checks the id of a step of a kind.
///
/// # Errors
/// [`name::Error`] where its name is not 1 to 256 bytes without control characters, or where it is
/// not of the space of its kind.
pub fn check(kind: Kind, id: &str) -> Result<(), name::Error> {
    let Some(space) = space(kind) else {
        return name::check("a step id", id);
    };
    let what = "a step id";
    match name_in(space, id) {
        Some(name) => name::check(what, name),
        None => Err(name::Error::Space { what, shown: id.escape_debug().to_string(), space }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §2.5: an id of the engine reads back as its name, and code cannot give it.
    #[test]
    fn ids_of_the_engine_have_a_space_of_their_own() {
        let id = of(Kind::Compensate, "charge");
        assert_eq!((shown(&id), &*spelled(&id)), ("charge", "compensate charge"));
        assert_eq!(
            (spelled(&on_failure()), spelled("charge")),
            ("onFailure".into(), "charge".into())
        );
        assert_eq!(of(Kind::Run, "charge"), "charge");
        assert!(check(Kind::Compensate, &id).is_ok());
        assert!(check(Kind::Run, &id).is_err());
        assert!(check(Kind::OnFailure, &id).is_err());
        assert!(check(Kind::Run, "").is_err());
    }

    /// A name without its space is one that code chose: it is no id of an engine-made step.
    #[test]
    fn a_name_without_its_space_is_refused() {
        assert!(check(Kind::Compensate, "charge").is_err());
    }
}
