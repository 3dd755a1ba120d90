//! The table of the contract: each statement of docs/semantics.md with the tests that cite it.
//!
//! `make contract` prints it. What a statement leaves for later stands behind *Planned* with the part
//! of the product that it waits for; a part that nobody has named here is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::semantics::{Number, SIGN, number, test_code};
use super::tree::{self, File};

/// Parts of the product that are built later, and what the page says of each.
const LATER: [&str; 6] =
    ["TypeScript", "console", "acts by filter", "several nodes", "observed runs", "dialects"];

/// Sections that are whole except for what waits for a part of [`LATER`].
const WHOLE: [u32; 10] = [2, 3, 4, 5, 6, 7, 8, 9, 11, 12];

/// Names of tests that are shown for each statement.
const SHOWN: usize = 3;

/// A statement with its text.
struct Statement {
    number: Number,
    /// Without what is planned.
    text: String,
    /// What it leaves for later: the parts that this waits for, and what is said of it.
    planned: Vec<(String, String)>,
}

/// Reads the statements of the page.
fn statements(page: &str) -> Vec<Statement> {
    let mut found: Vec<(Number, String)> = Vec::new();
    for line in page.lines() {
        let first = line.strip_prefix("**").and_then(|rest| number(rest.strip_prefix(SIGN)?));
        if let Some((number, rest)) = first {
            found.push((number, rest.trim_start_matches('*').trim().to_owned()));
        } else if line.starts_with('#') {
            // What follows belongs to no statement before the next number.
            found.push((Number(0, None), String::new()));
        } else if let Some((_, text)) = found.last_mut() {
            text.push(' ');
            text.push_str(line.trim());
        }
    }
    found.retain(|(number, _)| number.0 > 0);
    found.into_iter().map(|(number, text)| statement(number, &text)).collect()
}

fn statement(number: Number, text: &str) -> Statement {
    if let Some(rest) = text.strip_prefix("(planned") {
        let (part, rest) = rest.split_once(')').unwrap_or((rest, ""));
        let part = part.trim_start_matches(':').trim().to_owned();
        return Statement {
            number,
            text: String::new(),
            planned: vec![(part, rest.trim().into())],
        };
    }
    let mut parts = text.split("*Planned");
    let built = parts.next().unwrap_or_default().trim().to_owned();
    let planned = parts.map(|part| {
        let (head, rest) = part.split_once('*').unwrap_or((part, ""));
        let head = head.trim().trim_start_matches('(').trim_end_matches(')');
        (head.to_owned(), rest.trim_start_matches(':').trim().to_owned())
    });
    Statement { number, text: built, planned: planned.collect() }
}

/// Names the tests in a file, each with the statements that it cites.
fn tests_of(file: &File) -> Vec<(Number, String)> {
    let code = test_code(file);
    if !file.is_any(&["rs"]) {
        let cited = code.split(SIGN).skip(1).filter_map(|rest| Some(number(rest)?.0));
        return cited.map(|number| (number, file.path.clone())).collect();
    }
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let cited: Vec<Number> =
            line.split(SIGN).skip(1).filter_map(|rest| Some(number(rest)?.0)).collect();
        if cited.is_empty() {
            continue;
        }
        let after = lines[at..].iter().find_map(|line| function(line));
        let before = || lines[..=at].iter().rev().find_map(|line| function(line));
        let trimmed = line.trim_start();
        let name = match (trimmed.starts_with("//!"), trimmed.starts_with("///")) {
            (true, _) => None,
            (_, true) => after,
            _ => before(),
        };
        let place = file.path.trim_start_matches("crates/").trim_end_matches(".rs");
        let name = name.map_or_else(|| place.to_owned(), |name| format!("{place}::{name}"));
        found.extend(cited.into_iter().map(|number| (number, name.clone())));
    }
    found
}

/// Returns the name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = ["pub(crate) ", "pub(super) ", "pub "]
        .iter()
        .find_map(|word| line.strip_prefix(word))
        .unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    Some(name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(name))
}

/// What the table says, and what is wrong.
struct Table {
    text: String,
    findings: Vec<String>,
}

fn table(page: &[Statement], files: &[File]) -> Table {
    let mut tests: BTreeMap<Number, BTreeSet<String>> = BTreeMap::new();
    for (number, name) in files.iter().flat_map(tests_of) {
        tests.entry(number).or_default().insert(name);
    }
    let none = BTreeSet::new();
    let (mut text, mut open, mut findings) = (String::new(), String::new(), Vec::new());
    let mut built = 0;
    for one in page {
        let number = one.number;
        let cited = tests.get(&number).unwrap_or(&none);
        let whole = WHOLE.contains(&number.0);
        if !one.text.is_empty() {
            built += 1;
            let _ = writeln!(text, "{number:<6} {:>4} tests  {}", cited.len(), begin(&one.text));
            for name in cited.iter().take(SHOWN) {
                let _ = writeln!(text, "                   {name}");
            }
            if cited.is_empty() {
                findings.push(format!("{number} has no test"));
            }
        }
        for (parts, what) in &one.planned {
            let _ = writeln!(open, "{number:<6} {parts}: {what}");
            let known = |part: &str| LATER.contains(&part.trim());
            if whole && (parts.is_empty() || !parts.split(',').all(known)) {
                findings.push(format!("{number} is not whole: {what}"));
            }
        }
    }
    let _ = writeln!(text, "\n{built} statements are built. Open, with the part that builds it:");
    text.push_str(&open);
    Table { text, findings }
}

/// Returns the first words of a statement.
fn begin(text: &str) -> String {
    let mut line: String = text.chars().take(90).collect();
    if text.chars().nth(90).is_some() {
        line.push('…');
    }
    line
}

/// Prints the table with `--nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "the table is what is asked for")]
fn the_contract_is_tested() {
    let page = std::fs::read_to_string(tree::root().join("docs/semantics.md")).unwrap();
    let Table { text, findings } = table(&statements(&page), &tree::files());
    println!("{text}");
    tree::refuse("what the contract promises and the project does not show:", &findings);
}

#[test]
fn what_is_missing_is_seen() {
    let page = statements(
        "# Page\n**\u{a7}1** words\n\n## Next\nnot of 1\n**\u{a7}4.1** is built\nin two lines. \
         *Planned (TypeScript, console)*: more\n**\u{a7}4.2** half. *Planned*: the rest\n\
         **\u{a7}10.1** (planned: observed runs) later\n",
    );
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let code = "/// \u{a7}4.1: and so on\n#[test]\nfn it_is_so() {\n// \u{a7}1 here\n}\n";
    let found = table(&page, &[file("crates/a/tests/it/b.rs", code)]);
    assert_eq!(found.findings, ["\u{a7}4.2 has no test", "\u{a7}4.2 is not whole: the rest"]);
    assert!(found.text.contains("a/tests/it/b::it_is_so"), "{}", found.text);
    assert!(found.text.contains("\u{a7}4.1   TypeScript, console: more"), "{}", found.text);
    assert!(found.text.contains("\u{a7}10.1  observed runs: later"), "{}", found.text);
}
