//! The binary as a process: signals, kills, the development server.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::support::{Runner, get, post};

/// A server in a process of its own, killed when a test ends early.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it says after it listens.
    said: Receiver<String>,
}

/// Longest time that a test waits for a line of the log; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

impl Process {
    /// Starts the binary, and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = address_in(&mut lines);
        let (say, said) = channel();
        // What it says later is read, so that it never waits for its reader; few tests want to know it.
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(say.send(line)));
        });
        Self { child, address, said }
    }

    /// Waits for a line of its log, in JSON, that is wanted.
    pub(crate) fn logged(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.said.recv_timeout(PATIENCE).expect("no such line is logged");
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if is_wanted(&line) {
                return line;
            }
        }
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Starts it on a folder.
    pub(crate) fn on(folder: &Path) -> Self {
        let data = folder.to_str().unwrap();
        let access = ["--access", "loopback", "--log-format", "json"];
        let start = ["start", "--data", data, "--listen", "127.0.0.1:0"];
        Self::start(&[&start[..], &access].concat())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end; returns its exit code, none where a signal ended it.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_signal_stops_the_server_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::on(folder.path());
        process.signal(signal);
        assert_eq!(process.wait(), Some(0));
    }
}

/// A request that holds the stop up is cut off by the second signal.
#[tokio::test]
async fn a_second_signal_exits_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::on(folder.path());
    let to = process.address;
    // Half a request: the server gives it some time to end.
    let mut half = tokio::net::TcpStream::connect(to).await.unwrap();
    let head = format!(
        "POST /api/v1/runs HTTP/1.1\r\nhost: {to}\r\ncontent-length: 9\r\ncontent-type: application/json\r\n\r\n{{"
    );
    tokio::io::AsyncWriteExt::write_all(&mut half, head.as_bytes()).await.unwrap();
    assert_eq!(get(to, "/healthz").await.status, 200);
    process.signal(Signal::TERM);
    // The port is closed once the first signal is at work.
    while tokio::net::TcpStream::connect(to).await.is_ok() {
        tokio::task::yield_now().await;
    }
    process.signal(Signal::INT);
    assert_eq!(process.wait(), Some(130));
}

/// §4.8, §4.9: a start that was acknowledged is there after `kill -9`.
#[tokio::test]
async fn a_killed_server_has_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::on(folder.path());
    let runner = Runner::connect(first.address, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay", "input": {"order": 7}, "key": "k"});
    let id = post(first.address, "/api/v1/runs", &body).await.text("id");
    first.signal(Signal::KILL);
    first.wait();
    drop(runner);
    let second = Process::on(folder.path());
    let to = second.address;
    let again = post(to, "/api/v1/runs", &body).await;
    assert_eq!((again.status, again.text("id")), (200, id.clone()));
    let shown = get(to, &format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(shown["input"], json!({"order": 7}));
}

/// A folder has one owner: a second server is refused and says who it is.
#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Process::on(folder.path());
    let data = folder.path().to_str().unwrap();
    let second = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["start", "--data", data, "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("error[SW4001]") && told.contains(data), "{told}");
}

/// The command tells its process id on a socket, so that the test need not look again and again.
#[test]
fn dev_restarts_its_command_when_a_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("main.rs");
    std::fs::write(&source, "1").unwrap();
    let told = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = told.local_addr().unwrap().port();
    let script = format!("echo $$ $STEPWELL_URL > /dev/tcp/127.0.0.1/{port}; sleep 1000 & wait");
    let watched = folder.path().to_str().unwrap();
    let dev = ["dev", "--listen", "127.0.0.1:0", "--log-format", "json", "--watch", watched];
    let mut process = Process::start(&[&dev[..], &["--", "bash", "-c", &script]].concat());
    let (first, url) = process_id(&told);
    assert_eq!(url, format!("http://{}", process.address));
    std::fs::write(&source, "22").unwrap();
    let later = SystemTime::now() + Duration::from_secs(9);
    std::fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
    let (second, _) = process_id(&told);
    assert_ne!(first, second);
    assert!(test_kill_process(first).is_err(), "the first is still there");
    process.signal(Signal::TERM);
    assert_eq!(process.wait(), Some(0));
    assert!(test_kill_process(second).is_err(), "the second is still there");
}

/// Reads what the command told: its process id and its `STEPWELL_URL`.
fn process_id(told: &TcpListener) -> (Pid, String) {
    let mut text = String::new();
    told.accept().unwrap().0.read_to_string(&mut text).unwrap();
    let (pid, url) = text.trim().split_once(' ').unwrap();
    (Pid::from_raw(pid.parse().unwrap()).unwrap(), url.to_owned())
}

/// Reads the log up to the line that says where the server listens.
fn address_in(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> SocketAddr {
    let address = lines.map_while(Result::ok).find_map(|line| {
        let told: Value = serde_json::from_str(&line).ok()?;
        told["address"].as_str()?.parse().ok()
    });
    address.expect("the server says where it listens")
}
