//! Every route and every frame of a runner, with every wrong credential: all refused.
//!
//! The routes come from the table that the router is made of, and the frames from the fixture of the wire
//! format, which a test of the protocol holds against the types. So what is added is tried here at once, or
//! this fails because it does not know how to ask for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stepwell_access::{Right, Role, Scope};
use stepwell_http::api::routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::entries::{Entry, Foreign, World, entry};
use super::keyed::Keyed;
use crate::support::{Runner, exchange, status};

/// Routes for who has no key. One more is a decision, and stands here.
const PUBLIC: [&str; 1] = ["GET /healthz"];

/// What names things of the first namespace, all of them: in no answer to another's key.
const MARK: &str = "mark-";

/// Least time that the server has to drop a connection is none, the most is this.
const FRAMES: &str = include_str!("../../../../stepwell-protocol/fixtures/v1.json");

/// A server with a namespace in which there is something of everything, and another one.
struct Setting {
    keyed: Keyed,
    world: World,
    runner: Runner,
    activation: Value,
    asked: u32,
}

impl Setting {
    async fn new() -> Self {
        let keyed = Keyed::start().await;
        for namespace in ["mark-shop", "other", "third"] {
            keyed.namespace(namespace).await;
        }
        let worker = keyed.key("mark-shop", Role::Worker).await;
        let workflows = json!([{"name": "mark-pay"}]);
        let mut runner = Runner::connect_with(keyed.to, Some(&worker), &workflows).await;
        let client = keyed.key("mark-shop", Role::Client).await;
        let start = json!({"workflow": "mark-pay", "key": "mark-key", "input": "mark-input"});
        let run = keyed.post("/api/v1/runs", &client, start).await.text("id");
        let activation = runner.hear("activate").await;
        let sent = json!({"event": "mark-event", "id": "mark-id", "data": "mark-data"});
        let event = keyed.post("/api/v1/events", &client, sent).await.text("id");
        let telemetry = keyed.key("mark-shop", Role::Telemetry).await;
        let told = json!({"events": [{
            "id": "mark-e", "flow": "mark-flow", "run": "mark-observed", "step": "mark-step",
            "status": "running", "at": 1_795_390_276_123_u64,
        }]});
        let taken = keyed.post("/api/v1/telemetry", &telemetry, told).await;
        assert_eq!(taken.status, 200, "{taken:?}");
        let operator = keyed.key("mark-shop", Role::Operator).await;
        let retried = keyed.post(&format!("/api/v1/runs/{run}/retry"), &operator, json!({})).await;
        assert_eq!(retried.status, 200, "the audit log has a row: {retried:?}");
        let (key, _) = keyed.make("mark-shop", Role::Viewer).await;
        let world = World { run, event, key: key.id.to_string() };
        Self { keyed, world, runner, activation, asked: 0 }
    }

    /// Asks a route, and expects to be refused so.
    async fn refused(&mut self, line: &str, key: Option<&str>, of: (&Entry, (u16, &str))) {
        let (entry, (wanted, code)) = of;
        let answer = self.keyed.ask(line, key, entry.body.as_ref()).await;
        self.asked += 1;
        assert_eq!((answer.status, &*answer.text("code")), (wanted, code), "{line}: {answer:?}");
        assert!(!answer.body.contains(MARK) || wanted == 403, "{line}: {answer:?}");
        let asks = answer.headers.contains("www-authenticate: bearer");
        assert_eq!(asks, wanted == 401, "{line}: {}", answer.headers);
    }

    /// Asks with the key of an admin of another namespace.
    async fn foreign(&mut self, line: &str, key: &str, entry: &Entry) {
        self.asked += 1;
        if entry.foreign == Foreign::Stream {
            let bearer = format!("Bearer {key}");
            assert_eq!(status(self.keyed.to, line, ("authorization", &bearer)).await, 200);
            return;
        }
        // Who has named what is not its own finds that he did so; another one finds nothing at all.
        let third = self.keyed.key("third", Role::Admin).await;
        let key = if entry.foreign == Foreign::Nothing { &third } else { key };
        let answer = self.keyed.ask(line, Some(key), entry.body.as_ref()).await;
        let wanted = match entry.foreign {
            Foreign::NotThere => 404,
            Foreign::Refused => 403,
            Foreign::Bundle => 415,
            Foreign::Upgrade => 426,
            Foreign::Undelivered => 201,
            Foreign::Nothing | Foreign::Own | Foreign::Stream => 200,
        };
        let status = if answer.status == 204 { 200 } else { answer.status };
        assert_eq!(status, wanted, "{line}: {answer:?}");
        if status == 201 {
            assert_eq!(answer.json()["delivered"], json!(0), "{line}: {answer:?}");
        }
        if status == 200 {
            for mark in [MARK, &self.world.run, &self.world.key] {
                assert!(
                    !answer.body.contains(mark),
                    "{line} tells of another namespace: {answer:?}"
                );
            }
        }
    }

