//! What an archive of a release holds: `scripts/dist.sh` packs by this list, and pages tell of it.

use std::collections::BTreeMap;

use super::tree;

/// The list.
const CONTENTS: &str = "deploy/archive/contents.txt";

/// Pages with a table of the files.
const PAGES: [&str; 2] = ["deploy/archive/README.md", "docs/operating/installing.md"];

/// Of `deploy/`, what is of no use to who has an archive.
const LEFT_OUT: [&str; 2] = ["deploy/archive/", "deploy/prometheus/alerts.test.yml"];

/// The line of the Dockerfile from which on an archive has it too.
const IMAGES: &str = "# The images;";

/// The files of the list, with how they come into an archive.
fn contents(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(path, how)| (path, how.trim())).collect()
}

/// What the first column of a page's table of files names: files, and folders with a `/` at their ends.
fn told(page: &str) -> Vec<&str> {
    let rows = page.lines().skip_while(|line| !line.starts_with("| file | is |"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let columns = rows.filter_map(|row| row.split('|').nth(1));
    // Of `a` and `b` in a column, every second piece is code.
    columns.flat_map(|column| column.split('`').skip(1).step_by(2)).collect()
}

/// What a table and the list do not have in common.
fn differences(contents: &BTreeMap<&str, &str>, told: &[&str]) -> Vec<String> {
    let is_of =
        |path: &str, name: &str| path == name || (name.ends_with('/') && path.starts_with(name));
    let untold = contents.keys().filter(|path| !told.iter().any(|name| is_of(path, name)));
    let unknown = told.iter().filter(|name| !contents.keys().any(|path| is_of(path, name)));
    let untold = untold.map(|path| format!("{path} is not told of"));
    untold.chain(unknown.map(|name| format!("{name} is not in the archive"))).collect()
}

#[test]
fn files_of_an_archive_are_there_and_told_of() {
    let root = tree::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let list = read(CONTENTS);
    let contents = contents(&list);
    assert!(contents.len() > 15, "{contents:?}");
    let mut findings = Vec::new();
    for (path, how) in &contents {
        match *how {
            "copied" | "fitted" if root.join(path).is_file() => {}
            "made" => {}
            other => {
                findings.push(format!("{path} {other}: there is no such file, or no such way"));
            }
        }
    }
    for page in PAGES {
        let text = read(page);
        let found = differences(&contents, &told(&text)).into_iter();
        findings.extend(found.map(|what| format!("{page}: {what}")));
    }
    for file in tree::files().iter().filter(|file| file.path.starts_with("deploy/")) {
        let is_left_out = LEFT_OUT.iter().any(|path| file.path.starts_with(path));
        if is_left_out == contents.contains_key(file.path.as_str()) {
            findings.push(format!("{}: in the archive, or left out?", file.path));
        }
    }
    tree::refuse("an archive:", &findings);
}

/// The archive's Dockerfile is one of its own up to the images, which are those of the source.
#[test]
fn images_of_an_archive_are_built_from_what_is_in_it() {
    let root = tree::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (list, whole, head) =
        (read(CONTENTS), read("deploy/Dockerfile"), read("deploy/archive/Dockerfile"));
    let contents = contents(&list);
    let (before, images) = whole.split_once(IMAGES).expect("the line is there");
    assert_eq!(whole.matches(IMAGES).count(), 1);
    assert!(before.contains(" AS build\n") && head.contains(" AS build\n"));
    assert!(!images.contains("cargo "), "an archive has no source");
    // As `fitted` of the script does it.
    let fitted = images.replace("target/release/", "bin/");
    let copied: Vec<_> =
        fitted.split_whitespace().filter_map(|word| word.strip_prefix("/source/")).collect();
    assert!(copied.len() >= 4, "{copied:?}");
    let missing: Vec<_> = copied.iter().filter(|path| !contents.contains_key(**path)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in the archive");
    let folder = "/empty/data";
    assert!(images.contains(folder) && head.contains(folder), "{folder}");
}

#[test]
fn differences_are_seen() {
    let contents = contents("# a comment\na/b   made\na/c  copied\nd copied\n");
    let page = "| file | is |\n| --- | --- |\n| `a/` | `x` |\n| `d`, `e` | y |\n\n| `f` | z |\n";
    assert_eq!(told(page), ["a/", "d", "e"]);
    assert_eq!(differences(&contents, &told(page)), ["e is not in the archive"]);
    assert_eq!(differences(&contents, &["a/b", "d"]), ["a/c is not told of"]);
}
