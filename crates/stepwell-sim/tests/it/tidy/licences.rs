//! Licences of everything that the project is built from.

use super::tree;

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let text = std::fs::read_to_string(tree::root().join("deny.toml")).unwrap();
    let rules: toml::Table = text.parse().unwrap();
    let list = rules["licenses"]["allow"].as_array().unwrap();
    list.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Reads an SPDX expression and tells whether its terms can be met with allowed licences.
///
/// `OR` needs one side, `AND` both; the slash of old manifests is an `OR`.
struct Expression<'a> {
    words: Vec<&'a str>,
    next: usize,
    allowed: &'a [String],
}

impl<'a> Expression<'a> {
    fn accepted(text: &'a str, allowed: &'a [String]) -> Result<bool, String> {
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            let mut rest = word;
            while let Some(at) = rest.find(['(', ')', '/']) {
                words.push(&rest[..at]);
                words.push(&rest[at..=at]);
                rest = &rest[at + 1..];
            }
            words.push(rest);
        }
        words.retain(|word| !word.is_empty());
        let mut expression = Self { words, next: 0, allowed };
        let accepted = expression.any()?;
        match expression.words.get(expression.next) {
            None => Ok(accepted),
            Some(word) => Err(format!("`{word}` is not expected")),
        }
    }

    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.words.get(self.next).is_some_and(|word| words.contains(word));
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut accepted = self.all()?;
        while self.take(&["OR", "/"]) {
            accepted |= self.all()?;
        }
        Ok(accepted)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut accepted = self.one()?;
        while self.take(&["AND"]) {
            accepted &= self.one()?;
        }
        Ok(accepted)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take(&["("]) {
            let accepted = self.any()?;
            return if self.take(&[")"]) { Ok(accepted) } else { Err("`)` is missing".into()) };
        }
        let name = *self.words.get(self.next).ok_or("a licence is missing")?;
        if ["AND", "OR", "WITH", ")", "/"].contains(&name) {
            return Err(format!("a licence is missing before `{name}`"));
        }
        self.next += 1;
        let name = if self.take(&["WITH"]) {
            let exception = *self.words.get(self.next).ok_or("an exception is missing")?;
            self.next += 1;
            format!("{name} WITH {exception}")
        } else {
            name.to_owned()
        };
        Ok(self.allowed.contains(&name))
    }
}

#[test]
fn every_dependency_is_permissive() {
    let allowed = allowed();
    let mut findings = Vec::new();
    for package in tree::metadata().packages {
        let Some(licence) = &package.license else {
            findings.push(format!("{} {} names no licence", package.name, package.version));
            continue;
        };
        match Expression::accepted(licence, &allowed) {
            Ok(true) => {}
            Ok(false) => findings.push(format!("{} {}: {licence}", package.name, package.version)),
            Err(why) => {
                findings.push(format!("{} {}: `{licence}`: {why}", package.name, package.version));
            }
        }
    }
    tree::refuse("licences outside the list of deny.toml:", &findings);
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
    let check = |text| Expression::accepted(text, &allowed);
    for text in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0/MIT",
        "(MIT OR GPL-3.0) AND Apache-2.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        "GPL-3.0 AND MIT OR Apache-2.0",
    ] {
        assert_eq!(check(text), Ok(true), "{text}");
    }
    for text in
        ["GPL-3.0", "MIT AND GPL-3.0", "MIT WITH LLVM-exception", "GPL-3.0 AND (MIT OR MIT)"]
    {
        assert_eq!(check(text), Ok(false), "{text}");
    }
    for text in ["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "OR MIT"] {
        assert!(check(text).is_err(), "{text}");
    }
}
