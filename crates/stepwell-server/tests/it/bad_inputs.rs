//! Bad inputs, each with the answer that it gets. No panic, no bare 500, nothing half done.
//!
//! `cargo test -p stepwell-server --test it bad_inputs -- --nocapture` prints the list.

mod access;
mod runs;

use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Runner, exchange, get, request, server};

/// Prints a line of the list; shown with `--nocapture`.
fn list(kind: &str, what: &str, answer: &str) {
    let answer: String = answer.chars().take(220).collect();
    let mut out = std::io::stdout().lock();
    let line = format!("{kind:7} {what:46} → {answer}").replace('\n', " ");
    writeln!(out, "{line}").unwrap();
}

#[derive(Clone)]
struct ApiCase {
    what: &'static str,
    line: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    says: &'static str,
}

fn start(
    what: &'static str,
    body: impl Into<Vec<u8>>,
    code: &'static str,
    says: &'static str,
) -> ApiCase {
    let status = match code {
        "SW1005" | "SW2007" => 413,
        "SW2002" => 404,
        "SW2006" => 422,
        _ => 400,
    };
    ApiCase {
        what,
        line: "POST /api/v1/runs".into(),
        headers: vec![("content-type", "application/json")],
        body: body.into(),
        status,
        code,
        says,
    }
}

