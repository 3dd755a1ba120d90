//! Faults that processes logged: what a ledger does not show.

use std::path::Path;

use crate::error::Error;

/// What a process says that did something wrong, or was told that it did: an error, a panic, a message
/// of the worker protocol that was refused.
const FAULTS: [&str; 4] = [" ERROR ", "panicked at", "SW3001", "SW3005"];

/// The same of several nodes, which say as an error that they lost the database.
const PANICS: [&str; 3] = ["panicked at", "SW3001", "SW3005"];

/// Looks for faults in every log of a folder.
pub(super) fn check(folder: &Path) -> Result<(), Error> {
    look_for(&FAULTS, folder)
}

/// Looks for what no loss of a database explains in every log of a folder.
pub(crate) fn find_panics(folder: &Path) -> Result<(), Error> {
    look_for(&PANICS, folder)
}

fn look_for(faults: &[&str], folder: &Path) -> Result<(), Error> {
    let is_one = |line: &&str| faults.iter().any(|fault| line.contains(fault));
    let entries = folder.read_dir().map_err(Error::io("the logs are listed"))?;
    for entry in entries {
        let log = entry.map_err(Error::io("the logs are listed"))?.path();
        if log.extension().is_none_or(|ending| ending != "log") {
            continue;
        }
        let text = std::fs::read(&log).map_err(Error::io("a log is read"))?;
        let text = String::from_utf8_lossy(&text);
        let faults: Vec<&str> = text.lines().filter(|line| is_one(line)).collect();
        if let Some(line) = faults.first() {
            let (count, line) = (faults.len(), (*line).to_owned());
            return Err(Error::Logged { log, count, line });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_and_what_is_no_fault_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a-server.log", "1  INFO listening\n1  WARN a runner does not read\n");
        write("ledger.jsonl", "2 ERROR in no log\n");
        assert!(check(folder.path()).is_ok());
        write("b-server.log", "1  INFO x\n2  INFO closing reason=\"SW3001: y\"\n3 ERROR z\n");
        let error = check(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("b-server.log has 2 lines") && error.contains("SW3001: y"),
            "{error}"
        );
    }
}
