//! Says when the embedded console is to be embedded again, and refuses a missing or stale one where a
//! current one is required. It never builds the console: that is `make`'s.

#![expect(clippy::expect_used, reason = "a build script fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What the console is made of, besides its sources; scripts/pack.mjs in console/ has the same list.
const FILES: [&str; 5] =
    ["index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"];
const FOLDERS: [&str; 2] = ["public", "src"];

fn main() {
    // Without this, a binary that was built once before the console stays without it.
    println!("cargo::rerun-if-changed=dist");
    println!("cargo::rerun-if-env-changed=REQUIRE_CONSOLE");
    if std::env::var_os("REQUIRE_CONSOLE").is_none_or(|value| value != "1") {
        return;
    }
    let console = Path::new("../../console");
    for part in FILES.iter().chain(&FOLDERS) {
        println!("cargo::rerun-if-changed={}", console.join(part).display());
    }
    let expected = stamp(console);
    let found = fs::read_to_string("dist/.stamp").unwrap_or_default();
    assert!(
        found.trim() == expected,
        "the console is {}: run `make console`, which builds it; REQUIRE_CONSOLE=1 asks for a current one",
        if found.is_empty() { "not built" } else { "older than its sources" }
    );
}

/// SHA-256 over the paths and contents of what the console is built from, in the order of the paths.
fn stamp(console: &Path) -> String {
    let mut paths: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    for folder in FOLDERS {
        list(console, Path::new(folder), &mut paths);
    }
    let mut names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.sort_unstable();
    let mut hash = Sha256::new();
    for name in names {
        let bytes = fs::read(console.join(&name)).expect("a source of the console can be read");
        hash.update(format!("{name}\n{}\n", bytes.len()));
        hash.update(bytes);
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}

fn list(console: &Path, folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(console.join(folder)).expect("a folder of the console can be read");
    for entry in entries {
        let entry = entry.expect("a folder of the console can be read");
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            list(console, &path, paths);
        } else {
            paths.push(path);
        }
    }
}