fn other(
    what: &'static str,
    line: impl Into<String>,
    (status, code): (u16, &'static str),
    says: &'static str,
) -> ApiCase {
    ApiCase { what, line: line.into(), headers: Vec::new(), body: Vec::new(), status, code, says }
}

/// A request with a body of JSON.
fn with(
    what: &'static str,
    line: &str,
    body: &str,
    status: (u16, &'static str),
    says: &'static str,
) -> ApiCase {
    ApiCase {
        headers: vec![("content-type", "application/json")],
        body: body.as_bytes().to_vec(),
        ..other(what, line, status, says)
    }
}

fn bodies() -> Vec<ApiCase> {
    let input = |text: String| format!(r#"{{"workflow":"pay","input":{text}}}"#);
    let deep = input("[".repeat(200) + &"]".repeat(200));
    let unclosed = format!(r#"{{"workflow":"pay","input":{}"#, "[".repeat(100_000));
    let large = input(format!("\"{}\"", "x".repeat(4 << 20)));
    let huge = vec![b' '; (4 << 20) + (64 << 10) + 1];
    let long = format!(r#"{{"workflow":"{}"}}"#, "x".repeat(257));
    vec![
        start("no body", "", "SW1001", "empty"),
        start("not JSON", "workflow=pay", "SW1001", "line 1 column 1"),
        start("not an object", "[1]", "SW1001", "a JSON object"),
        start("cut off", r#"{"workflow": "pay""#, "SW1001", "EOF"),
        start("something behind", r#"{"workflow": "pay"} x"#, "SW1001", "trailing"),
        start(
            "bytes that are not UTF-8",
            b"{\"workflow\":\"\xff\"}".to_vec(),
            "SW1001",
            "UTF-8 at byte 13",
        ),
        start("half of a surrogate pair", r#"{"workflow": "\ud800"}"#, "SW1001", "column"),
        start("no workflow", "{}", "SW1001", "missing field `workflow`"),
        start(
            "an unknown field",
            r#"{"workflow":"pay","wrokflow":1}"#,
            "SW1001",
            "unknown field `wrokflow`, expected one of",
        ),
        start(
            "a planned field",
            r#"{"workflow":"pay","priority":1}"#,
            "SW1001",
            "unknown field `priority`",
        ),
        start(
            "a field twice",
            r#"{"workflow":"pay","workflow":"pay"}"#,
            "SW1001",
            "duplicate field",
        ),
        start("a workflow that is a number", r#"{"workflow":7}"#, "SW1001", "invalid type"),
        start("an empty name", r#"{"workflow":""}"#, "SW1001", "is empty"),
        start("a name that is too long", long, "SW1001", "257 bytes"),
        start(
            "a control character in a name",
            r#"{"workflow":"a\u0000b"}"#,
            "SW1001",
            "control character",
        ),
        start("an empty key", r#"{"workflow":"pay","key":""}"#, "SW1001", "key is empty"),
        start(
            "a timeout that is none",
            r#"{"workflow":"pay","timeout":"1M"}"#,
            "SW1001",
            "accepted",
        ),
        start("a negative timeout", r#"{"workflow":"pay","timeout":-5}"#, "SW1001", "`-5`"),
        start("an unknown workflow", r#"{"workflow":"nothing"}"#, "SW2002", "nothing"),
        start("an unknown app", r#"{"workflow":"pay","app":"else"}"#, "SW2002", "else"),
        start("an input over the limit", large, "SW2007", "4194304"),
        start("an input that nests too deep", deep, "SW2007", "deeper"),
        start("brackets without end", unclosed, "SW1001", "EOF"),
        start("a body over the limit", huge, "SW1005", "at most"),
        start(
            "an input that does not fit",
            r#"{"workflow":"typed","input":{"n":"1"}}"#,
            "SW2006",
            "/n",
        ),
    ]
}

fn addresses() -> Vec<ApiCase> {
    let id = "run_00000000000000000000000000000001";
    vec![
        other("an unknown address", "GET /api/v2/runs", (404, "SW1002"), "/api/v1/runs"),
        other(
            "another method",
            "DELETE /api/v1/runs",
            (405, "SW1003"),
            "accepted: GET, HEAD, POST",
        ),
        other("an id that is none", "GET /api/v1/runs/7", (400, "SW1001"), "32 hexadecimal digits"),
        other(
            "an id that is not UTF-8",
            "GET /api/v1/runs/%ff%fe",
            (400, "SW1001"),
            "accepted: UTF-8",
        ),
        other("an unknown run", format!("GET /api/v1/runs/{id}"), (404, "SW2001"), id),
        other(
            "the result of an unknown run",
            format!("GET /api/v1/runs/{id}/result"),
            (404, "SW2001"),
            id,
        ),
        other(
            "waiting for an unknown run",
            format!("GET /api/v1/runs/{id}?wait=1s"),
            (404, "SW2001"),
            id,
        ),
        other(
            "cancelling an unknown run",
            format!("POST /api/v1/runs/{id}/cancel"),
            (404, "SW2001"),
            id,
        ),
        other(
            "a wait that is none",
            format!("GET /api/v1/runs/{id}?wait=soon"),
            (400, "SW1001"),
            "`soon`",
        ),
        other(
            "a size of a journal that is none",
            format!("GET /api/v1/runs/{id}?since=-1"),
            (400, "SW1001"),
            "a number of bytes",
        ),
        other(
            "a glance at what is no run",
            "GET /api/v1/runs/glance?ids=run_1",
            (400, "SW1001"),
            "run_1",
        ),
        other(
            "a glance at too many runs",
            format!("GET /api/v1/runs/glance?ids={}", vec![id; 101].join(",")),
            (400, "SW1001"),
            "1 to 100",
        ),
        other(
            "a wait that is too long",
            format!("GET /api/v1/runs/{id}?wait=1h"),
            (400, "SW1001"),
            "at most 5m",
        ),
    ]
}

fn parameters_of_lists() -> Vec<ApiCase> {
    let id = "run_00000000000000000000000000000001";
    let runs = "GET /api/v1/runs";
    vec![
        other("an empty text", format!("{runs}?q="), (400, "SW1001"), "1 to 200"),
        other(
            "a text that is too long",
            format!("{runs}?q={}", "x".repeat(201)),
            (400, "SW1001"),
            "201 characters",
        ),
        other(
            "too little of an id",
            format!("{runs}?id=abc"),
            (400, "SW1001"),
            "at least its last 4",
        ),
        other("a part of an id that is none", format!("{runs}?id=wxyz"), (400, "SW1001"), "`wxyz`"),
        other(
            "counts with a limit",
            format!("{runs}/counts?limit=5"),
            (400, "SW1001"),
            "no `limit`",
        ),
        other(
            "counts with a cursor",
            format!("{runs}/counts?cursor={id}"),
            (400, "SW1001"),
            "no `cursor`",
        ),
        other("no minutes", format!("{runs}/activity?minutes=0"), (400, "SW1001"), "1 to 1440"),
        other(
            "more than a day of minutes",
            format!("{runs}/activity?minutes=1441"),
            (400, "SW1001"),
            "`1441`",
        ),
        other(
            "an unknown parameter of minutes",
            format!("{runs}/activity?status=failed"),
            (400, "SW1001"),
            "unknown field `status`",
        ),
        other(
            "an unknown order of events",
            "GET /api/v1/events?order=up",
            (400, "SW1001"),
            "newest, oldest",
        ),
    ]
}

fn parameters() -> Vec<ApiCase> {
    let id = "run_00000000000000000000000000000001";
    let runs = "GET /api/v1/runs";
    vec![
        other(
            "a parameter that is not UTF-8",
            format!("{runs}?workflow=%ff"),
            (400, "SW1001"),
            "accepted: UTF-8",
        ),
        other(
            "a parameter that is cut off",
            format!("{runs}?workflow=%f"),
            (400, "SW1001"),
            "two hexadecimal digits",
        ),
        other(
            "an unknown parameter of a result",
            format!("GET /api/v1/runs/{id}/result?steps=no"),
            (400, "SW1001"),
            "unknown field `steps`, expected `wait`",
        ),
        other("no status", format!("{runs}?status="), (400, "SW1001"), "accepted: queued"),
        other(
            "an unknown parameter",
            format!("{runs}?color=red"),
            (400, "SW1001"),
            "unknown field `color`",
        ),
        other("an unknown status", format!("{runs}?status=done"), (400, "SW1001"), "completed"),
        other("a limit of zero", format!("{runs}?limit=0"), (400, "SW1001"), "1 to 500"),
        other(
            "a limit that is too large",
            format!("{runs}?limit=501"),
            (400, "SW1001"),
            "1 to 500",
        ),
        other("a limit that is none", format!("{runs}?limit=x"), (400, "SW1001"), "`x`"),
        other("a cursor that is none", format!("{runs}?cursor=2"), (400, "SW1001"), "`2`"),
        other(
            "an instant that is none",
            format!("{runs}?from=yesterday"),
            (400, "SW1001"),
            "ISO 8601",
        ),
        other("a parameter twice", format!("{runs}?limit=1&limit=2"), (400, "SW1001"), "duplicate"),
    ]
}

fn media() -> Vec<ApiCase> {
    let id = "run_00000000000000000000000000000001";
    vec![
        ApiCase {
            headers: vec![("content-type", "text/plain")],
            body: br#"{"workflow":"pay"}"#.to_vec(),
            ..other("another media type", "POST /api/v1/runs", (415, "SW1004"), "text/plain")
        },
        ApiCase {
            headers: vec![("content-type", "application/json"), ("content-encoding", "gzip")],
            body: vec![31, 139, 8],
            ..other("a compressed body", "POST /api/v1/runs", (415, "SW1004"), "gzip")
        },
        ApiCase {
            headers: vec![("content-type", "application/json")],
            body: br#"{"why":1}"#.to_vec(),
            ..other(
                "an unknown field of a cancel",
                format!("POST /api/v1/runs/{id}/cancel"),
                (400, "SW1001"),
                "reason",
            )
        },
    ]
}

/// Answers that once did not say what is accepted.
fn once_misleading() -> Vec<ApiCase> {
    vec![
        start(
            "a search attribute that is a list",
            r#"{"workflow":"pay","search":{"a":[1]}}"#,
            "SW1001",
            "a search attribute is a text, a number, true or false",
        ),
        other(
            "a method of addresses that this one is not",
            "DELETE /api/v1/runs/glance",
            (405, "SW1003"),
            "accepted: GET, HEAD\"",
        ),
        other(
            "a limit of events that is none",
            "GET /api/v1/events?limit=x",
            (400, "SW1001"),
            "`limit` is `x`; accepted: 1 to 500",
        ),
    ]
}

async fn check(to: std::net::SocketAddr, case: &ApiCase) {
    let answer = request(to, &case.line, &case.headers, &case.body).await;
    let body = &answer.body;
    list("api", case.what, &format!("{} {body}", answer.status));
    assert_eq!(answer.status, case.status, "{}: {body}", case.what);
    assert!(body.contains(case.says), "{}: {body} lacks {:?}", case.what, case.says);
    if !case.code.is_empty() {
        assert_eq!(answer.text("code"), case.code, "{}", case.what);
        assert!(answer.headers.contains("application/problem+json"), "{}", case.what);
        assert_eq!(answer.json()["type"], json!(format!("/errors/{}", case.code)));
    }
}

#[tokio::test]
async fn requests_are_answered_with_what_is_accepted() {
    let server = server().await;
    let to = server.address();
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let workflows = json!([{"name": "pay"}, {"name": "typed", "inputSchema": schema}]);
    let _runner = Runner::connect(to, workflows).await;
    let parameters = [parameters(), parameters_of_lists(), once_misleading()].concat();
    for case in bodies().iter().chain(&addresses()).chain(&parameters).chain(&media()) {
        check(to, case).await;
    }
    // Nothing of it has started a run or taken the server down.
    assert_eq!(get(to, "/api/v1/runs").await.json()["runs"], json!([]));
    assert_eq!(get(to, "/healthz").await.json()["nodeRestarts"], json!(0));
}

/// What is not HTTP at all, or only half of it, costs its own connection only.
#[tokio::test]
async fn connections_that_are_not_http_are_closed() {
    let server = server().await;
    let to = server.address();
    let long = format!("GET /healthz HTTP/1.1\r\nhost: {to}\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let middle = format!("GET /healthz HTTP/1.1\r\nhost: {to}\r\nx: {}\r\n\r\n", "y".repeat(9_000));
    let cases: [(&str, Vec<u8>, u16); 5] = [
        ("noise", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), 400),
        ("another version", b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(), 400),
        (
            "a header without a name",
            format!("GET / HTTP/1.1\r\n: x\r\nhost: {to}\r\n\r\n").into(),
            400,
        ),
        ("headers over the buffer", long.into(), 431),
        ("headers over the limit", middle.into(), 400),
    ];
    for (what, bytes, status) in cases {
        let answer = exchange(to, &bytes).await;
        list("http", what, &format!("{} {}", answer.status, answer.body));
        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
    assert_eq!(get(to, "/healthz").await.status, 200);
}

struct FrameCase {
    what: &'static str,
    /// Said first; a welcomed runner otherwise.
    hello: Option<Value>,
    frame: Message,
    says: &'static str,
}

fn frames() -> Vec<FrameCase> {
    let text = |what, frame: &str, says| FrameCase {
        what,
        hello: Some(Runner::hello(&json!([{"name": "pay"}]))),
        frame: Message::text(frame),
        says,
    };
    vec![
        FrameCase { frame: Message::binary(vec![1, 2]), ..text("a binary frame", "", "SW3001") },
        FrameCase {
            frame: Message::text(format!("[\"{}\"]", "x".repeat(5 << 20))),
            ..text("a frame over the limit", "", "SW3005")
        },
        text("not JSON", "hello", "SW3001"),
        text("not an array", "{}", "SW3001"),
        text("an unknown message", r#"[{"sing":{}}]"#, "sing"),
        text("a message with two names", r#"[{"ping":{"k":1},"drain":{}}]"#, "SW3001"),
        text("nothing in it", "[null]", "SW3001"),
        text("a member twice", r#"[{"ping":{"k":1,"k":2}}]"#, "duplicate field `k`"),
        text("a number without end", r#"[{"ping":{"k":1e400}}]"#, "SW3001"),
        text("half of a surrogate pair", r#"[{"dropped":{"a":1,"step":"\ud800"}}]"#, "SW3001"),
        text(
            "a sleep without an end",
            r#"[{"sleep":{"a":1,"step":"s","open":{"kind":"sleep","after":0,"agoUs":0}}}]"#,
            "`sleep` needs one of forUs and untilUs",
        ),
        text(
            "a cause that is not a runner's",
            r#"[{"block":{"a":1,"cause":{"kind":"crashesRunner","times":3}}}]"#,
            "kindChanged or orderChanged only",
        ),
        text(
            "a step id with a line end",
            r#"[{"dropped":{"a":1,"step":"a\nb"}}]"#,
            "holds a control character; accepted",
        ),
        text(
            "an unknown kind of step",
            r#"[{"skip":{"a":1,"step":"s","open":{"kind":"jump","after":0,"agoUs":0}}}]"#,
            "unknown variant `jump`, expected one of",
        ),
        text("a handle that is negative", r#"[{"idle":{"a":-1}}]"#, "expected u32"),
        text("a number out of range", r#"[{"credit":{"bytes":-1}}]"#, "SW3001"),
        text(
            "`hello` twice",
            &json!([{"hello": Runner::hello(&json!([{"name": "pay"}]))}]).to_string(),
            "said once",
        ),
        FrameCase { hello: None, ..text("no `hello`", r#"[{"ping":{"k":1}}]"#, "first message") },
        text(
            "an unknown level of a line",
            r#"[{"log":{"a":1,"lines":[{"agoUs":0,"level":"loud","message":"x"}]}}]"#,
            "has the level `loud`; accepted: debug, info, warn, error",
        ),
    ]
}

fn hellos() -> Vec<FrameCase> {
    let hello = |what, change: fn(&mut Value), says| {
        let mut hello = Runner::hello(&json!([{"name": "pay"}]));
        change(&mut hello);
        let frame = Message::text(json!([{"hello": hello}]).to_string());
        FrameCase { what, hello: None, frame, says }
    };
    vec![
        hello("another protocol", |h| h["protocol"] = json!(2), "SW3002"),
        hello("no slots", |h| h["slots"] = json!(0), "1 to 100000"),
        hello(
            "an SDK without a name",
            |h| h["sdk"] = json!(""),
            "`hello`: an SDK is empty; accepted",
        ),
        hello(
            "a build that is too long",
            |h| h["build"] = json!("b".repeat(257)),
            "a build has 257 bytes; accepted: 1 to 256",
        ),
        hello(
            "a version with a line end",
            |h| h["workflows"] = json!([{"name": "a", "version": "1\n"}]),
            "`hello`: workflow `a`: a version `1\\\\n` holds a control character",
        ),
        hello("an empty app", |h| h["app"] = json!(""), "SW3003"),
        hello(
            "a schema that is none",
            |h| h["workflows"] = json!([{"name": "a", "inputSchema": 7}]),
            "JSON Schema",
        ),
        hello("no workflows", |h| h["workflows"] = json!([]), "SW3003"),
        hello(
            "a workflow twice",
            |h| h["workflows"] = json!([{"name": "a"}, {"name": "a"}]),
            "registered twice",
        ),
        hello(
            "an unknown option",
            |h| h["workflows"] = json!([{"name": "a", "retries": 3}]),
            "retries",
        ),
    ]
}

#[tokio::test]
async fn frames_are_refused_with_what_is_accepted() {
    let server = server().await;
    let to = server.address();
    for case in frames().into_iter().chain(hellos()) {
        let mut runner = Runner::open(to).await.unwrap();
        if let Some(hello) = case.hello {
            runner.say(json!([{"hello": hello}])).await;
            runner.hear("welcome").await;
        }
        runner.send(case.frame).await;
        let words = runner.last_words().await;
        list("frame", case.what, &words);
        assert!(words.contains(case.says), "{}: {words}", case.what);
    }
    // A run that this runner does not hold is not its to change, and that is no reason to close.
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    runner.say(json!([{"finished": {"a": 99, "output": 1}}, {"ping": {"k": 1}}])).await;
    runner.hear("pong").await;
    assert_eq!(get(to, "/healthz").await.json()["nodeRestarts"], json!(0));
}

fn stepwell(arguments: &[&str]) -> (Option<i32>, String) {
    stepwell_with(arguments, &[])
}

/// Runs a command with variables; returns its exit code and what it said.
fn stepwell_with(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(arguments)
        .env("STEPWELL_URL", "http://127.0.0.1:1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn command_lines_are_refused_with_what_is_accepted() {
    let cases: [(&[&str], i32, &str); 23] = [
        (&[], 2, "Usage"),
        (&["rnus"], 2, "similar subcommand"),
        (&["runs", "show"], 2, "<RUN>"),
        (&["runs", "list", "--colour", "red"], 2, "--colour"),
        (&["runs", "list"], 3, "no server answers at http://127.0.0.1:1"),
        (&["runs", "list", "--url", "ftp://localhost:7878"], 2, "accepted: http://"),
        (&["runs", "list", "--url", "localhost"], 2, "is not the address of a server"),
        (&["runs", "list", "--url", "http://a:1, b"], 2, "` b` is not the address of a server"),
        (&["runs", "start", "pay", "--input", "{order: 7}"], 2, "is not JSON"),
        (&["runs", "start", "pay", "--input", "@/nowhere.json"], 2, "cannot be read"),
        (&["runs", "start", "pay", "--wait", "soon"], 2, "is not a duration"),
        (&["doctor", "--data", "/nowhere/data"], 2, "there is no such folder"),
        (&["doctor", "--data", "/dev"], 2, "no store is there"),
        (&["doctor", "--rebuild"], 2, "--data"),
        (&["completions", "tcl"], 2, "possible values"),
        (&["start"], 1, "error[SW4005]: neither `data` nor `store` is set"),
        (&["start", "--listen", "7878"], 2, "accepted: an IP address and a port"),
        (&["start", "--data", "d", "--listen", "0.0.0.0:0"], 1, "error[SW4006]"),
        (
            &["start", "--data", "/dev/null/d", "--listen", "127.0.0.1:0"],
            1,
            "error[SW4007]: the data folder /dev/null/d cannot be used: it cannot be made",
        ),
        (&["start", "--data", "d", "--steps-max", "many"], 2, "accepted: a whole number"),
        (
            &["start", "--data", "d", "--steps-max", "0"],
            1,
            "error[SW4005]: `steps_max` is 0; accepted",
        ),
        (&["start", "--data", "d", "--log", "a=b=c"], 1, "error[SW4005]: `log`"),
        (&["dev", "--listen", "127.0.0.1:0", "--", "/nowhere/runner"], 1, "cannot be started"),
    ];
    for (arguments, code, says) in cases {
        let (found, text) = stepwell(arguments);
        list("cli", &arguments.join(" "), &format!("exit {}: {text}", found.unwrap_or(-1)));
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    }
}

#[test]
fn files_of_settings_are_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("lisen = \"127.0.0.1:0\"", "unknown key `lisen`"),
        ("data = 7", "line 1"),
        ("retention = \"1h\"", "`retention` is 1h; accepted: 1d"),
        ("[limits]\nsteps_max = 1", "limits"),
        ("linger = \"-1s\"", "`-1s` is not a duration"),
        ("payload_bytes_max = \"4MB\"", "`4MB` is not a size"),
        ("listen = \"[::]:7878\"\ndata = \"d\"", "SW4006"),
        ("= 3", "line 1"),
    ];
    for (text, says) in cases {
        let file = folder.path().join("stepwell.toml");
        std::fs::write(&file, text).unwrap();
        let (code, told) = stepwell(&["start", "--config", file.to_str().unwrap()]);
        list("config", text, &told);
        assert_eq!(code, Some(1), "{text}: {told}");
        assert!(told.contains(says), "{text}: {told}");
    }
    let (code, told) = stepwell(&["start", "--config", "/nowhere/stepwell.toml"]);
    list("config", "a missing file", &told);
    assert!(code == Some(1) && told.contains("cannot be read"), "{told}");
}

/// Makes a data folder with one run in it.
fn data_folder(at: &std::path::Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = crate::support::server_on(at).await;
        let to = server.address();
        let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
        let body = json!({"workflow": "pay"});
        let start =
            tokio::spawn(
                async move { crate::support::post(to, "/api/v1/runs?wait=30s", &body).await },
            );
        runner.run_one().await;
        assert_eq!(start.await.unwrap().status, 201);
        server.stop().await;
    });
}

#[test]
fn damaged_folders_are_refused_or_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    data_folder(&path);
    let text = path.to_str().unwrap();
    let (code, told) = stepwell(&["doctor", "--data", text]);
    assert_eq!(code, Some(0), "{told}");
    for entry in std::fs::read_dir(&path).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = path.join(&name);
        if !file.is_file() || std::fs::metadata(&file).unwrap().len() == 0 {
            continue;
        }
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, b"this is not what was here").unwrap();
        let (code, told) = stepwell(&["doctor", "--data", text]);
        list("damage", &format!("{name} is overwritten"), &format!("exit {code:?}: {told}"));
        assert!(code.is_some_and(|code| code <= 1), "{name}: {told}");
        assert!(!told.contains("panicked"), "{name}: {told}");
        std::fs::write(&file, whole).unwrap();
    }
}
