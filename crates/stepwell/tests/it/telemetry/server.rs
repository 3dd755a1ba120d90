//! A server that takes telemetry, on threads of its own: clients outlive runtimes of tests.

use std::collections::{HashSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stepwell::telemetry::{Builder, Telemetry};

/// Nothing here takes this long; a test that hangs fails.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

pub(super) const KEY: &str = "sw_testkey_secretsecret";

/// What a request is met with.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Its events are taken.
    Take,
    /// Those at these places are not.
    Refuse(Vec<usize>),
    /// With a status, headers and a body.
    Say(&'static str, &'static str),
    /// Its events are taken once the server was told what comes then.
    Hold,
    /// With nothing, until the server goes.
    Hang,
    /// The connection breaks.
    Break,
}

/// A request that was read.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: Value,
}

#[derive(Debug, Default)]
struct State {
    /// What the next requests are met with; once it is empty, the last one counts.
    script: VecDeque<Answer>,
    then: Option<Answer>,
    requests: Vec<Request>,
    taken: Vec<Value>,
    is_over: bool,
}

#[derive(Debug)]
pub(super) struct Server {
    shared: Arc<(Mutex<State>, Condvar)>,
    address: SocketAddr,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<(Mutex<State>, Condvar)>::default();
        let seen = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if seen.0.lock().unwrap().is_over {
                    return;
                }
                let (seen, stream) = (seen.clone(), stream.unwrap());
                // A connection that breaks off ends its thread.
                std::thread::spawn(move || serve(&seen, stream));
            }
        });
        Self { shared, address }
    }

    /// Makes a server that meets its first requests with these answers, and takes what comes then.
    pub(super) fn scripted(script: impl IntoIterator<Item = Answer>) -> Self {
        let server = Self::start();
        server.shared.0.lock().unwrap().script = script.into_iter().collect();
        server
    }

    /// Makes a server that meets all requests so, until it is told otherwise.
    pub(super) fn always(answer: Answer) -> Self {
        let server = Self::start();
        server.then(answer);
        server
    }

    pub(super) fn then(&self, answer: Answer) {
        self.shared.0.lock().unwrap().then = Some(answer);
        self.shared.1.notify_all();
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins a client that sends at once.
    pub(super) fn client(&self) -> Builder {
        client(&self.url())
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.0.lock().unwrap().requests.clone()
    }

    /// The events that were taken, as the last word on each id has it.
    pub(super) fn events(&self) -> Vec<Value> {
        let taken = self.shared.0.lock().unwrap().taken.clone();
        let mut ids = HashSet::new();
        taken.into_iter().filter(|event| ids.insert(event["id"].to_string())).collect()
    }

    /// Waits for so many requests.
    pub(super) fn wait_for(&self, requests: usize) {
        let state = self.shared.0.lock().unwrap();
        let lacks = |state: &mut State| state.requests.len() < requests;
        let (state, waited) = self.shared.1.wait_timeout_while(state, PATIENCE, lacks).unwrap();
        assert!(!waited.timed_out(), "{:?}", state.requests);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.0.lock().unwrap().is_over = true;
        self.shared.1.notify_all();
        // The thread looks up when somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

/// Begins a client of a server at `url` that sends at once.
pub(super) fn client(url: &str) -> Builder {
    Telemetry::builder()
        .url(url)
        .project_key(KEY)
        .batch_delay("0ms")
        .flush_timeout(PATIENCE)
        .request_timeout(PATIENCE)
}

/// The address of a server that is not there.
pub(super) fn nowhere() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn serve(shared: &(Mutex<State>, Condvar), stream: TcpStream) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let request = read(&mut reader)?;
        let answer = {
            let mut state = shared.0.lock().unwrap();
            state.requests.push(request.clone());
            shared.1.notify_all();
            let next = state.script.pop_front().or_else(|| state.then.clone());
            next.unwrap_or(Answer::Take)
        };
        let text = match answer {
            Answer::Take => take(shared, &request, &[]),
            Answer::Refuse(places) => take(shared, &request, &places),
            Answer::Say(status, body) => say(status, body),
            Answer::Hold => {
                let state = shared.0.lock().unwrap();
                let holds = |state: &mut State| state.then.is_none() && !state.is_over;
                drop(shared.1.wait_while(state, holds).unwrap());
                take(shared, &request, &[])
            }
            Answer::Hang => {
                let state = shared.0.lock().unwrap();
                let hangs = |state: &mut State| !state.is_over;
                drop(shared.1.wait_while(state, hangs).unwrap());
                return None;
            }
            Answer::Break => return None,
        };
        writer.write_all(text.as_bytes()).ok()?;
    }
}

/// Takes the events of a request but for those at some places.
fn take(shared: &(Mutex<State>, Condvar), request: &Request, places: &[usize]) -> String {
    let events = request.body["events"].as_array().unwrap();
    let kept = events.iter().enumerate().filter(|(at, _)| !places.contains(at));
    let kept: Vec<Value> = kept.map(|(_, event)| event.clone()).collect();
    let refused: Vec<Value> = places
        .iter()
        .map(|at| json!({ "index": at, "code": "SW1001", "detail": format!("no {at}") }))
        .collect();
    let total = refused.len();
    let body = json!({ "accepted": kept.len(), "refused": refused, "refusedTotal": total });
    shared.0.lock().unwrap().taken.extend(kept);
    say("200 OK", &body.to_string())
}

fn say(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: serde_json::from_slice(&body).unwrap() })
}
