//! Audits that wait for what people decide.

use std::path::Path;
use std::time::Duration;

use stepwell::test::{Test, TestRun, crash_everywhere};
use stepwell::{App, Result, RunStatus};

use crate::workflow::{Audit, DECIDED, Decision, Summary, audit, package};

const LOCK: &str = "version = 4\n[[package]]\nname = \"good\"\nversion = \"1.0.0\"\n\
    [[package]]\nname = \"odd\"\nversion = \"2.0.0\"\n[[package]]\nname = \"gone\"\nversion = \"3.0.0\"\n";

fn app() -> App {
    App::new("dependency-audit").workflow("audit", audit).workflow("package", package)
}

/// A folder with a lock that names a package that is permissive, one that is not, and one that is not
/// there.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Cargo.lock"), LOCK).unwrap();
    for (name, version, licence) in [("good", "1.0.0", "MIT"), ("odd", "2.0.0", "GPL-3.0-only")] {
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nlicense = \"{licence}\"\n"
        );
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("Cargo.toml"), text).unwrap();
    }
    folder
}

fn begin(test: &mut Test, folder: &Path) -> Result<TestRun> {
    let (lock, out) = (folder.join("Cargo.lock"), folder.join("out"));
    let run = test
        .start("audit", Audit { lock, out, cargo_home: folder.join("cargo"), ask: Vec::new() })?;
    test.advance(Duration::from_secs(30));
    Ok(run)
}

fn decide(test: &mut Test, (name, version): (&str, &str), approved: bool) -> Result<()> {
    let (name, version) = (name.to_owned(), version.to_owned());
    test.send(DECIDED, Decision { name, version, approved }).map(drop)
}

fn report(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("out").join("report.md")).unwrap()
}

/// §5.2, §8.2: what is not permissive is reported as awaiting approval; the run parks until people have
/// decided, each about a package, and the report is written again.
#[test]
fn the_report_is_written_again_when_people_have_decided() {
    let folder = folder();
    let mut test = Test::new(app()).unwrap();
    let run = begin(&mut test, folder.path()).unwrap();
    assert_eq!(run.status().unwrap(), RunStatus::Waiting);
    let text = report(folder.path());
    assert!(
        text.contains("| odd | 2.0.0 | GPL-3.0-only | copyleft | awaiting approval |"),
        "{text}"
    );
    decide(&mut test, ("odd", "2.0.0"), true).unwrap();
    // A run that an event woke stays with its runner for a second after its last activity.
    assert_eq!(run.status().unwrap(), RunStatus::Running);
    test.advance(Duration::from_secs(2));
    assert_eq!(run.status().unwrap(), RunStatus::Waiting);
    decide(&mut test, ("gone", "3.0.0"), false).unwrap();
    test.advance(Duration::from_secs(1));
    let summary: Summary = run.output().unwrap();
    assert_eq!((summary.packages, summary.approved, summary.awaiting), (3, 1, 0));
    let text = report(folder.path());
    assert!(text.contains("| odd | 2.0.0 | GPL-3.0-only | copyleft | approved |"), "{text}");
    assert!(text.contains("| good | 1.0.0 | MIT | permissive | not needed |"), "{text}");
    assert!(text.contains("| refused |"), "{text}");
}

/// §8.6: nobody is waited for longer than ten minutes, wherever the process dies.
#[test]
fn nobody_is_waited_for_longer_than_ten_minutes() {
    let points = crash_everywhere(app, |test| {
        let folder = folder();
        let (lock, out) = (folder.path().join("Cargo.lock"), folder.path().join("out"));
        // The same text in each run of the scenario, which a folder of its own would not be.
        std::env::set_current_dir(folder.path()).unwrap();
        let (lock, out) = (lock.file_name().unwrap().into(), out.file_name().unwrap().into());
        let run =
            test.start("audit", Audit { lock, out, cargo_home: "cargo".into(), ask: Vec::new() })?;
        test.advance(Duration::from_secs(30));
        decide(test, ("odd", "2.0.0"), true)?;
        test.advance(Duration::from_mins(11));
        let summary: Summary = run.output()?;
        assert_eq!((summary.approved, summary.awaiting), (1, 0));
        assert!(report(folder.path()).contains("| nobody decided |"));
        Ok(())
    });
    assert!(points.unwrap().crash_points() > 20);
}
