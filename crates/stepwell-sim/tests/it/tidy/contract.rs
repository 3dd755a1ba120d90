//! The table of the contract: each statement of docs/semantics.md with the tests that cite it.
//!
//! `make contract` prints it. Each has a test of the engine or of the Rust SDK, and one in
//! TypeScript, but for those that no SDK has a part in, or TypeScript alone. What a statement leaves
//! for later stands behind *Planned* with the part of the product that it waits for; a part that
//! nobody has named here is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::semantics::{Number, SIGN, number, test_code};
use super::tree::{self, File};

/// Parts of the product that are built later, and what the page says of each.
const LATER: [&str; 5] =
    ["console", "acts by filter", "several nodes", "observed runs", "dialects"];

/// What no SDK has a part in: words, how events find waits, work by slices, the choice of a runner.
const ENGINE: [Number; 4] =
    [Number(1, None), Number(8, Some(8)), Number(8, Some(9)), Number(9, Some(9))];

/// What TypeScript alone has a part in: the calls of other systems.
const TYPESCRIPT: [Number; 7] = [
    Number(13, Some(1)),
    Number(13, Some(3)),
    Number(13, Some(4)),
    Number(13, Some(5)),
    Number(13, Some(6)),
    Number(13, Some(7)),
    Number(13, Some(8)),
];

/// Sections that are whole except for what waits for a part of [`LATER`].
const WHOLE: [u32; 10] = [2, 3, 4, 5, 6, 7, 8, 9, 11, 12];

/// Names of tests that are shown for each statement, and as many of those in TypeScript.
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
    if !file.is_any(&["rs", "ts"]) {
        let cited = code.split(SIGN).skip(1).filter_map(|rest| Some(number(rest)?.0));
        return cited.map(|number| (number, file.path.clone())).collect();
    }
    let is_typescript = file.is_any(&["ts"]);
    // The formatter of TypeScript may put a title on a line of its own.
    let code = code.split(")(\n").map(str::trim_start).collect::<Vec<_>>().join(")(");
    let lines: Vec<&str> = code.lines().collect();
    let name_of: fn(&str) -> Option<&str> = if is_typescript { title } else { function };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let cited: Vec<Number> =
            line.split(SIGN).skip(1).filter_map(|rest| Some(number(rest)?.0)).collect();
        if cited.is_empty() {
            continue;
        }
        let after = lines[at..].iter().find_map(|line| name_of(line));
        let before = || lines[..=at].iter().rev().find_map(|line| name_of(line));
        let trimmed = line.trim_start();
        let is_doc = ["///", "/**", "* "].iter().any(|mark| trimmed.starts_with(mark));
        let name = match (trimmed.starts_with("//!"), is_doc) {
            (true, _) => None,
            (_, true) => after,
            _ => before(),
        };
        let place = file.path.trim_start_matches("crates/").trim_start_matches("sdk/");
        let place = place.trim_end_matches(".rs");
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

/// Returns the title of the test, or of the group of tests, that a line of TypeScript begins.
fn title(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let plain = ["it(\"", "describe(\"", "])(\""];
    let rest = if let Some(rest) = plain.iter().find_map(|begin| line.strip_prefix(begin)) {
        rest
    } else if line.starts_with("it.") || line.starts_with("describe.") {
        line.split_once(")(\"")?.1
    } else {
        return None;
    };
    rest.split('"').next()
}

/// The names of tests by the statement that they cite.
type Tests = BTreeMap<Number, BTreeSet<String>>;

fn tests<'a>(files: impl Iterator<Item = &'a File>) -> Tests {
    let mut tests = Tests::new();
    for (number, name) in files.flat_map(tests_of) {
        tests.entry(number).or_default().insert(name);
    }
    tests
}

/// What the table says, and what is wrong.
struct Table {
    text: String,
    findings: Vec<String>,
}

fn table(page: &[Statement], files: &[File]) -> Table {
    let (in_typescript, others): (Vec<&File>, Vec<&File>) =
        files.iter().partition(|file| file.is_any(&["ts"]));
    let (in_typescript, others) = (tests(in_typescript.into_iter()), tests(others.into_iter()));
    let none = BTreeSet::new();
    let (mut text, mut open, mut findings) = (String::new(), String::new(), Vec::new());
    let mut built = 0;
    for one in page {
        let number = one.number;
        let cited = others.get(&number).unwrap_or(&none);
        let typescript = in_typescript.get(&number).unwrap_or(&none);
        let whole = WHOLE.contains(&number.0);
        if !one.text.is_empty() {
            built += 1;
            let count = cited.len() + typescript.len();
            let begin = begin(&one.text);
            let _ = writeln!(
                text,
                "{number:<6} {count:>4} tests, {:>2} in TypeScript  {begin}",
                typescript.len()
            );
            for name in cited.iter().take(SHOWN).chain(typescript.iter().take(SHOWN)) {
                let _ = writeln!(text, "                   {name}");
            }
            if cited.is_empty() && !TYPESCRIPT.contains(&number) {
                findings.push(format!("{number} has no test"));
            }
            if typescript.is_empty() && !ENGINE.contains(&number) {
                findings.push(format!("{number} has no test in TypeScript"));
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
         *Planned (dialects, console)*: more\n**\u{a7}4.2** half. *Planned*: the rest\n\
         **\u{a7}10.1** (planned: observed runs) later\n",
    );
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let code = "/// \u{a7}4.1: and so on\n#[test]\nfn it_is_so() {\n// \u{a7}1 here\n}\n";
    let typescript = "/** \u{a7}4.1: so */\nit.each([\n  1,\n])(\"is %s\", () => {});\n\
        // \u{a7}4.1: as above\n/** \u{a7}4.1 */\nit.each(all)(\n  \"is all\",\n);\n";
    let files = [file("crates/a/tests/it/b.rs", code), file("sdk/c/d.test.ts", typescript)];
    let found = table(&page, &files);
    let missing = ["has no test", "has no test in TypeScript", "is not whole: the rest"];
    assert_eq!(found.findings, missing.map(|what| format!("\u{a7}4.2 {what}")));
    assert!(found.text.contains("a/tests/it/b::it_is_so"), "{}", found.text);
    assert!(
        found.text.contains("\u{a7}4.1      3 tests,  2 in TypeScript  is built"),
        "{}",
        found.text
    );
    assert!(found.text.contains("c/d.test.ts::is %s"), "{}", found.text);
    assert!(found.text.contains("c/d.test.ts::is all"), "{}", found.text);
    assert!(found.text.contains("\u{a7}4.1   dialects, console: more"), "{}", found.text);
    assert!(found.text.contains("\u{a7}10.1  observed runs: later"), "{}", found.text);
}
