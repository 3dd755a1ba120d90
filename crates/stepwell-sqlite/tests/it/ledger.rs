//! The ledger of a folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use stepwell_access::audit::Entry;
use stepwell_access::ledger::Error;
use stepwell_access::{Ledger, conformance};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options, ledger};

#[test]
fn it_is_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check(&|| Box::new(ledger::open(folder.path()).unwrap().ledger));
}

/// What is secret is readable by its user alone, also where files were there before with other rights.
#[test]
fn its_files_are_its_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let opened = ledger::open(folder.path()).unwrap();
    opened.ledger.append(entry()).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db-shm", "ledger.db-wal", "pepper"]);
}

#[test]
fn the_pepper_stays_and_is_not_made_anew_for_keys_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let pepper = |path: &Path| *ledger::open(path).unwrap().pepper.expose();
    let first = pepper(path);
    assert_eq!(pepper(path), first);
    let file = path.join("pepper");
    std::fs::remove_file(&file).unwrap();
    let gone = ledger::open(path).unwrap_err().to_string();
    assert!(gone.contains("pepper is gone") && gone.contains("accepted"), "{gone}");
    std::fs::write(&file, [7; 32]).unwrap();
    let other = ledger::open(path).unwrap_err();
    assert!(
        matches!(&other, Error::Corrupt(why) if why.contains("not that of ledger.db")),
        "{other}"
    );
    std::fs::write(&file, first).unwrap();
    assert_eq!(pepper(path), first);
    std::fs::write(&file, b"short").unwrap();
    let short = ledger::open(path).unwrap_err().to_string();
    assert!(short.contains("has 5 bytes, where 32"), "{short}");
}

/// The process died between the two files.
#[test]
fn a_pepper_without_a_ledger_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pepper"), [7; 32]).unwrap();
    assert_eq!(*ledger::open(folder.path()).unwrap().pepper.expose(), [7; 32]);
    assert_eq!(*ledger::open(folder.path()).unwrap().pepper.expose(), [7; 32]);
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    drop(ledger::open(folder.path()).unwrap());
    std::fs::write(folder.path().join("ledger.db"), [b'x'; 8_192]).unwrap();
    let damaged = ledger::open(folder.path()).unwrap_err();
    assert!(matches!(damaged, Error::Corrupt(_)), "{damaged}");
}

/// Not by this program, nor by hand in passing.
#[test]
fn rows_of_the_audit_log_are_neither_changed_nor_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let opened = ledger::open(folder.path()).unwrap();
    opened.ledger.append(entry()).unwrap();
    let by_hand = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
    for change in ["UPDATE audit SET act = 'other'", "DELETE FROM audit"] {
        let refused = by_hand.execute(change, []).unwrap_err().to_string();
        assert!(refused.contains("rows of the audit log are not"), "{refused}");
    }
}

#[test]
fn a_folder_in_use_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options::default()).unwrap();
    let refused = ledger::open_alone(folder.path()).unwrap_err();
    assert!(matches!(refused, stepwell_store::Error::Locked { .. }), "{refused}");
    drop(store);
    let alone = ledger::open_alone(folder.path()).unwrap();
    assert!(Embedded::open(folder.path(), Options::default()).is_err());
    drop(alone);
    Embedded::open(folder.path(), Options::default()).unwrap();
}

fn entry() -> Entry {
    Entry {
        at: Timestamp::from_millis(1),
        namespace: "default".into(),
        key: None,
        key_name: "ann".into(),
        from: String::new(),
        act: "runs.pause".into(),
        object: String::new(),
        reason: None,
        outcome: "asked".into(),
        of: None,
    }
}
