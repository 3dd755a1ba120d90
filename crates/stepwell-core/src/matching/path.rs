//! The place of a value inside another, as people read it: `$.order.tags[]`.

use core::fmt;

use super::text::Text;

/// Most characters of a key that are shown.
const KEY_SHOWN: usize = 64;

/// A step from a value to one inside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// To the member with this key.
    Key(Text<'a>),
    /// To an element of an array. Arrays are sets, so it has no number.
    Element,
}

/// The place of a value, as a chain to the whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    Root,
    Below(&'a Path<'a>, Part<'a>),
}

impl<'a> Path<'a> {
    pub(super) fn member(&'a self, key: Text<'a>) -> Path<'a> {
        Path::Below(self, Part::Key(key))
    }

    pub(super) fn element(&'a self) -> Path<'a> {
        Path::Below(self, Part::Element)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (up, part) = match self {
            Path::Root => return f.write_str("$"),
            Path::Below(up, part) => (up, part),
        };
        up.fmt(f)?;
        let Part::Key(key) = part else { return f.write_str("[]") };
        let mut shown = key.shown();
        if shown.chars().count() > KEY_SHOWN {
            shown = shown.chars().take(KEY_SHOWN).chain(['…']).collect();
        }
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '…';
        if !shown.is_empty() && shown.chars().all(plain) {
            write!(f, ".{shown}")
        } else {
            write!(f, "[\"{}\"]", shown.escape_debug())
        }
    }
}
