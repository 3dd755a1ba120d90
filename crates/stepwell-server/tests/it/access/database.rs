//! Keys of nodes that share a database.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stepwell_access::Secret;
use stepwell_postgres::testing::{Place, place};

use crate::support::out;

/// The binary with nothing of this process's own settings.
fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.env_remove("STEPWELL_KEY").env_remove("STEPWELL_URL").env("COLUMNS", "200");
    command
}

fn store(place: &Place) -> [String; 4] {
    let options = place.options();
    ["--store".to_owned(), options.url, "--store-schema".to_owned(), options.schema]
}

/// A node in a process of its own, that wants keys.
struct Node {
    child: Child,
    said: std::io::Lines<BufReader<ChildStderr>>,
}

impl Node {
    fn start(place: &Place, name: &str) -> Self {
        let mut child = binary()
            .args(["start", "--listen", "127.0.0.1:0", "--log-format", "json", "--node", name])
            .args(store(place))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, said }
    }

    /// Waits for a line of its log with a text; returns it.
    fn says(&mut self, texts: &[&str]) -> String {
        let is_wanted = |line: &String| texts.iter().any(|text| line.contains(text));
        self.said.by_ref().map(Result::unwrap).find(is_wanted).unwrap()
    }

    fn listens(&mut self) -> String {
        let line: Value = serde_json::from_str(&self.says(&["listening"])).unwrap();
        let address = line["fields"]["address"].as_str().or_else(|| line["address"].as_str());
        format!("http://{}", address.unwrap())
    }

    /// Stops it in order; returns what it said on standard output.
    fn stop(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        // What it logs meanwhile is read, so that it never waits for its reader.
        self.said.by_ref().for_each(drop);
        self.child.wait().unwrap();
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn list(url: &str, key: &str) -> Output {
    let mut command = binary();
    command.args(["keys", "list", "--url", url]).env("STEPWELL_KEY", key);
    command.output().unwrap()
}

/// Of nodes that start at once on an empty database one makes the first key and prints it; it counts at all of them.
#[test]
fn of_nodes_that_start_at_once_one_makes_the_first_key() {
    let Some(place) = place().unwrap() else { return };
    let mut nodes: Vec<Node> =
        ["a", "b", "c"].iter().map(|name| Node::start(&place, name)).collect();
    for node in &mut nodes {
        node.listens();
    }
    // Who is asked to stop has seen to the first key before.
    let said: Vec<String> = nodes.into_iter().map(Node::stop).collect();
    let keys: Vec<&str> = said.iter().flat_map(|text| text.lines()).collect();
    assert_eq!(keys.len(), 1, "{said:?}");
    assert!(Secret::parse(keys[0]).is_ok());
    let mut again = Node::start(&place, "d");
    let url = again.listens();
    assert_eq!(list(&url, keys[0]).status.code(), Some(0));
    assert_eq!(again.stop(), "");
    let kept = place.sql("SELECT count(*) FROM access_keys").unwrap();
    assert_eq!(kept, [[Some("1".to_owned())]]);
}

/// Where every key is lost, whoever may write the database makes one, and nodes that are at work know it.
#[test]
fn a_key_is_made_in_the_database_beside_nodes() {
    let Some(place) = place().unwrap() else { return };
    let mut node = Node::start(&place, "a");
    let url = node.listens();
    node.says(&["the first admin key is made"]);
    let made = binary()
        .args(["keys", "create", "--name", "back", "--role", "admin"])
        .args(store(&place))
        .output()
        .unwrap();
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let key = out(&made).trim().to_owned();
    let begun = Instant::now();
    let listed = loop {
        let listed = list(&url, &key);
        if listed.status.success() {
            break out(&listed);
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{listed:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(listed.contains("back") && listed.contains("first admin key"), "{listed}");
    let audit = place.sql("SELECT reason FROM audit WHERE act = 'keys.create' ORDER BY n").unwrap();
    let reasons = ["the server had no key", "made in the database, without a key"];
    assert_eq!(audit, reasons.map(|reason| vec![Some(reason.to_owned())]));
    let options = place.options();
    let wrong = ["keys", "create", "--name", "x", "--role", "admin", "--store", "mysql://h/d"];
    let refused = binary().args(wrong).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("accepted: postgres://"), "{said}");
    // The address may stand in the environment, where nobody sees it who lists processes.
    let by_env = binary()
        .args(["keys", "create", "--name", "env", "--role", "viewer", "--store"])
        .env("STEPWELL_STORE", &options.url)
        .env("STEPWELL_STORE_SCHEMA", &options.schema)
        .output()
        .unwrap();
    assert_eq!(by_env.status.code(), Some(0), "{by_env:?}");
}
