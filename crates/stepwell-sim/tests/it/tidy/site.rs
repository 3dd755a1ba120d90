//! The documents as one site: links lead somewhere, anchors are there, and every page can be found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::tree::{self, File};

/// Where readers begin.
const INDEX: &str = "docs/README.md";

/// Lines of a Markdown text that are not code, with their numbers from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((at + 1, line))
    })
}

/// Targets of links in Markdown text that point into the repository, with their lines: a path that may be
/// empty, and an anchor that may be.
fn links(text: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    for (at, line) in prose(text) {
        let mut rest = line;
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            let target = rest.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                found.push((at, path, anchor));
            }
        }
    }
    found
}

/// The anchors of a Markdown text, as GitHub makes them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let name: String =
            without_targets(heading.trim()).to_lowercase().chars().filter(kept).collect();
        let name = name.replace(' ', "-");
        let again = (1..).map(|n| format!("{name}-{n}"));
        let fresh = std::iter::once(name.clone()).chain(again).find(|one| !found.contains(one));
        found.extend(fresh);
    }
    found
}

/// A heading in which links are replaced by what they show.
fn without_targets(heading: &str) -> String {
    let mut shown = String::new();
    let mut rest = heading;
    while let Some((before, behind)) = rest.split_once("](") {
        shown += before;
        rest = behind.split_once(')').map_or("", |(_, rest)| rest);
    }
    shown + rest
}

