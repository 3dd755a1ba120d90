//! Data folders as servers of each released format left them: they are read for ever.
//!
//! A folder holds runs in every state, some in tables and some in the log only, of a server that was killed.
//! Its files are compressed, since segments of the log are mostly zeros.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use stepwell_access::ledger::Ledger as _;
use stepwell_access::{Role, Secret};
use stepwell_sqlite::{Embedded, Options, ledger};
use stepwell_store::Store;
use stepwell_store::query::Filter;
use tempfile::TempDir;

/// A key of the folder of the second format; it opens nothing else.
const VIEWER: &str = "sw_vpwzjnupfe_oc2dqacqjm7b2pywxuuxngndhopfos76gy5uxhearhohvhnyfjyq6fn7";

/// Unpacks the folder of a format.
fn folder_of(format: u32) -> TempDir {
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kept = kept.join(format!("fixtures/server-format-{format}"));
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut to = File::create(folder.path().join(path.file_stem().unwrap())).unwrap();
            io::copy(&mut GzDecoder::new(File::open(&path).unwrap()), &mut to).unwrap();
        }
    }
    folder
}

/// What a folder holds: a line for each run, with the hash of its history.
fn content(store: &Embedded) -> String {
    let filter = Filter { namespace: "default".into(), limit: 1_000, ..Filter::default() };
    let page = store.query(&filter, Duration::from_secs(20)).unwrap();
    let mut text = String::new();
    for row in page.runs.iter().rev() {
        let journal = store.load(row.id).unwrap().unwrap();
        let hash: [u8; 32] = Sha256::digest(&journal).into();
        let hash = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let key = row.key.as_deref().unwrap_or("-");
        let (workflow, status) = (&row.workflow, row.status);
        writeln!(text, "{} {workflow} {status} {key} {} {hash:016x}", row.id, row.steps).unwrap();
    }
    text
}

#[track_caller]
fn check(format: u32) {
    let folder = folder_of(format);
    let expected = format!("fixtures/server-format-{format}/content.txt");
    let expected = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(expected);
    let expected = fs::read_to_string(expected).unwrap();
    // Opened twice: by the second time it is of the newest format.
    for _ in 0..2 {
        let store = Embedded::open(folder.path(), Options::default()).unwrap();
        assert_eq!(content(&store), expected, "format {format}");
        assert_eq!(store.verify().unwrap().problems, []);
        assert!(!store.workflows().unwrap().is_empty());
    }
    let text = fs::read_to_string(folder.path().join("FORMAT")).unwrap();
    assert!(text.contains("\nformat 2\n"), "{text}");
}

/// Every run of a folder of the first format is there, byte by byte.
#[test]
fn a_folder_of_the_first_format_is_whole() {
    check(1);
}

/// Every run of a folder of the second format is there, byte by byte, and so are its keys: what checks them is
/// beside them.
#[test]
fn a_folder_of_the_second_format_is_whole() {
    check(2);
    let folder = folder_of(2);
    let opened = ledger::open(folder.path()).unwrap();
    let secret = Secret::parse(VIEWER).unwrap();
    let keys = opened.ledger.keys().unwrap();
    let key = keys.iter().find(|key| key.id == secret.id()).unwrap();
    assert_eq!((&*key.name, key.role), ("viewer", Role::Viewer));
    assert_eq!(opened.pepper.hash(&secret), key.hash);
    let namespaces = opened.ledger.namespaces().unwrap();
    assert!(namespaces.iter().any(|one| &*one.name == "shop"), "{namespaces:?}");
}
