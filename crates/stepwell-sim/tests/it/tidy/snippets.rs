//! Rust on pages is Rust that is compiled: each block stands, line by line, in a file that cargo builds.
//!
//! TypeScript is compiled by a test of `sdk/typescript`, commands are read by one of `stepwell-server`.

use super::tree;

/// Where blocks may stand: tests that were written for the pages, and whole programs.
const COMPILED: [&str; 2] = ["crates/stepwell/tests/it/docs/", "examples/"];

/// The blocks of Rust in a Markdown text, with the lines at which they begin.
fn blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut found: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        if line == "```rust" {
            inside = true;
            found.push((at + 2, Vec::new()));
        } else if line == "```" {
            inside = false;
        } else if inside && let Some((_, block)) = found.last_mut() {
            block.push(line);
        }
    }
    found
}

/// Tells whether a block stands in a text, whatever its indentation there.
fn stands_in(block: &[&str], text: &[&str]) -> bool {
    let Some(first) = block.first() else { return false };
    text.windows(block.len()).any(|lines| {
        let Some(indent) = lines[0].strip_suffix(first) else { return false };
        indent.chars().all(|c| c == ' ')
            && block.iter().zip(lines).all(|(shown, line)| {
                (shown.is_empty() && line.is_empty()) || line.strip_prefix(indent) == Some(*shown)
            })
    })
}

#[test]
fn rust_on_pages_is_compiled() {
    let files = tree::files();
    let compiled = files.iter().filter(|file| {
        file.is_any(&["rs"]) && COMPILED.iter().any(|folder| file.path.starts_with(folder))
    });
    let compiled: Vec<Vec<&str>> = compiled.map(|file| file.text.lines().collect()).collect();
    let (mut findings, mut seen) = (Vec::new(), 0);
    for file in files.iter().filter(|file| file.is_any(&["md"])) {
        for (line, block) in blocks(&file.text) {
            seen += 1;
            if !compiled.iter().any(|text| stands_in(&block, text)) {
                findings.push(format!("{}:{line}: {}", file.path, block.first().unwrap_or(&"")));
            }
        }
    }
    assert!(seen > 30, "only {seen} blocks were found");
    let rule = "blocks of Rust that do not stand in crates/stepwell/tests/it/docs or examples:";
    tree::refuse(rule, &findings);
}

#[test]
fn blocks_that_are_not_compiled_are_seen() {
    let page =
        "a\n```rust\nlet a = 1;\n\nif a {\n    b();\n}\n```\n```sh\nls\n```\n```rust\nx\n```\n";
    let found = blocks(page);
    assert_eq!(
        found.iter().map(|(line, block)| (*line, block.len())).collect::<Vec<_>>(),
        [(3, 5), (13, 1)]
    );
    let block = &found[0].1;
    let within = |text: &str| stands_in(block, &text.lines().collect::<Vec<_>>());
    assert!(within("fn f() {\n    let a = 1;\n\n    if a {\n        b();\n    }\n}\n"));
    assert!(within("let a = 1;\n\nif a {\n    b();\n}\n"));
    assert!(!within("let a = 1;\n\nif a {\n    c();\n}\n"), "another call");
    assert!(!within("let a = 1;\nif a {\n    b();\n}\n"), "a line less");
    assert!(!within("let a = 1;\n\nif a {\nb();\n}\n"), "another indentation");
}