/// The path that a link in a file leads to, from the root on.
fn target(from: &str, link: &str) -> String {
    if link.is_empty() {
        return from.to_owned();
    }
    let folder = Path::new(from).parent().unwrap_or_else(|| Path::new(""));
    let mut parts = Vec::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

/// The Markdown files by their paths.
fn pages(files: &[File]) -> BTreeMap<&str, &str> {
    let pages = files.iter().filter(|file| file.is_any(&["md"]) || file.path == "docs/llms.txt");
    pages.map(|file| (file.path.as_str(), file.text.as_str())).collect()
}

fn dead_links(pages: &BTreeMap<&str, &str>, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let anchors: BTreeMap<_, _> = pages.iter().map(|(path, text)| (*path, anchors(text))).collect();
    let mut findings = Vec::new();
    for (path, text) in pages {
        for (line, link, anchor) in links(text) {
            let target = target(path, link);
            if !is_there(&target) {
                findings.push(format!("{path}:{line}: {link}"));
            } else if let Some(known) = anchors.get(target.as_str())
                && !anchor.is_empty()
                && !known.contains(anchor)
            {
                findings.push(format!("{path}:{line}: {link}#{anchor}"));
            }
        }
    }
    findings
}

#[test]
fn links_lead_to_files_and_to_headings() {
    let (root, files) = (tree::root(), tree::files());
    let findings = dead_links(&pages(&files), |target| root.join(target).exists());
    tree::refuse("links to files or headings that are not there:", &findings);
}

#[test]
fn dead_links_are_seen() {
    let page = "# One\n[a](b.md#two-words) [d](https://e) [f](#one) [g](#gone)\n\
                ```\n[h](i)\n# Code\n```\n![j](../k.png) [l](b.md#code) [m](#code)";
    let other = "## Two `words`\n# \u{a7}4 [At last](x)\n## Two words\n";
    assert_eq!(anchors(other), ["4-at-last", "two-words", "two-words-1"].map(String::from).into());
    let pages = BTreeMap::from([("docs/a.md", page), ("docs/b.md", other)]);
    let there = ["docs/a.md", "docs/b.md", "k.png", "docs/x"];
    let seen = dead_links(&pages, |path| there.contains(&path));
    assert_eq!(seen, ["docs/a.md:2: #gone", "docs/a.md:7: b.md#code", "docs/a.md:7: #code"]);
    let seen = dead_links(&pages, |path| path.starts_with("docs/") && path != "docs/x");
    assert_eq!(seen.len(), 5, "{seen:?}");
}

/// Pages of `docs/` that no way of links leads to from the index.
fn lost(pages: &BTreeMap<&str, &str>) -> Vec<String> {
    let mut found = BTreeSet::from([INDEX.to_owned()]);
    let mut next = vec![INDEX.to_owned()];
    while let Some(path) = next.pop() {
        let text = pages.get(path.as_str()).copied().unwrap_or_default();
        for (_, link, _) in links(text) {
            let target = target(&path, link);
            if found.insert(target.clone()) {
                next.push(target);
            }
        }
    }
    let docs = pages.keys().filter(|path| path.starts_with("docs/") && !found.contains(**path));
    docs.map(ToString::to_string).collect()
}

#[test]
fn every_page_is_found_from_the_index() {
    let files = tree::files();
    let pages = pages(&files);
    assert!(pages.contains_key(INDEX), "{INDEX} is not there");
    tree::refuse("pages that no link leads to from docs/README.md:", &lost(&pages));
}

#[test]
fn lost_pages_are_seen() {
    let pages = [(INDEX, "[a](a.md)"), ("docs/a.md", "[b](b/c.md)"), ("docs/b/c.md", "")];
    let mut pages = BTreeMap::from(pages);
    assert!(lost(&pages).is_empty());
    pages.insert("docs/d.md", "[a](a.md)");
    assert_eq!(lost(&pages), ["docs/d.md"]);
}

/// What a page says that comes before and next, as paths.
fn neighbours(path: &str, text: &str) -> Option<(String, String)> {
    let line = text.lines().rfind(|line| line.contains("Before: [") && line.contains("Next: ["))?;
    let of = |word: &str| {
        let rest = line.split_once(word)?.1;
        Some(target(path, links(rest).first()?.1))
    };
    Some((of("Before: ")?, of("Next: ")?))
}

/// Pages whose neighbours do not name them in turn.
fn broken_order(pages: &BTreeMap<&str, &str>) -> Vec<String> {
    let said = |path: &str| pages.get(path).and_then(|text| neighbours(path, text));
    let mut findings = Vec::new();
    for path in pages.keys() {
        let Some((before, next)) = said(path) else { continue };
        for (other, back) in
            [(&next, said(&next).map(|one| one.0)), (&before, said(&before).map(|one| one.1))]
        {
            if other != INDEX && back.as_deref() != Some(path) {
                let back = back.unwrap_or_else(|| "nothing".to_owned());
                findings.push(format!("{path} names {other}, which names {back}"));
            }
        }
    }
    findings
}

#[test]
fn pages_are_in_one_order() {
    let files = tree::files();
    let pages = pages(&files);
    let ordered = pages.iter().filter(|(path, text)| neighbours(path, text).is_some()).count();
    assert!(ordered > 20, "only {ordered} pages say what comes before and next");
    tree::refuse("pages that do not name each other as before and next:", &broken_order(&pages));
}

#[test]
fn a_broken_order_is_seen() {
    let a = "x\n\nMore: [y](y.md). Before: [the index](README.md). Next: [b](s/b.md).\n";
    let b = "Before: [a](../a.md). Next: [c](../c.md).\n";
    let c = "Before: [b](s/b.md). Next: [the index](README.md).\n";
    let mut pages = BTreeMap::from([("docs/a.md", a), ("docs/s/b.md", b), ("docs/c.md", c)]);
    assert_eq!(broken_order(&pages), Vec::<String>::new());
    pages.insert("docs/c.md", "Before: [a](a.md). Next: [the index](README.md).\n");
    assert_eq!(broken_order(&pages).len(), 2);
    pages.remove("docs/c.md");
    assert_eq!(broken_order(&pages), ["docs/s/b.md names docs/c.md, which names nothing"]);
}

/// Pages that code names, with their anchors, and the lines.
fn named(file: &File) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for (start, _) in line.match_indices("docs/") {
            let is_inside =
                line[..start].ends_with(|c: char| c.is_alphanumeric() || "/._-".contains(c));
            let rest = &line[start..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-#".contains(c)));
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            let (path, anchor) = name.split_once('#').unwrap_or((name, ""));
            if !is_inside && Path::new(path).extension().is_some_and(|one| one == "md") {
                found.push((at + 1, path, anchor));
            }
        }
    }
    found
}

#[test]
fn pages_that_code_names_are_there() {
    let (root, files) = (tree::root(), tree::files());
    let pages = pages(&files);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_any(&["rs", "ts", "tsx"]) && !file.is_test()) {
        for (line, path, anchor) in named(file) {
            // A package names its own pages from its own root.
            let own = file.path.split("/src/").next().unwrap_or_default();
            let known = [path.to_owned(), format!("{own}/{path}")];
            let there = known.iter().find(|path| root.join(path).exists());
            let text = there.and_then(|path| pages.get(path.as_str()));
            if !text.is_some_and(|text| anchor.is_empty() || anchors(text).contains(anchor)) {
                findings.push(format!("{}:{line}: {path} {anchor}", file.path));
            }
        }
    }
    tree::refuse("code names pages or headings that are not there:", &findings);
}

#[test]
fn pages_that_code_names_are_seen() {
    let text = "// see docs/a.md.\n\"docs/b/c.md#d-e\" sdk/docs/f.md `docs/${x}.md`\n".to_owned();
    let file = File { path: "a/src/b.rs".into(), text };
    assert_eq!(named(&file), [(1, "docs/a.md", ""), (2, "docs/b/c.md", "d-e")]);
}
