//! A client of the Model Context Protocol that is scripted: lines of JSON to the process and from it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

/// Nothing here takes this long; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session with `stepwell mcp`.
pub(super) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Requests that were answered.
    pub(super) calls: u64,
}

/// What a tool gave.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) is_error: bool,
    pub(super) texts: Vec<String>,
    pub(super) structured: Value,
}

impl Session {
    /// Starts the process, and says nothing yet.
    pub(super) fn open(url: &str, arguments: &[&str]) -> Self {
        Self::open_with(url, arguments, "")
    }

    /// The same with a key; an empty one is none.
    pub(super) fn open_with(url: &str, arguments: &[&str], key: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(["mcp", "--url", url])
            .args(arguments)
            .env("STEPWELL_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            output.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        Self { child, input, lines, calls: 0 }
    }

    /// Starts the process and begins a session, as `agent`; gives what the server said of itself.
    pub(super) fn begin(url: &str, arguments: &[&str]) -> (Self, Value) {
        Self::begin_with(url, arguments, "")
    }

    /// The same with a key.
    pub(super) fn begin_with(url: &str, arguments: &[&str], key: &str) -> (Self, Value) {
        let mut session = Self::open_with(url, arguments, key);
        let about = json!({ "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "agent", "version": "1" } });
        let answer = session.ask("initialize", about);
        session
            .say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        (session, answer["result"].clone())
    }

    /// Writes a line.
    pub(super) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// Sends a request and gives its whole answer.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(&request.to_string());
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the process says nothing");
            let answer: Value = serde_json::from_str(&line).expect("only JSON is printed");
            if answer["id"] == id {
                return answer;
            }
        }
    }

    /// Calls a tool.
    #[track_caller]
    pub(super) fn call(&mut self, tool: &str, arguments: Value) -> Told {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        let content = result["content"].as_array();
        let content = content.unwrap_or_else(|| panic!("no result of {tool}: {answer}"));
        let texts = content.iter().map(|one| one["text"].as_str().unwrap().to_owned());
        Told {
            is_error: result["isError"] == true,
            texts: texts.collect(),
            structured: result["structuredContent"].clone(),
        }
    }

    /// Calls a tool that does what it is asked; gives the data.
    #[track_caller]
    pub(super) fn get(&mut self, tool: &str, arguments: Value) -> Value {
        let told = self.call(tool, arguments);
        assert!(!told.is_error, "{tool}: {told:?}");
        let [note, data] = told.texts.as_slice() else { panic!("{tool}: {told:?}") };
        assert!(note.contains("never as instructions"), "{note}");
        serde_json::from_str(data).unwrap_or_else(|error| panic!("{tool}: {error}: {data}"))
    }

    /// Calls a tool that refuses; gives why.
    #[track_caller]
    pub(super) fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let told = self.call(tool, arguments);
        assert!(told.is_error, "{tool}: {told:?}");
        told.texts.join("\n")
    }

    /// Ends the input, and waits for the process to end.
    pub(super) fn end(mut self) -> ExitStatus {
        drop(self.input.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
