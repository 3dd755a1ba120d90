//! Commands that the project's pages show are commands that this program takes.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use super::args::Cli;

/// A command of a page: where it stands, and its words without `stepwell`.
#[derive(Debug)]
struct Shown {
    at: String,
    words: Vec<String>,
    /// It stands in a sentence, where what has to follow may be left out.
    in_prose: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Markdown files that tell users what to type: not decisions, which are of their time.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("adr") {
            pages(&path, found);
        } else if path.extension().is_some_and(|one| one == "md") {
            found.push(path);
        }
    }
}

/// Cuts a line as a shell does, as far as the first command goes: at blanks that no quotes hold, up to a
/// comment, a pipe or the like.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | ';' | '&' | '>' | '<') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Returns the words behind `stepwell`, where that is the command.
fn command(line: &str) -> Option<Vec<String>> {
    let mut words = words(line);
    if words.first().is_some_and(|word| word == "npx") {
        words.remove(0);
    }
    (words.first()? == "stepwell").then(|| words.split_off(1))
}

fn commands(name: &str, text: &str) -> Vec<Shown> {
    let (mut found, mut language, mut joined) = (Vec::new(), None, String::new());
    for (at, line) in text.lines().enumerate() {
        let at = format!("{name}:{}", at + 1);
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            language = if language.is_none() { Some(fence) } else { None };
        } else if language == Some("sh") {
            let (part, goes_on) =
                line.strip_suffix('\\').map_or((line, false), |part| (part, true));
            joined.push_str(part);
            if !goes_on {
                let words = command(&std::mem::take(&mut joined));
                found.extend(words.map(|words| Shown { at, words, in_prose: false }));
            }
        } else if language.is_none() {
            // Of `a` and `b` in a line, every second piece is code.
            for piece in line.split('`').skip(1).step_by(2) {
                let words = command(piece);
                found.extend(words.map(|words| Shown { at: at.clone(), words, in_prose: true }));
            }
        }
    }
    found
}

/// What the program has against a command.
fn fault(shown: &Shown) -> Option<String> {
    let program = std::iter::once("stepwell".to_owned());
    let error = Cli::try_parse_from(program.chain(shown.words.iter().cloned())).err()?;
    let is_short = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let is_answered = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_fine = is_answered || (shown.in_prose && is_short);
    let text = error.to_string();
    (!is_fine)
        .then(|| format!("{}: {:?}: {}", shown.at, shown.words, text.lines().next().unwrap_or("")))
}

#[test]
fn commands_on_pages_are_understood() {
    let root = root();
    let mut paths = ["README.md", "sdk/typescript/README.md", "deploy/archive/README.md"]
        .map(|name| root.join(name))
        .to_vec();
    pages(&root.join("docs"), &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        found.extend(commands(&name, &std::fs::read_to_string(&path).unwrap()));
    }
    assert!(found.len() > 60, "only {} commands were found", found.len());
    let faults: Vec<String> = found.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "commands that are not understood:\n  {}", faults.join("\n  "));
}

#[test]
fn commands_that_are_not_understood_are_seen() {
    let page = "Type `stepwell runs shwo`, or `stepwell runs show`; not `make run`.\n```sh\n\
                npx stepwell runs start greet --input '\"A b\"' | cat    # starts\n\
                stepwell runs show\nstepwell runs list \\\n    --stats failed\n```\n\
                ```ts\nstepwell runs no\n```\n`stepwell runs list --limit 5 > a`\n";
    let found = commands("p.md", page);
    assert_eq!(found[2].words, ["runs", "start", "greet", "--input", "\"A b\""]);
    let faults: Vec<String> = found.iter().filter_map(fault).collect();
    let places: Vec<&str> =
        faults.iter().filter_map(|fault| fault.split_once(": ")).map(|(at, _)| at).collect();
    assert_eq!(places, ["p.md:1", "p.md:4", "p.md:6"], "{faults:?}");
}
