//! Which source files changed: their times of modification, looked at now and then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Endings of files that programs are made of. Data that a program writes beside its source must
/// not restart it.
const ENDINGS: [&str; 18] = [
    "rs", "toml", "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "py", "go", "java", "kt",
    "rb", "cs", "proto", "sql",
];

/// Folders that hold what was made of the source.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", "build"];

/// Most files that are looked at.
const FILES_MAX: usize = 20_000;

/// What was seen at the last look.
#[derive(Debug)]
pub(super) struct Watch {
    roots: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, SystemTime>,
}

impl Watch {
    /// Looks for the first time.
    pub(super) fn new(roots: Vec<PathBuf>) -> Self {
        let seen = look(&roots);
        Self { roots, seen }
    }

    /// Looks again, and returns a file that is new, changed or gone.
    pub(super) fn changed(&mut self) -> Option<PathBuf> {
        let now = look(&self.roots);
        let came = now.iter().find(|(path, at)| self.seen.get(*path) != Some(at));
        let went = || self.seen.keys().find(|path| !now.contains_key(*path));
        let changed = came.map(|(path, _)| path).or_else(went).cloned();
        self.seen = now;
        changed
    }
}

fn look(roots: &[PathBuf]) -> BTreeMap<PathBuf, SystemTime> {
    let mut seen = BTreeMap::new();
    let mut open: Vec<PathBuf> = roots.to_vec();
    while let Some(path) = open.pop() {
        // What cannot be read now (such as a file that an editor replaces) is seen at a later look.
        let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
        if about.is_dir() {
            let Ok(entries) = std::fs::read_dir(&path) else { continue };
            open.extend(entries.flatten().map(|entry| entry.path()).filter(|path| is_source(path)));
        } else if let Ok(at) = about.modified()
            && seen.len() < FILES_MAX
        {
            seen.insert(path, at);
        }
    }
    seen
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
    if name.starts_with('.') {
        return false;
    }
    if path.is_dir() {
        return !SKIPPED.contains(&name);
    }
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|one| ending == *one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_that_changes_is_noticed_and_data_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let put = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let later = SystemTime::now() + std::time::Duration::from_secs(text.len() as u64);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
            path
        };
        let main = put("src/main.rs", "1");
        let mut watch = Watch::new(vec![root.clone()]);
        assert_eq!(watch.changed(), None);
        put("report.json", "1");
        put("target/out.rs", "1");
        put(".git/a.rs", "1");
        assert_eq!(watch.changed(), None);
        put("src/main.rs", "22");
        assert_eq!(watch.changed(), Some(main.clone()));
        let other = put("src/other.rs", "1");
        assert_eq!(watch.changed(), Some(other));
        std::fs::remove_file(&main).unwrap();
        assert_eq!(watch.changed(), Some(main));
        assert_eq!(watch.changed(), None);
    }
}
