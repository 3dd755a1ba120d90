//! What lasts ends with its key, and says why: a runner's connection, a stream, a request that waits.

use std::time::{Duration, Instant};

use serde_json::json;
use stepwell_access::{Key, Role};
use stepwell_http::gate::now;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::keyed::Keyed;
use crate::support::{Answer, Runner};

/// Longest time that anything goes on with a key that is over.
const SOON: Duration = Duration::from_secs(5);

/// Longest time that a test waits for something; only a failing test waits so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How a key comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Revoked,
    Rotated,
    Expired,
    Closed,
}

const ENDS: [End; 4] = [End::Revoked, End::Rotated, End::Expired, End::Closed];

impl End {
    /// What is told of it.
    fn told(self) -> &'static str {
        match self {
            Self::Revoked => "was revoked",
            Self::Rotated => "replaced by a rotation",
            Self::Expired => "expired at",
            Self::Closed => "namespace of this key was deleted",
        }
    }

    /// A key that will end so.
    async fn key(self, keyed: &Keyed, role: Role) -> (Key, String) {
        let soon = now().after(Duration::from_millis(1_500));
        let expires_at = matches!(self, Self::Expired).then_some(soon);
        keyed.made_at("shop", role, (now(), expires_at)).await
    }

    /// Brings it about, or waits for it.
    async fn come(self, keyed: &Keyed, key: &Key) {
        let admin = keyed.key("default", Role::Admin).await;
        let (line, body) = match self {
            Self::Revoked => (format!("POST /api/v1/keys/{}/revoke", key.id), None),
            Self::Rotated => {
                let line = format!("POST /api/v1/keys/{}/rotate", key.id);
                (line, Some(json!({"overlap": "0ms"})))
            }
            Self::Closed => ("DELETE /api/v1/namespaces/shop?force=true".to_owned(), None),
            Self::Expired => return,
        };
        let answer = keyed.ask(&line, Some(&admin), body.as_ref()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

async fn shop() -> Keyed {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    keyed
}

/// The time from the end of the key; of one that expires, from when it does.
fn within(end: End, key: &Key, begun: Instant) {
    let late = match (end, key.expires_at) {
        (End::Expired, Some(at)) => now().since(at),
        _ => begun.elapsed(),
    };
    assert!(late < SOON, "{end:?}: it took {late:?}");
}

#[tokio::test]
async fn a_runners_connection_ends_with_its_key() {
    for end in ENDS {
        let keyed = shop().await;
        let (key, secret) = end.key(&keyed, Role::Worker).await;
        let workflows = json!([{"name": "pay"}]);
        let mut runner = Runner::connect_with(keyed.to, Some(&secret), &workflows).await;
        let begun = Instant::now();
        end.come(&keyed, &key).await;
        let last = runner.last_words().await;
        within(end, &key, begun);
        assert!(last.contains("1008: SW1010") || last.contains("policy"), "{end:?}: {last}");
        assert!(last.contains("SW1010") && last.contains(end.told()), "{end:?}: {last}");
        let again = Runner::open_with(keyed.to, Some(&secret)).await;
        assert!(again.is_err(), "{end:?}: it connected again");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    for end in ENDS {
        let keyed = shop().await;
        let (key, secret) = end.key(&keyed, Role::Viewer).await;
        let mut stream = TcpStream::connect(keyed.to).await.unwrap();
        let ask = format!(
            "GET /api/v1/stream HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer \
             {secret}\r\n\r\n",
            keyed.to
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut head = vec![0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head, b"HTTP/1.1 200");
        let begun = Instant::now();
        end.come(&keyed, &key).await;
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        within(end, &key, begun);
        let (_, last) = rest.rsplit_once("event: closed").unwrap();
        assert!(last.contains("SW1010") && last.contains(end.told()), "{end:?}: {last}");
    }
}

#[tokio::test]
async fn a_request_that_waits_ends_with_its_key() {
    for end in ENDS {
        let keyed = shop().await;
        let (key, secret) = end.key(&keyed, Role::Client).await;
        let worker = keyed.key("shop", Role::Worker).await;
        let workflows = json!([{"name": "pay"}]);
        let mut runner = Runner::connect_with(keyed.to, Some(&worker), &workflows).await;
        let started = keyed.post("/api/v1/runs", &secret, json!({"workflow": "pay"})).await;
        runner.hear("activate").await;
        let run = started.text("id");
        let lines = [
            (format!("GET /api/v1/runs/{run}?wait=1m"), None),
            (format!("GET /api/v1/runs/{run}/result?wait=1m"), None),
            ("POST /api/v1/runs?wait=1m".to_owned(), Some(json!({"workflow": "pay"}))),
        ];
        let begun = Instant::now();
        let asks = lines.iter().map(|(line, body)| keyed.ask(line, Some(&secret), body.as_ref()));
        let waiting = futures_util::future::join_all(asks);
        // What is told of the second run says that the requests are there.
        let ending = async {
            runner.hear("activate").await;
            end.come(&keyed, &key).await;
        };
        let (answers, ()): (Vec<Answer>, ()) = tokio::join!(waiting, ending);
        within(end, &key, begun);
        for answer in answers {
            assert_eq!((answer.status, answer.text("code")), (401, "SW1010".into()), "{end:?}");
            assert!(answer.text("detail").contains(end.told()), "{end:?}: {answer:?}");
        }
    }
}

/// A rotation with an overlap drops nobody until that is over.
#[tokio::test]
async fn an_overlap_lets_connections_change_their_key() {
    let keyed = shop().await;
    let admin = keyed.key("default", Role::Admin).await;
    let (key, old) = keyed.make("shop", Role::Worker).await;
    let workflows = json!([{"name": "pay"}]);
    let mut runner = Runner::connect_with(keyed.to, Some(&old), &workflows).await;
    let path = format!("/api/v1/keys/{}/rotate", key.id);
    let new = keyed.post(&path, &admin, json!({"overlap": "1h"})).await.text("key");
    runner.say(json!([{"ping": {"k": 1}}])).await;
    runner.hear("pong").await;
    for key in [&old, &new] {
        assert_eq!(keyed.get("/api/v1/me", key).await.status, 200);
    }
    let last = keyed.post(&path, &admin, json!({"overlap": 0.to_string()})).await.text("key");
    assert!(runner.last_words().await.contains("SW1010"));
    for (key, wanted) in [(&old, 401), (&new, 401), (&last, 200)] {
        assert_eq!(keyed.get("/api/v1/me", key).await.status, wanted);
    }
}
