//! How files and manifests are laid out.

use super::tree::{self, File};

/// Most lines of a source file.
const LINES_MAX: usize = 500;

/// Most lines of a file of tests.
const TEST_LINES_MAX: usize = 800;

const SOURCE: &[&str] = &["rs", "ts", "tsx", "js", "mjs", "sh", "py", "sql", "css"];

fn too_long(file: &File) -> Option<String> {
    let max = if file.is_test() { TEST_LINES_MAX } else { LINES_MAX };
    let lines = file.text.lines().count();
    (lines > max).then(|| format!("{} has {lines} lines, over {max}", file.path))
}

/// Lines of a map file (`lib.rs`, `mod.rs`) on which a function with a body begins.
fn bodies(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut rest = line.trim_start();
        let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
        while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = shorter;
        }
        if !rest.starts_with("fn ") {
            continue;
        }
        // A signature ends where its line does: with a brace, or with a semicolon in a trait.
        let mut last = line;
        while !last.contains('{') && !last.trim_end().ends_with(';') {
            let Some((_, next)) = lines.next() else { break };
            last = next;
        }
        if last.contains('{') {
            found.push(index + 1);
        }
    }
    found
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
            findings
                .extend(bodies(&file.text).into_iter().map(|line| format!("{}:{line}", file.path)));
        }
    }
    tree::refuse("functions stand in lib.rs or mod.rs, which are for docs and modules:", &findings);
}

#[test]
fn functions_are_seen_in_maps() {
    let text =
        "//! fn in prose\nmod a;\n/// fn\npub(crate) const fn c() {}\n  async fn d(\n) -> u8 {\n";
    assert_eq!(bodies(text), [4, 5]);
    let text = "pub trait T {\n    fn e(&self);\n    fn f(\n        &self,\n    ) -> u8;\n}\n";
    assert_eq!(bodies(text), [0; 0]);
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
