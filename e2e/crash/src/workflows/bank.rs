//! A world outside that remembers: it can be asked what was done in it.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A folder with a file for each thing that was done. All runners have the same.
#[derive(Debug)]
pub(super) struct Bank {
    folder: PathBuf,
}

impl Bank {
    /// Opens a bank, which is made where it is not there.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Tells whether nobody has come with this name before.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn is_first(&self, name: &str) -> Result<bool> {
        match File::create_new(self.folder.join(format!("{name}.first"))) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Keeps a value under a name, whole or not at all. The first one stays.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn keep(&self, name: &str, by: &str, value: &Value) -> Result<()> {
        let new = self.folder.join(format!("{name}.{by}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        match fs::hard_link(&new, self.folder.join(format!("{name}.kept"))) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::remove_file(new)
    }

    /// Returns what is kept under a name.
    ///
    /// # Errors
    /// Those of the file system; what is kept is no JSON.
    pub(super) fn find(&self, name: &str) -> Result<Option<Value>> {
        match fs::read(self.folder.join(format!("{name}.kept"))) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(Error::from),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_value_stays() {
        let folder = tempfile::tempdir().unwrap();
        let bank = Bank::open(folder.path()).unwrap();
        assert_eq!(bank.find("a").unwrap(), None);
        bank.keep("a", "one", &json!(1)).unwrap();
        bank.keep("a", "two", &json!(2)).unwrap();
        assert_eq!(bank.find("a").unwrap(), Some(json!(1)));
        assert_eq!([bank.is_first("a").unwrap(), bank.is_first("a").unwrap()], [true, false]);
    }
}
