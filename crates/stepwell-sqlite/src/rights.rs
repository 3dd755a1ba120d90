//! Who may read the files of a folder: nobody but its owner, since payloads and what checks keys are in them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use stepwell_store::Error;

use crate::{folder, observed};

/// What others than the owner may do with a file, of its mode.
const OTHERS: u32 = 0o077;
/// What files of a folder begin with.
const OURS: [&str; 11] = [
    "FORMAT",
    "HELD",
    "LOCK",
    "MOVED",
    "MOVING",
    "RESTORED",
    "RESTORING",
    "ledger.db",
    "log-",
    "pepper",
    "stepwell.db",
];

/// Returns what others than its owner may read or write of a data folder, with the mode of each: files of the
/// store, of the ledger and of observed runs, and `.` for the folder itself.
///
/// # Errors
/// [`Error::Unusable`] when the folder cannot be read.
pub fn open_to_others(folder: &Path) -> Result<Vec<(String, u32)>, Error> {
    let mut names = vec![".".to_owned()];
    let is_ours = |name: &String| OURS.iter().any(|ours| name.starts_with(ours));
    names.extend(inside(folder)?.into_iter().filter(is_ours));
    let observed = folder.join(observed::FOLDER);
    if observed.is_dir() {
        names.push(observed::FOLDER.to_owned());
        let inside = inside(&observed)?.into_iter();
        names.extend(inside.map(|name| format!("{}/{name}", observed::FOLDER)));
    }
    names.sort_unstable();
    let modes = names.into_iter().filter_map(|name| {
        // What was removed meanwhile is open to nobody.
        let mode = folder.join(&name).metadata().ok()?.permissions().mode() & 0o777;
        (mode & OTHERS != 0).then_some((name, mode))
    });
    Ok(modes.collect())
}

/// Returns the names in a folder.
fn inside(folder: &Path) -> Result<Vec<String>, Error> {
    let refused = |error: std::io::Error| folder::unusable(folder, error.to_string());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        // A name that is not UTF-8 is not one of ours.
        names.extend(entry.map_err(refused)?.file_name().into_string());
    }
    Ok(names)
}

/// Takes from others what earlier versions let them read. The folder itself is left to whoever made it.
pub(crate) fn tighten(folder: &Path) {
    for (name, _) in open_to_others(folder).unwrap_or_default() {
        // So is the one inside of it.
        if name != "." && name != observed::FOLDER {
            // A file of somebody else stays as it is, and `doctor` tells.
            let _ = std::fs::set_permissions(folder.join(name), Permissions::from_mode(0o600));
        }
    }
}
