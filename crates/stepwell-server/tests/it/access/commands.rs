//! Keys by the command line, and the first key of a server.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use stepwell_access::{Role, Secret};

use super::keyed::Keyed;
use crate::support::out;

/// The binary with nothing of this process's own settings.
fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.env_remove("STEPWELL_KEY").env_remove("STEPWELL_URL").env("COLUMNS", "200");
    command
}

fn run(url: &str, key: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.args(arguments).env("STEPWELL_URL", url);
    if let Some(key) = key {
        command.env("STEPWELL_KEY", key);
    }
    command.output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that wants keys, in a process of its own.
struct Started {
    child: Child,
    url: String,
    /// What it said on standard output, until it served.
    said: String,
}

impl Started {
    fn on(folder: &Path, more: &[&str]) -> Self {
        let has_keys = folder.join("ledger.db").exists();
        let mut child = binary()
            .args(["start", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"])
            .arg(folder)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = lines.by_ref().map(Result::unwrap).find(|line| line.contains("listening"));
        let line: Value = serde_json::from_str(&listening.unwrap()).unwrap();
        let address = line["fields"]["address"].as_str().or_else(|| line["address"].as_str());
        let url = format!("http://{}", address.unwrap());
        if !has_keys {
            let made = |line: &String| line.contains("the first admin key is made");
            assert!(lines.by_ref().map(Result::unwrap).any(|line| made(&line)));
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, said: String::new() }
    }

    /// Waits for the first line on standard output.
    fn with_key(mut self) -> Self {
        let mut out = BufReader::new(self.child.stdout.take().unwrap());
        out.read_line(&mut self.said).unwrap();
        self
    }

    fn stop(mut self) -> String {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_string(&mut rest).unwrap();
        }
        rest
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `start` prints the first key on its own line of standard output, once in the life of a folder.
#[test]
fn start_prints_its_first_key_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Started::on(folder.path(), &[]).with_key();
    let key = server.said.trim().to_owned();
    assert!(Secret::parse(&key).is_ok(), "{key}");
    let listed = run(&server.url, Some(&key), &["keys", "list"]);
    assert!(out(&listed).contains("first admin key"), "{listed:?}");
    let none = run(&server.url, None, &["runs", "list"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        err(&none).contains("error[SW1010]") && err(&none).contains("STEPWELL_KEY"),
        "{none:?}"
    );
    server.stop();
    let again = Started::on(folder.path(), &[]);
    assert_eq!(run(&again.url, Some(&key), &["runs", "list"]).status.code(), Some(0));
    assert_eq!(again.stop(), "");
    let bytes = std::fs::read(folder.path().join("ledger.db")).unwrap();
    let secret = key.as_bytes()[14..].to_vec();
    assert!(!bytes.windows(secret.len()).any(|here| here == secret), "the key itself is kept");
}

/// In a container the first key goes to a file, and a file that has one is taken.
#[test]
fn the_first_key_goes_to_a_file_where_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("admin.key");
    let flag = ["--admin-key-file", file.to_str().unwrap()];
    let server = Started::on(&folder.path().join("one"), &flag);
    let list = ["--key-file", file.to_str().unwrap(), "namespaces", "list"];
    let listed = run(&server.url, None, &list);
    assert!(out(&listed).contains("default"), "{listed:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(server.stop(), "");
    // Another server that is given the same file has the same first key.
    let server = Started::on(&folder.path().join("two"), &flag);
    assert_eq!(run(&server.url, None, &list).status.code(), Some(0));
    server.stop();
}

/// Where every key is lost, whoever may write the folder makes one; the server has to be stopped.
#[test]
fn a_key_is_made_in_the_folder_where_all_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = ["keys", "create", "--data", data, "--name", "back", "--role", "admin"];
    let nothing = run("", None, &create);
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");
    let server = Started::on(folder.path(), &[]).with_key();
    let locked = run("", None, &create);
    assert!(err(&locked).contains("error[SW4001]"), "{locked:?}");
    server.stop();
    let made = run("", None, &create);
    let key = out(&made).trim().to_owned();
    assert!(err(&made).contains("`back` of the role admin in namespace default"), "{made:?}");
    let server = Started::on(folder.path(), &[]);
    let log = out(&run(&server.url, Some(&key), &["audit", "list"]));
    assert!(log.contains("made in the folder, without a key"), "{log}");
    assert!(log.contains("the server had no key"), "{log}");
    server.stop();
}

/// What is no key is refused before anything is sent.
#[test]
fn a_key_that_is_none_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "hunter2\n").unwrap();
    let cases = [
        (Some("sw_short"), vec![], "STEPWELL_KEY: the key has 8 characters"),
        (Some("hunter2"), vec![], "STEPWELL_KEY: this is not a key"),
        (None, vec!["--key-file", file.to_str().unwrap()], "this is not a key"),
        (None, vec!["--key-file", "/nowhere/key"], "accepted: a file with a key in it"),
    ];
    for (key, mut arguments, part) in cases {
        arguments.extend(["runs", "list"]);
        let refused = run("http://127.0.0.1:9", key, &arguments);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(err(&refused).contains(part) && !err(&refused).contains("hunter2"), "{refused:?}");
    }
}

/// A day with keys, typed.
#[tokio::test(flavor = "multi_thread")]
async fn keys_and_namespaces_are_kept_by_the_command_line() {
    let keyed = Keyed::start().await;
    let root = keyed.key("default", Role::Admin).await;
    let url = format!("http://{}", keyed.to);
    let typed = |key: &str, arguments: &[&str]| {
        let output = run(&url, Some(key), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        out(&output).trim().to_owned()
    };
    assert!(typed(&root, &["namespaces", "create", "shop"]).contains("shop is there"));
    let create = ["keys", "create", "--name", "ci", "--role", "client", "--namespace", "shop"];
    let client = typed(&root, &create);
    assert!(Secret::parse(&client).is_ok(), "the key stands alone: {client}");
    let table = typed(&root, &["keys", "list", "--namespace", "shop"]);
    assert!(table.contains("ci") && table.contains("live") && !table.contains("sw_"), "{table}");
    let id = &client[3..13];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.key");
    let place = file.to_str().unwrap();
    assert_eq!(typed(&root, &["keys", "rotate", id, "--overlap", "0", "--out", place]), "");
    let over = run(&url, Some(&client), &["runs", "list"]);
    assert!(err(&over).contains("error[SW1010]: this key was replaced"), "{over:?}");
    typed(&root, &["--key-file", place, "runs", "list"]);
    let twice = run(&url, Some(&root), &["keys", "rotate", id, "--out", place]);
    assert!(err(&twice).contains("is there already"), "{twice:?}");
    assert!(typed(&root, &["keys", "revoke", id, "--reason", "lost"]).contains("revoked: ci"));

    let verified = typed(&root, &["audit", "verify"]);
    assert!(verified.contains("✓ 8 rows, the chain holds"), "{verified}");
    let (_, noted) = verified.split_once("note ").unwrap();
    let noted = noted.split(' ').next().unwrap();
    assert!(typed(&root, &["namespaces", "delete", "shop"]).contains("shop is gone"));
    typed(&root, &["audit", "verify", "--expect", noted]);
    let other = noted.replace(&noted[2..6], "0000");
    let changed = run(&url, Some(&root), &["audit", "verify", "--expect", &other]);
    assert!(err(&changed).contains("row 8 is another one than was noted"), "{changed:?}");
    let log = typed(&root, &["audit", "list", "--limit", "2"]);
    assert!(log.contains("namespaces.delete") && log.contains("done (9)"), "{log}");
}
