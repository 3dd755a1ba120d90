//! What a licence expression means for somebody who uses the package.

use serde::{Deserialize, Serialize};

/// Licences that ask for little more than their own text.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "bzip2-1.0.6",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "OpenSSL",
    "PSF-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "X11",
    "Zlib",
];

/// Beginnings of licences that ask for the source of what is built with them, or of parts of it.
const COPYLEFT: &[&str] = &[
    "AGPL-",
    "CC-BY-SA-",
    "CDDL-",
    "CPL-",
    "EPL-",
    "EUPL-",
    "GPL-",
    "LGPL-",
    "MPL-",
    "OSL-",
    "SSPL-",
];

/// What a licence is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Class {
    /// Some choice of its terms is permissive.
    Permissive,
    /// Every choice of its terms has a part that is copyleft.
    Copyleft,
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// Reads an SPDX expression: `OR` leaves the choice, `AND` asks for both.
pub(crate) fn classify(expression: &str) -> Class {
    read(expression, &[])
}

/// Tells whether an expression leaves no choice without one of these licences, or is not permissive.
pub(crate) fn needs_approval(expression: &str, ask: &[String]) -> bool {
    read(expression, ask) != Class::Permissive
}

fn read(expression: &str, ask: &[String]) -> Class {
    let words = words(expression);
    let mut reader = Reader { words: &words, next: 0, ask };
    match reader.any() {
        Ok(class) => match reader.words.get(reader.next) {
            None => class,
            Some(word) => unreadable(expression, &format!("`{word}` is not expected")),
        },
        Err(why) => unreadable(expression, &why),
    }
}

fn unreadable(expression: &str, why: &str) -> Class {
    Class::Unknown(format!("the licence `{expression}` is not readable: {why}"))
}

/// Cuts an expression into names, operators and brackets. The slash of old manifests is an `OR`.
fn words(expression: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in expression.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')', '/']) {
            words.extend([&rest[..at], &rest[at..=at]]);
            rest = &rest[at + 1..];
        }
        words.push(rest);
    }
    words.retain(|word| !word.is_empty());
    words
}

struct Reader<'a> {
    words: &'a [&'a str],
    next: usize,
    /// Licences that do not count as permissive.
    ask: &'a [String],
}

impl Reader<'_> {
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.words.get(self.next).is_some_and(|word| words.contains(word));
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Class, String> {
        let mut class = self.all()?;
        while self.take(&["OR", "/"]) {
            class = better(class, self.all()?);
        }
        Ok(class)
    }

    fn all(&mut self) -> Result<Class, String> {
        let mut class = self.one()?;
        while self.take(&["AND"]) {
            class = worse(class, self.one()?);
        }
        Ok(class)
    }

    fn one(&mut self) -> Result<Class, String> {
        if self.take(&["("]) {
            let class = self.any()?;
            return if self.take(&[")"]) { Ok(class) } else { Err("`)` is missing".into()) };
        }
        let Some(name) = self.words.get(self.next) else { return Err("it ends early".into()) };
        if ["AND", "OR", "WITH", ")", "/"].contains(name) {
            return Err(format!("a licence is missing before `{name}`"));
        }
        self.next += 1;
        // An exception only ever allows more than its licence does.
        if self.take(&["WITH"]) {
            self.next += 1;
        }
        if self.ask.iter().any(|ask| ask == name) {
            return Ok(Class::Unknown(format!("people are asked about `{name}`")));
        }
        Ok(class_of(name))
    }
}

fn class_of(name: &str) -> Class {
    if PERMISSIVE.contains(&name) {
        Class::Permissive
    } else if COPYLEFT.iter().any(|begin| name.starts_with(begin)) {
        Class::Copyleft
    } else {
        Class::Unknown(format!("the licence `{name}` is not known to this program"))
    }
}

impl Class {
    /// How good a class is for somebody who may choose; what is not known may be permissive.
    fn rank(&self) -> u8 {
        match self {
            Self::Copyleft => 0,
            Self::Unknown(_) => 1,
            Self::Permissive => 2,
        }
    }
}

fn better(one: Class, other: Class) -> Class {
    if one.rank() >= other.rank() { one } else { other }
}

fn worse(one: Class, other: Class) -> Class {
    if one.rank() <= other.rank() { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        for (expression, class) in [
            ("MIT", Class::Permissive),
            ("MIT/Apache-2.0", Class::Permissive),
            ("GPL-3.0-only OR MIT", Class::Permissive),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", Class::Permissive),
            ("(MIT OR GPL-2.0) AND Zlib", Class::Permissive),
            ("MIT AND GPL-3.0", Class::Copyleft),
            ("MPL-2.0", Class::Copyleft),
            ("LGPL-2.1-or-later OR AGPL-3.0", Class::Copyleft),
        ] {
            assert_eq!(classify(expression), class, "{expression}");
        }
    }

    #[test]
    fn people_are_asked_where_there_is_no_other_choice() {
        let ask = ["MIT-0".to_owned(), "Unicode-3.0".to_owned()];
        for (expression, needs) in [
            ("MIT", false),
            ("MIT-0", true),
            ("MIT-0 OR MIT", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("GPL-3.0-only", true),
        ] {
            assert_eq!(needs_approval(expression, &ask), needs, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_told_has_a_reason() {
        for (expression, word) in [
            ("", "ends early"),
            ("MIT OR", "ends early"),
            ("(MIT", "`)` is missing"),
            ("MIT Apache-2.0", "`Apache-2.0` is not expected"),
            ("Hippocratic-3.0", "not known"),
            ("MIT AND Hippocratic-3.0", "not known"),
        ] {
            let Class::Unknown(why) = classify(expression) else { panic!("{expression}") };
            assert!(why.contains(word), "{expression}: {why}");
        }
    }
}
