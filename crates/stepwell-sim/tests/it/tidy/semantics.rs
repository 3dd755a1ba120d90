//! Ties docs/semantics.md to tests: each statement is cited by a test, each citation has its statement.
//!
//! A statement is a line that begins with its number, `§4.1` or `§11` in bold. `(planned)` after the
//! number says that it is not built. Tests cite it as `§4.1`. What counts as test code: files of
//! tests, `#[cfg(test)]` modules, the simulator, conformance suites, and the vectors in `spec/`.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_core::failure::names;

use super::tree::{self, File};

/// The sign in front of a number. Escaped, so that samples below are not taken for citations.
pub(super) const SIGN: char = '\u{a7}';

/// A number such as 4.1, or 11 for a statement that is a section of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u32, pub(super) Option<u32>);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            Some(minor) => f.pad(&format!("{SIGN}{}.{minor}", self.0)),
            None => f.pad(&format!("{SIGN}{}", self.0)),
        }
    }
}

/// Reads a number at the beginning of the text; gives what follows too.
pub(super) fn number(text: &str) -> Option<(Number, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (major, rest) = text.split_at(digits(text));
    let major = major.parse().ok()?;
    if let Some(rest) = rest.strip_prefix('.') {
        let (minor, rest) = rest.split_at(digits(rest));
        if let Ok(minor) = minor.parse() {
            return Some((Number(major, Some(minor)), rest));
        }
    }
    Some((Number(major, None), rest))
}

/// Every number of the page; true for what is built.
fn statements(page: &str) -> BTreeMap<Number, bool> {
    let mut found = BTreeMap::new();
    for line in page.lines() {
        let Some(rest) = line.strip_prefix("**").and_then(|rest| rest.strip_prefix(SIGN)) else {
            continue;
        };
        if let Some((number, rest)) = number(rest) {
            let text = rest.strip_prefix("**").expect("a number is closed by two asterisks");
            let again = found.insert(number, !text.starts_with(" (planned"));
            assert_eq!(again, None, "{number} stands twice");
        }
    }
    found
}

/// Every citation in the text.
fn citations(text: &str) -> Vec<Number> {
    text.split(SIGN).skip(1).filter_map(|rest| Some(number(rest)?.0)).collect()
}

/// The part of a file that is test code.
pub(super) fn test_code(file: &File) -> &str {
    let is_check = file.is_test()
        || file.path.starts_with("crates/stepwell-sim/src/")
        || file.path.contains("/conformance")
        || (file.path.starts_with("spec/") && file.is_any(&["json"]));
    if is_check {
        return &file.text;
    }
    // A `#[cfg(test)] mod` is the last item of a file.
    let tests = file.is_any(&["rs"]).then(|| file.text.find("#[cfg(test)]\nmod ")).flatten();
    tests.map_or("", |at| &file.text[at..])
}

fn page() -> BTreeMap<Number, bool> {
    let text = std::fs::read_to_string(tree::root().join("docs/semantics.md")).unwrap();
    let page = statements(&text);
    assert!(page.len() > 70, "only {} statements were found", page.len());
    page
}

fn untested(page: &BTreeMap<Number, bool>, files: &[File]) -> Vec<String> {
    let cited: BTreeSet<Number> =
        files.iter().flat_map(|file| citations(test_code(file))).collect();
    page.iter()
        .filter(|(number, built)| **built && !cited.contains(number))
        .map(|(number, _)| number.to_string())
        .collect()
}

fn without_statement(page: &BTreeMap<Number, bool>, files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let cites = |file: &&File| file.is_any(&["rs", "ts"]) || file.path.starts_with("spec/");
    for file in files.iter().filter(cites) {
        for (at, line) in file.text.lines().enumerate() {
            for number in citations(line) {
                // A section as a whole may be cited, though it is not one statement.
                let is_section = number.1.is_none() && page.keys().any(|one| one.0 == number.0);
                if !page.contains_key(&number) && !is_section {
                    findings.push(format!("{}:{}: {number}", file.path, at + 1));
                }
            }
        }
    }
    findings
}

#[test]
fn every_statement_has_a_test() {
    let findings = untested(&page(), &tree::files());
    tree::refuse("statements of docs/semantics.md that no test cites:", &findings);
}

#[test]
fn every_citation_has_a_statement() {
    let findings = without_statement(&page(), &tree::files());
    tree::refuse("citations of numbers that docs/semantics.md does not have:", &findings);
}

#[test]
fn missing_tests_and_statements_are_seen() {
    let page = statements(
        "# Page\n**\u{a7}1** words\n**\u{a7}4.1** built \u{a7}4.9\n**\u{a7}4.2** (planned) later\n",
    );
    assert_eq!(page.len(), 3);
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let code = "// \u{a7}4.1\n#[cfg(test)]\nmod tests {\n/// \u{a7}1, \u{a7}4: and so on\n}\n";
    let files = [file("a/src/b.rs", code)];
    assert_eq!(untested(&page, &files), ["\u{a7}4.1"], "code alone is no test");
    assert!(without_statement(&page, &files).is_empty());
    let files = [file("a/tests/it/c.rs", "/// \u{a7}1. \u{a7}4.1: x \u{a7}4.10 \u{a7}7")];
    assert!(untested(&page, &files).is_empty());
    assert_eq!(
        without_statement(&page, &files),
        ["a/tests/it/c.rs:1: \u{a7}4.10", "a/tests/it/c.rs:1: \u{a7}7"]
    );
    let files = [file("sdk/f/test/g.test.ts", "/** \u{a7}4.1, \u{a7}1, \u{a7}8.1: so */")];
    assert!(untested(&page, &files).is_empty(), "a test in TypeScript is one");
    assert_eq!(without_statement(&page, &files), ["sdk/f/test/g.test.ts:1: \u{a7}8.1"]);
    let files = [file("spec/d.json", "{\"section\": \"\u{a7}4.1\"}"), file("e.md", "\u{a7}1")];
    assert_eq!(untested(&page, &files), ["\u{a7}1"], "documents are no tests");
}

/// Words of a text that end in `Error`.
fn error_names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.len() > "Error".len() && word.ends_with("Error")).collect()
}

/// §6.7: the names of errors in the contract are those that the engine knows.
#[test]
fn errors_have_the_names_of_the_contract() {
    let text = std::fs::read_to_string(tree::root().join("docs/semantics.md")).unwrap();
    let from = text.find(&format!("**{SIGN}6.7**")).expect("the statement is there");
    let statement = text[from..].split("\n\n").next().unwrap_or_default();
    let known = [
        names::STEP,
        names::STEP_TIMEOUT,
        names::NON_RETRYABLE,
        names::RETRY_AFTER,
        names::OUTCOME_UNKNOWN,
        names::WAIT_TIMEOUT,
        names::CHILD_FAILED,
        names::CHILD_CANCELLED,
        names::CHILD_TIMEOUT,
        names::RACE_LOST,
        names::CANCELLED,
        names::DUPLICATE_STEP,
        names::NESTED_STEP,
        names::NONDETERMINISM,
        names::SERIALIZATION,
        names::INPUT,
        names::LIMIT,
    ];
    assert_eq!(error_names(statement), BTreeSet::from(known));
    let source =
        std::fs::read_to_string(tree::root().join("crates/stepwell-core/src/failure.rs")).unwrap();
    let module = source.split("pub mod names {").nth(1).unwrap().split("\n}").next().unwrap();
    assert_eq!(module.matches("pub const ").count(), known.len(), "a name is missing above");
}