    /// What the other side of the fence would notice.
    async fn journal(&self) -> (Value, u64) {
        let viewer = self.keyed.key("mark-shop", Role::Viewer).await;
        let run = self.keyed.get(&format!("/api/v1/runs/{}", self.world.run), &viewer).await.json();
        let stats = self.keyed.server.node().stats().await.unwrap();
        (run["journalBytes"].clone(), stats.messages)
    }
}

/// Every route, with no key, keys that are not taken, keys of every role that does not have the right, and
/// the key of another namespace's admin; then every frame of a runner in the same way.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "`make access` shows the counts")]
async fn everything_is_refused_to_who_has_no_right_to_it() {
    let mut setting = Setting::new().await;
    let routes = all_routes(&mut setting).await;
    let kinds = frames();
    for (kind, frame) in &kinds {
        before_the_handshake(&mut setting, kind, frame).await;
        of_another_namespace(&mut setting, kind, frame).await;
        after_the_key(&mut setting, kind, frame).await;
    }
    let asked = setting.asked;
    let allowed = everything_is_let_in_with_its_right().await;
    println!("access: {routes} routes, {} frame kinds, {asked} requests, all refused", kinds.len());
    println!("access: {allowed} requests with the right to it, none refused");
    assert!(routes >= 56 && kinds.len() >= 23 && asked >= 500, "less is tried than there was once");
    assert!(allowed >= 100, "less is tried than there was once");
}

/// The same requests with the roles that have the right: the gate lets each of them in. Otherwise a gate that
/// refuses everything would pass.
async fn everything_is_let_in_with_its_right() -> u32 {
    let mut setting = Setting::new().await;
    let mut keys = Vec::new();
    for role in Role::ALL {
        // What names something of the first namespace is not there for these, and changes nothing.
        for (namespace, scope) in [("other", Scope::Namespace), ("default", Scope::Server)] {
            keys.push((role, scope, setting.keyed.key(namespace, role).await));
        }
    }
    setting.asked = 0;
    for route in routes() {
        let Some(entry) = entry(route.method, route.path, &setting.world) else { continue };
        let line = format!("{} {}", route.method, entry.path);
        for (role, scope, key) in &keys {
            if !role.grants(route.right, *scope) {
                continue;
            }
            setting.asked += 1;
            let bearer = format!("Bearer {key}");
            if entry.foreign == Foreign::Stream {
                let answered = status(setting.keyed.to, &line, ("authorization", &bearer)).await;
                assert_eq!(answered, 200, "{line} as {role}");
                continue;
            }
            let answer = setting.keyed.ask(&line, Some(key), entry.body.as_ref()).await;
            // A right that is missing has a code of its own: other refusals are not the gate's.
            let refused = answer.status == 403 && answer.text("code") == "SW1011";
            assert!(answer.status != 401 && !refused, "{line} as {role}: {answer:?}");
        }
    }
    setting.asked
}

