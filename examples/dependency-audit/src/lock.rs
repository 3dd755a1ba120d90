//! What a `Cargo.lock` names.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stepwell::{Error, Result};

/// A package of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it comes from; absent for members of the workspace and other paths.
    pub(crate) source: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

/// Reads the packages of a lock.
///
/// # Errors
/// The file cannot be read or is no lock; the text names it.
pub(crate) fn read(path: &Path) -> Result<Vec<Package>> {
    let refuse = |why: String| Error::terminal(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if lock.package.is_empty() {
        return Err(refuse("it names no package; is it a Cargo.lock?".into()));
    }
    Ok(lock.package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_read_and_other_files_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.lock");
        let text = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\
            source = \"registry+x\"\nchecksum = \"0\"\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        std::fs::write(&path, text).unwrap();
        let packages = read(&path).unwrap();
        assert_eq!(packages.len(), 2);
        assert_eq!((packages[0].version.as_str(), &packages[1].source), ("1.2.3", &None));
        for (text, word) in [("a = [", "TOML"), ("a = 1", "no package")] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path).unwrap_err().message().contains(word), "{text}");
        }
        assert!(read(Path::new("nowhere.lock")).unwrap_err().message().contains("nowhere.lock"));
    }
}
