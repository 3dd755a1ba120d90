//! Pages that have to be there.

use std::collections::BTreeSet;

use stepwell_core::code::Code;

use super::tree;

/// What language models read, in Markdown.
const LLMS: &str = "docs/llms.txt";

/// Sections of a page about an error code, in this order.
const SECTIONS: [&str; 2] = ["## What happened", "## What to do"];

fn page_faults(code: Code, page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let title = format!("# {code}: {}", code.title());
    if page.lines().next() != Some(title.as_str()) {
        faults.push(format!("the first line is not `{title}`"));
    }
    let mut from = 0;
    for section in SECTIONS {
        let Some(at) = page[from..].find(section) else {
            faults.push(format!("`{section}` is missing or out of order"));
            break;
        };
        from += at + section.len();
        let body = page[from..].split("\n## ").next().unwrap_or_default();
        if body.split_whitespace().count() < 5 {
            faults.push(format!("`{section}` says nothing"));
        }
    }
    faults
}

#[test]
fn every_error_code_has_a_page() {
    let folder = tree::root().join("docs/errors");
    let mut findings = Vec::new();
    for code in Code::ALL {
        match std::fs::read_to_string(folder.join(format!("{code}.md"))) {
            Ok(page) => {
                let faults = page_faults(*code, &page);
                findings.extend(faults.into_iter().map(|fault| format!("{code}.md: {fault}")));
            }
            Err(error) => findings.push(format!("{code}.md: {error}")),
        }
    }
    let known: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "README.md" && !known.contains(&name) {
            findings.push(format!("{name}: there is no such code"));
        }
    }
    tree::refuse("pages in docs/errors:", &findings);
}

#[test]
fn every_error_code_is_in_the_list() {
    let list = std::fs::read_to_string(tree::root().join("docs/errors/README.md")).unwrap();
    let row = |code: &Code| format!("| [{code}]({code}.md) | {} |", code.title());
    let missing = Code::ALL.iter().map(row).filter(|row| !list.lines().any(|line| line == row));
    tree::refuse("rows that docs/errors/README.md does not have:", &missing.collect::<Vec<_>>());
}

#[test]
fn faults_of_pages_are_seen() {
    let code = Code::ALL[0];
    let (head, title) = (format!("# {code}: {}\n", code.title()), code.title());
    let body = "one two three four five six\n";
    let whole = format!("{head}\n## What happened\n\n{body}\n## What to do\n\n{body}");
    assert_eq!(page_faults(code, &whole), Vec::<String>::new());
    assert_eq!(page_faults(code, &whole.replace(title, "Else")).len(), 1);
    assert_eq!(page_faults(code, &whole.replace("## What to do", "")).len(), 1);
    assert_eq!(
        page_faults(code, &format!("{head}\n## What happened\n\n{body}\n## What to do\n")).len(),
        1
    );
}

#[test]
fn what_language_models_read_shows_programs_that_are_built() {
    let root = tree::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (readme, page) = (read("README.md"), read(LLMS));
    assert!(page.matches("](").count() > 8, "{LLMS} links to too little");
    for language in ["ts", "rust"] {
        let fence = format!("```{language}\n");
        let program = |text: &str| text.split(&fence).nth(1)?.split("```").next().map(String::from);
        assert_eq!(program(&page), program(&readme), "the programs in {language}");
    }
}

/// Targets of make that a Markdown text names in code.
fn make_targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        // Of `a` and `b` in a line, every second piece is code.
        let pieces = line.split('`').enumerate().filter(|(at, _)| in_code || at % 2 == 1);
        for (_, piece) in pieces {
            let Some(piece) = piece.trim().strip_prefix("make ") else {
                continue;
            };
            let end = piece.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let end = end.unwrap_or(piece.len());
            if end > 0 {
                found.push(&piece[..end]);
            }
        }
    }
    found
}

#[test]
fn targets_of_make_exist() {
    let makefile = std::fs::read_to_string(tree::root().join("Makefile")).unwrap();
    let mut findings = Vec::new();
    for file in tree::files().iter().filter(|file| file.is_any(&["md"])) {
        for target in make_targets(&file.text) {
            if !makefile.lines().any(|rule| rule.starts_with(&format!("{target}:"))) {
                findings.push(format!("{}: make {target}", file.path));
            }
        }
    }
    tree::refuse("documents name targets that the Makefile does not have:", &findings);
}

#[test]
fn targets_of_make_are_found() {
    let text = "Type `make run`, or\nmake sense.\n```sh\nmake test SEEDS=1\n```\nmake it\n";
    assert_eq!(make_targets(text), ["run", "test"]);
}

#[test]
fn the_readme_shows_a_program_that_is_built() {
    let root = tree::root();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let program = std::fs::read_to_string(root.join("examples/quickstart/src/main.rs")).unwrap();
    // Without the comment about the file itself.
    let shown = program.split_once("\n\n").map_or("", |(_, rest)| rest);
    assert!(shown.contains("async fn main"), "the program is not where it was");
    let block = format!("```rust\n{shown}```");
    assert!(readme.contains(&block), "the README's program is not examples/quickstart/src/main.rs");
}

#[test]
fn the_readme_shows_the_program_of_the_package() {
    let root = tree::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (readme, package) = (read("README.md"), read("sdk/typescript/README.md"));
    // The first block; a test of the package compiles it.
    let program = package.split("```ts\n").nth(1).and_then(|rest| rest.split("```").next());
    let program = program.unwrap_or_default();
    assert!(program.contains(".serve()"), "the program is not where it was");
    let block = format!("```ts\n{program}```");
    assert!(readme.contains(&block), "its program is not that of sdk/typescript/README.md");
}
