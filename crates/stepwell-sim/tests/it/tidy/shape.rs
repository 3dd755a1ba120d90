//! How files and manifests are laid out.

use super::tree::{self, File};

/// Most lines of a source file.
const LINES_MAX: usize = 500;

/// Most lines of functions in a file that is a map: enough to dispatch.
const MAP_LINES_MAX: usize = 30;

/// Most lines of a file of tests.
const TEST_LINES_MAX: usize = 800;

const SOURCE: &[&str] = &["rs", "ts", "tsx", "js", "mjs", "sh", "py", "sql", "css"];

fn too_long(file: &File) -> Option<String> {
    let max = if file.is_test() { TEST_LINES_MAX } else { LINES_MAX };
    let lines = file.text.lines().count();
    (lines > max).then(|| format!("{} has {lines} lines, over {max}", file.path))
}

/// Counts the lines of a map file (`lib.rs`, `mod.rs`) that stand in functions with a body.
fn lines_of_functions(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut rest = line.trim_start();
        let indent = line.len() - rest.len();
        let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
        while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = shorter;
        }
        if !rest.starts_with("fn ") {
            continue;
        }
        // A signature ends where its line does: with a brace, or with a semicolon in a trait.
        let mut signature = 1;
        let mut last = line;
        while !last.contains('{') && !last.trim_end().ends_with(';') {
            let Some(next) = lines.next() else { break };
            signature += 1;
            last = next;
        }
        if !last.contains('{') {
            continue;
        }
        count += signature;
        if last.trim_end().ends_with('}') {
            continue;
        }
        // The formatter puts the closing brace below the beginning of the function.
        let end = format!("{}}}", " ".repeat(indent));
        count += 1 + lines.by_ref().take_while(|line| *line != end).count();
    }
    count
}

#[test]
fn files_are_short() {
    let findings: Vec<String> =
        tree::files().iter().filter(|file| file.is_any(SOURCE)).filter_map(too_long).collect();
    tree::refuse("files are too long: give each reason to change a file of its own:", &findings);
}

#[test]
fn maps_hold_no_code() {
    let mut findings = Vec::new();
    for file in tree::files() {
        if file.path.ends_with("/lib.rs") || file.path.ends_with("/mod.rs") {
            let lines = lines_of_functions(&file.text);
            if lines > MAP_LINES_MAX {
                findings.push(format!("{} has {lines}, over {MAP_LINES_MAX}", file.path));
            }
        }
    }
    tree::refuse("lib.rs and mod.rs are for docs and modules; lines of functions:", &findings);
}

#[test]
fn functions_are_seen_in_maps() {
    let text = "//! fn in prose\nmod a;\n/// fn\npub(crate) const fn c() {}\n\
        impl A {\n    async fn d(\n    ) -> u8 {\n        if x {\n        }\n    }\n}\n";
    assert_eq!(lines_of_functions(text), 6);
    let text = "pub trait T {\n    fn e(&self);\n    fn f(\n        &self,\n    ) -> u8;\n}\n";
    assert_eq!(lines_of_functions(text), 0);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut findings = Vec::new();
    for package in tree::metadata().workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if inherits != Some(&toml::Value::Boolean(true)) {
            findings.push(package.manifest_path.to_string());
        }
    }
    tree::refuse("manifests lack `[lints] workspace = true`:", &findings);
}

#[test]
fn versions_stand_once() {
    let mut findings = Vec::new();
    for package in tree::metadata().workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(entries) = manifest.get(table).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, entry) in entries {
                if entry.is_str() || entry.get("version").is_some() {
                    findings.push(format!("{}: {name}", package.manifest_path));
                }
            }
        }
    }
    tree::refuse("versions stand outside of the workspace's manifest:", &findings);
}
