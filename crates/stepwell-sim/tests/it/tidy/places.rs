//! Nothing in the source depends on the machine that it was written on.

use super::tree::{self, File};

/// The only registry that lock files may name.
const REGISTRIES: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// Folders of a development machine; the last is for tests as well.
// Put together here, so that this file does not find itself.
const PLACES: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/t", "mp/")];

/// Tells whether the text holds an absolute path that begins with the folder.
fn names(text: &str, place: &str) -> bool {
    text.match_indices(place).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/'))
    })
}

fn places(file: &File) -> Vec<String> {
    let places = if file.is_test() { &PLACES[..3] } else { &PLACES[..] };
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| places.iter().any(|place| names(line, place)))
        .map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim()))
        .collect()
}

#[test]
fn no_path_of_a_machine_is_kept() {
    let findings: Vec<String> = tree::files().iter().flat_map(places).collect();
    tree::refuse("paths of one machine:", &findings);
}

#[test]
fn paths_of_a_machine_are_seen() {
    let place = PLACES[0];
    for text in [place.to_owned(), format!("cd {place}x"), format!("\"{place}\"")] {
        assert!(names(&text, place), "{text}");
    }
    for text in [format!("net{place}x"), format!("..{place}"), place.trim_matches('/').to_owned()] {
        assert!(!names(&text, place), "{text}");
    }
}

#[test]
fn lock_files_name_public_registries() {
    let mut findings = Vec::new();
    for file in tree::files() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let key = match name {
            "Cargo.lock" => "source = ",
            "package-lock.json" => "\"resolved\": ",
            _ => continue,
        };
        for (at, line) in file.text.lines().enumerate() {
            let source = line.trim().strip_prefix(key).map(|rest| rest.trim_matches(['"', ',']));
            // What has no address is a folder of this repository.
            let source = source.filter(|found| found.contains("://"));
            if source.is_some_and(|found| !REGISTRIES.iter().any(|one| found.starts_with(one))) {
                findings.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    tree::refuse("lock files name other registries:", &findings);
}