async fn all_routes(setting: &mut Setting) -> usize {
    let mut wrong = Vec::new();
    // The last admin of the server is not revoked.
    setting.keyed.key("default", Role::Admin).await;
    for (namespace, role) in [("mark-shop", Role::Admin), ("default", Role::Admin)] {
        wrong.push(setting.keyed.revoked(namespace, role).await);
        wrong.push(setting.keyed.expired(namespace, role).await);
    }
    // Of another server: the form is right, and nobody here made it.
    wrong.push(Keyed::start().await.key("default", Role::Admin).await);
    wrong.push("sw_nonsense".to_owned());
    let mut keys = BTreeMap::new();
    for role in Role::ALL {
        for (namespace, scope) in [("mark-shop", Scope::Namespace), ("default", Scope::Server)] {
            let key = setting.keyed.key(namespace, role).await;
            keys.insert((role.as_str(), namespace), (role, scope, key));
        }
    }
    let other = setting.keyed.key("other", Role::Admin).await;
    let routes = routes();
    for route in &routes {
        let name = format!("{} {}", route.method, route.path);
        if route.right == Right::Public {
            assert!(PUBLIC.contains(&&*name), "{name} is public, and not listed as such");
            continue;
        }
        let entry = entry(route.method, route.path, &setting.world);
        let entry = entry.unwrap_or_else(|| panic!("{name} has no entry: say how it is asked"));
        let line = format!("{} {}", route.method, entry.path);
        setting.refused(&line, None, (&entry, (401, "SW1010"))).await;
        for key in &wrong {
            setting.refused(&line, Some(key), (&entry, (401, "SW1010"))).await;
        }
        for (role, scope, key) in keys.values() {
            if !role.grants(route.right, *scope) {
                setting.refused(&line, Some(key), (&entry, (403, "SW1011"))).await;
            }
        }
        setting.foreign(&line, &other, &entry).await;
    }
    public_routes(setting).await;
    other_addresses(setting).await;
    routes.len()
}

