//! Words: what things are called, and what is not left in the source.

use super::tree::{self, File};

/// Words that other systems use for what has another name here (§1), and empty names.
const REFUSED: &[&str] = &[
    "task",
    "tasks",
    "job",
    "jobs",
    "activity",
    "activities",
    "orchestration",
    "orchestrator",
    "execution",
    "executions",
    "canceled",
    "cancelation",
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "impl",
];

/// Keywords after which a name is declared.
const DECLARES: &[&str] = &["fn", "struct", "enum", "trait", "type", "mod", "const", "static"];

/// The name that a line makes public, if it does.
fn public_name(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let mut words = rest.split_whitespace().skip_while(|word| matches!(*word, "async" | "unsafe"));
    let mut word = words.next()?;
    if word == "const" && rest.contains("fn ") {
        word = words.next()?;
    }
    let name = if DECLARES.contains(&word) {
        words.next()?
    } else {
        // A field: `pub name: Type`.
        word.strip_suffix(':')?
    };
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(&name[..end])
}

/// Cuts `RunStatus`, `run_status` and `RUN_STATUS` into `run` and `status`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut last = '_';
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && last.is_lowercase()) {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().expect("there is always one").extend(c.to_lowercase());
        }
        last = c;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn refused_names(file: &File) -> Vec<String> {
    let names =
        file.text.lines().enumerate().filter_map(|(at, line)| Some((at, public_name(line)?)));
    names
        .filter(|(_, name)| parts(name).iter().any(|part| REFUSED.contains(&part.as_str())))
        .map(|(at, name)| format!("{}:{}: {name}", file.path, at + 1))
        .collect()
}

fn lines_with(endings: &[&str], marks: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree::files().iter().filter(|file| file.is_any(endings)) {
        for (at, line) in file.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                findings.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    findings
}

/// §1: things have the names of the contract.
#[test]
fn public_names_keep_to_the_words() {
    let findings: Vec<String> =
        tree::files().iter().filter(|file| file.is_any(&["rs"])).flat_map(refused_names).collect();
    tree::refuse("public names use words that are refused (STYLE.md, Words):", &findings);
}

/// §1: shows that the check sees each way in which a name is made public.
#[test]
fn refused_words_are_seen() {
    let seen = |line| {
        let text = format!("{line}\n");
        refused_names(&File { path: "a.rs".into(), text }).len()
    };
    for line in [
        "pub fn next_task() {",
        "pub struct JobQueue;",
        "    pub task: u8,",
        "pub const fn execution(self)",
        "pub const JOBS_MAX: u8 = 1;",
        "pub async fn run_job()",
        "pub enum RunManager {",
        "pub mod util;",
    ] {
        assert_eq!(seen(line), 1, "{line}");
    }
    for line in [
        "fn task() {}",
        "pub fn taskmaster()",
        "pub run: Task,",
        "// pub fn task()",
        "pub use tokio::task;",
        "pub const LIMIT: Job = 1;",
    ] {
        assert_eq!(seen(line), 0, "{line}");
    }
}

#[test]
fn nothing_unfinished_is_kept() {
    // Put together here, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
        concat!("to", "do!("),
        concat!("un", "implemented!("),
    ];
    let findings = lines_with(&["rs", "ts", "tsx", "js", "sh", "toml", "sql"], &marks);
    tree::refuse("marks of unfinished work:", &findings);
}

#[test]
fn no_test_is_skipped() {
    let marks = [
        concat!("#[ig", "nore"),
        concat!("it.sk", "ip("),
        concat!("test.sk", "ip("),
        concat!("it.on", "ly("),
        concat!("test.on", "ly("),
    ];
    tree::refuse("tests are skipped:", &lines_with(&["rs", "ts", "tsx", "js"], &marks));
}

#[test]
fn lints_are_silenced_with_a_reason_only() {
    let findings = lines_with(&["rs"], &[concat!("#[al", "low("), concat!("#![al", "low(")]);
    tree::refuse("`expect` with a reason silences a lint, `allow` does not:", &findings);
}