/// Who has no key hears whether the server is there, and nothing else.
async fn public_routes(setting: &mut Setting) {
    for line in PUBLIC {
        let other = setting.keyed.key("other", Role::Viewer).await;
        for key in [None, Some("sw_nonsense"), Some(&*other)] {
            let answer = setting.keyed.ask(line, key, None).await;
            setting.asked += 1;
            assert_eq!((answer.status, &*answer.body), (200, r#"{"status":"ok"}"#), "{line}");
        }
    }
}

/// Addresses that are not there, and methods that are not taken, say so to who has a key only.
async fn other_addresses(setting: &mut Setting) {
    for line in ["GET /api/v1/nothing", "PUT /api/v1/runs", "OPTIONS /api/v1/keys", "TRACE /x"] {
        let answer = setting.keyed.ask(line, None, None).await;
        setting.asked += 1;
        assert_eq!(answer.status, 401, "{line}");
    }
}

/// Each kind of message with an example, from the fixture; those that the types know are all there.
fn frames() -> BTreeMap<String, Value> {
    let fixture: Value = serde_json::from_str(FRAMES).unwrap();
    let mut kinds = BTreeMap::new();
    for message in fixture["toNode"].as_array().unwrap() {
        let kind = message.as_object().unwrap().keys().next().unwrap();
        kinds.entry(kind.clone()).or_insert_with(|| message.clone());
    }
    let unknown = serde_json::from_str::<stepwell_protocol::to_node::ToNode<'_>>(r#"{"?":{}}"#);
    let told = unknown.unwrap_err().to_string();
    let (_, known) = told.split_once("expected one of ").unwrap();
    let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    assert!(known.len() >= 23, "{told}");
    for kind in known {
        assert!(kinds.contains_key(kind), "`{kind}` has no example in the fixture");
    }
    kinds
}

/// Whoever may not connect is refused before a frame of his is read, also where it comes at once.
async fn before_the_handshake(setting: &mut Setting, kind: &str, frame: &Value) {
    let before = setting.journal().await;
    let keyed = &setting.keyed;
    let mut cases = vec![(None, 401)];
    for role in [Role::Viewer, Role::Client, Role::Operator, Role::Telemetry] {
        cases.push((Some(keyed.key("mark-shop", role).await), 403));
    }
    cases.push((Some(keyed.revoked("mark-shop", Role::Worker).await), 401));
    cases.push((Some(keyed.expired("mark-shop", Role::Worker).await), 401));
    for (key, wanted) in cases {
        let bearer = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        let mut bytes = format!(
            "GET /api/v1/worker HTTP/1.1\r\nhost: {}\r\n{bearer}connection: upgrade\r\nupgrade: \
             websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: \
             dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: stepwell.v1\r\n\r\n",
            setting.keyed.to
        )
        .into_bytes();
        bytes.extend(masked(&json!([frame]).to_string()));
        let answer = exchange(setting.keyed.to, &bytes).await;
        setting.asked += 1;
        assert_eq!(answer.status, wanted, "{kind}: {answer:?}");
    }
    assert_eq!(setting.journal().await, before, "{kind} did something");
}

/// A text frame of a client (RFC 6455 §5.2), with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let mut bytes = vec![0x81, 0x80 | 0x7e];
    bytes.extend(length);
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// A runner of another namespace names what is not its own: a handle of the first one's connection, or the
/// run that it holds. Nothing happens to either.
async fn of_another_namespace(setting: &mut Setting, kind: &str, frame: &Value) {
    let (before, _) = setting.journal().await;
    let worker = setting.keyed.key("other", Role::Worker).await;
    let workflows = json!([{"name": "mark-pay"}]);
    let mut runner = Runner::connect_with(setting.keyed.to, Some(&worker), &workflows).await;
    let mut frame = frame.clone();
    if let Some(handle) = frame[kind].get_mut("a") {
        *handle = setting.activation["a"].clone();
    }
    runner.say(json!([frame, {"ping": {"k": 99}}])).await;
    setting.asked += 1;
    // It is answered, or refused by the end of the connection: either way the frame was dealt with.
    runner.hear_or_end("pong").await;
    assert_eq!(setting.journal().await.0, before, "{kind} did something to another's run");
    if kind == "hello" {
        resumes_nothing(setting, &worker).await;
    }
}

/// The true names of another's activation are no use: they are asked for within the namespace.
async fn resumes_nothing(setting: &mut Setting, worker: &str) {
    let mut runner = Runner::open_with(setting.keyed.to, Some(worker)).await.unwrap();
    let mut hello = Runner::hello(&json!([{"name": "mark-pay"}]));
    let of = &setting.activation;
    let resume = json!([{"run": of["run"], "epoch": of["epoch"], "nonce": of["nonce"], "told": 0}]);
    hello["resume"] = resume;
    runner.say(json!([{"hello": hello}])).await;
    setting.asked += 1;
    let gone = runner.hear("gone").await;
    assert_eq!(gone["run"], setting.world.run);
    // The one that has it still has it.
    let a = &setting.activation["a"];
    let log = json!([{"log": {"a": a, "lines": []}}, {"ping": {"k": 5}}]);
    setting.runner.say(log).await;
    setting.runner.hear("pong").await;
}

/// A frame that comes after its key was revoked is not taken: the connection says why, and ends.
async fn after_the_key(setting: &mut Setting, kind: &str, frame: &Value) {
    let (key, secret) = setting.keyed.make("other", Role::Worker).await;
    let workflows = json!([{"name": "mark-pay"}]);
    let mut runner = Runner::connect_with(setting.keyed.to, Some(&secret), &workflows).await;
    let (_, before) = setting.journal().await;
    setting.keyed.revoke(&key).await;
    runner.say(json!([frame])).await;
    setting.asked += 1;
    let last = runner.last_words().await;
    assert!(last.contains("SW1010") && last.contains("revoked"), "{kind}: {last}");
    assert_eq!(setting.journal().await.1, before, "{kind} was taken after its key was revoked");
}

/// A stream tells another namespace of nothing: the first that it hears of is its own.
#[tokio::test]
async fn a_stream_tells_of_its_own_namespace_only() {
    let mut setting = Setting::new().await;
    let other = setting.keyed.key("other", Role::Admin).await;
    let mut stream = TcpStream::connect(setting.keyed.to).await.unwrap();
    let ask = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {other}\r\n\r\n",
        setting.keyed.to
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut heard = String::new();
    until(&mut stream, &mut heard, "event: hello").await;
    let a = setting.activation["a"].clone();
    setting.runner.say(json!([{"finished": {"a": a, "output": "mark-output"}}])).await;
    setting.runner.hear("done").await;
    let sent = setting.keyed.post("/api/v1/events", &other, json!({"event": "mine"})).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    until(&mut stream, &mut heard, "event: changes").await;
    until(&mut stream, &mut heard, "\n\n").await;
    assert!(heard.contains(r#""events":true"#), "{heard}");
    assert!(!heard.contains(&setting.world.run) && heard.contains(r#""runs":[]"#), "{heard}");
}

async fn until(stream: &mut TcpStream, heard: &mut String, wanted: &str) {
    let mut bytes = [0; 4_096];
    while !heard.contains(wanted) {
        let read = stream.read(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "the stream ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}
