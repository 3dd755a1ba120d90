//! Keys, namespaces, sessions and the audit log by the API.

use serde_json::{Value, json};
use stepwell_access::Role;
use stepwell_http::gate::Rates;

use super::keyed::Keyed;
use crate::support::{Runner, get, request, server};

/// Where no key is needed everybody is an admin, and hears so.
#[tokio::test]
async fn on_loopback_everybody_is_an_admin() {
    let server = server().await;
    let me = get(server.address(), "/api/v1/me").await.json();
    assert_eq!(
        (&me["access"], &me["role"], &me["key"]),
        (&json!("loopback"), &json!("admin"), &json!(null))
    );
    let session = request(server.address(), "POST /api/v1/session", &[], b"").await;
    assert_eq!(session.status, 200);
    assert!(!session.headers.contains("set-cookie"), "{}", session.headers);
}

#[tokio::test]
async fn a_key_tells_what_it_may_do() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let (key, secret) = keyed.make("shop", Role::Operator).await;
    let me = keyed.get("/api/v1/me", &secret).await.json();
    let wanted = json!({"access": "keys", "namespace": "shop", "role": "operator",
        "key": {"id": key.id.to_string(), "name": "shop operator"},
        "rights": ["any", "read", "start", "act"], "endsAt": null});
    assert_eq!(me, wanted);
}

/// What is made by an admin of a namespace stays in it; those of `default` see all.
#[tokio::test]
async fn keys_are_made_listed_rotated_and_revoked() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let root = keyed.key("default", Role::Admin).await;
    let admin = keyed.key("shop", Role::Admin).await;
    let body = json!({"name": "ci", "role": "client", "expiresIn": "90d"});
    let made = keyed.post("/api/v1/keys", &admin, body).await;
    assert_eq!(made.status, 201);
    assert!(made.headers.contains("cache-control: no-store"));
    let made = made.json();
    assert_eq!((&made["namespace"], &made["state"]), (&json!("shop"), &json!("live")));
    let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let me = keyed.get("/api/v1/me", secret).await.json();
    assert_eq!((&me["role"], &me["endsAt"]), (&json!("client"), &made["expiresAt"]));

    let listed = |answer: crate::support::Answer| -> Vec<String> {
        assert!(!answer.body.contains("sw_"), "{answer:?}");
        let keys = answer.json()["keys"].take();
        keys.as_array().unwrap().iter().map(|key| key["name"].to_string()).collect()
    };
    assert_eq!(listed(keyed.get("/api/v1/keys", &admin).await), [r#""shop admin""#, r#""ci""#]);
    assert_eq!(listed(keyed.get("/api/v1/keys", &root).await).len(), 3);
    let of = keyed.get("/api/v1/keys?namespace=default", &root).await;
    assert_eq!(listed(of), [r#""default admin""#]);
    let foreign = keyed.get("/api/v1/keys?namespace=default", &admin).await;
    assert_eq!((foreign.status, foreign.text("code")), (404, "SW1013".into()));

    let rotated = keyed.post(&format!("/api/v1/keys/{id}/rotate"), &admin, json!({})).await.json();
    let new = rotated["key"].as_str().unwrap();
    assert_ne!(new, secret);
    assert_eq!(new[..14], secret[..14], "the id stays");
    assert!(rotated["previousUntil"].is_string());
    let path = format!("/api/v1/keys/{id}/revoke");
    for _ in 0..2 {
        let revoked = keyed.post(&path, &root, json!({"reason": "lost"})).await.json();
        assert_eq!(revoked["state"], json!("revoked"));
    }
    for key in [secret, new] {
        assert_eq!(keyed.get("/api/v1/me", key).await.status, 401);
    }
    let rotated = keyed.post(&format!("/api/v1/keys/{id}/rotate"), &admin, json!({})).await;
    assert_eq!((rotated.status, rotated.text("code")), (409, "SW1014".into()));
}

#[tokio::test]
async fn what_is_not_a_key_or_namespace_is_refused_with_what_is_accepted() {
    let keyed = Keyed::start().await;
    let root = keyed.key("default", Role::Admin).await;
    let long = "n".repeat(300);
    let cases: [(&str, Value, u16, &str); 12] = [
        ("/api/v1/keys", json!({"name": "x"}), 400, "missing field `role`"),
        ("/api/v1/keys", json!({"name": "x", "role": "root"}), 400, "accepted: viewer"),
        ("/api/v1/keys", json!({"name": "", "role": "viewer"}), 400, "is empty"),
        ("/api/v1/keys", json!({"name": long, "role": "viewer"}), 400, "300 bytes"),
        (
            "/api/v1/keys",
            json!({"name": "x", "role": "viewer", "namespace": "gone"}),
            404,
            "`gone`",
        ),
        (
            "/api/v1/keys",
            json!({"name": "x", "role": "viewer", "expiresIn": "1y"}),
            400,
            "expiresIn",
        ),
        (
            "/api/v1/keys",
            json!({"name": "x", "role": "viewer", "expiresAt": "2020-01-01T00:00:00Z"}),
            400,
            "expired already",
        ),
        ("/api/v1/keys/short/revoke", json!({}), 400, "10 letters and digits"),
        ("/api/v1/keys/aaaaaaaaaa/revoke", json!({}), 404, "no key `aaaaaaaaaa`"),
        ("/api/v1/namespaces", json!({"name": "Shop"}), 400, "a-z, 0-9"),
        ("/api/v1/namespaces", json!({"name": "default"}), 409, "is there already"),
        ("/api/v1/namespaces", json!({"name": "a", "x": 1}), 400, "unknown field `x`"),
    ];
    for (path, body, status, part) in cases {
        let answer = keyed.post(path, &root, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.text("detail").contains(part), "{answer:?}");
    }
    // A key in the place of its id is not repeated.
    let told = keyed.post(&format!("/api/v1/keys/{root}/revoke"), &root, json!({})).await;
    assert!(told.status == 400 && !told.body.contains(&root), "{told:?}");
    let gone = keyed.ask("DELETE /api/v1/namespaces/gone", Some(&root), None).await;
    assert_eq!((gone.status, gone.text("code")), (404, "SW1013".into()));
    let own = keyed.ask("DELETE /api/v1/namespaces/default", Some(&root), None).await;
    assert_eq!((own.status, own.text("code")), (409, "SW1014".into()));
    for query in ["limit=0", "order=up", "after=x", "what=1", "key=ann", "from=soon", "to=x"] {
        assert_eq!(
            keyed.get(&format!("/api/v1/audit?{query}"), &root).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_last_admin_of_the_server_is_not_revoked() {
    let keyed = Keyed::start().await;
    let (key, root) = keyed.make("default", Role::Admin).await;
    let path = format!("/api/v1/keys/{}/revoke", key.id);
    let refused = keyed.post(&path, &root, json!({})).await;
    assert_eq!((refused.status, refused.text("code")), (409, "SW1014".into()));
    keyed.key("default", Role::Admin).await;
    // Its own, which is the last thing that it does.
    let own = keyed.post(&path, &root, json!({})).await;
    assert_eq!(own.status, 200, "{own:?}");
    assert_eq!(keyed.get("/api/v1/me", &root).await.status, 401);
}

/// A namespace that has runs is not deleted in passing; by force its runs are ended, and its name is not
/// given to others as long as something of it is stored.
#[tokio::test]
async fn a_namespace_is_deleted_with_its_runs_by_force_only() {
    let keyed = Keyed::start().await;
    let root = keyed.key("default", Role::Admin).await;
    let made = keyed.post("/api/v1/namespaces", &root, json!({"name": "shop"})).await;
    assert_eq!(made.status, 201);
    let worker = keyed.key("shop", Role::Worker).await;
    let client = keyed.key("shop", Role::Client).await;
    let workflows = json!([{"name": "pay"}]);
    let mut runner = Runner::connect_with(keyed.to, Some(&worker), &workflows).await;
    let run = keyed.post("/api/v1/runs", &client, json!({"workflow": "pay"})).await.text("id");
    runner.hear("activate").await;

    let refused = keyed.ask("DELETE /api/v1/namespaces/shop", Some(&root), None).await;
    assert_eq!((refused.status, refused.text("code")), (409, "SW1014".into()));
    assert!(refused.text("detail").contains("has 1 runs that have not ended"), "{refused:?}");
    assert_eq!(keyed.get("/api/v1/me", &client).await.status, 200, "its keys are as they were");

    let forced = keyed.ask("DELETE /api/v1/namespaces/shop?force=true", Some(&root), None).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    assert_eq!(forced.json()["gone"], json!(false));
    assert_eq!(keyed.get("/api/v1/me", &client).await.status, 401);
    assert!(runner.last_words().await.contains("SW1010"));
    let ended =
        keyed.server.node().wait("shop".into(), run.parse().unwrap(), super::lasting::PATIENCE);
    let ended = ended.await.unwrap().expect("it is ended");
    assert_eq!(ended.status.as_str(), "cancelled");
    let taken = keyed.post("/api/v1/namespaces", &root, json!({"name": "shop"})).await;
    assert!(taken.status == 409 && taken.body.contains("was deleted"), "{taken:?}");
    let listed = keyed.get("/api/v1/namespaces", &root).await.json();
    let names: Vec<_> = listed["namespaces"].as_array().unwrap().iter().collect();
    assert_eq!((names.len(), &names[1]["keys"]), (2, &json!(0)));
    assert!(names[1]["closedAt"].is_string());
}

#[tokio::test]
async fn a_namespace_without_anything_in_it_is_gone_at_once() {
    let keyed = Keyed::start().await;
    let root = keyed.key("default", Role::Admin).await;
    for _ in 0..2 {
        let made = keyed.post("/api/v1/namespaces", &root, json!({"name": "shop"})).await;
        assert_eq!(made.status, 201, "{made:?}");
        let viewer = keyed.key("shop", Role::Viewer).await;
        let deleted = keyed.ask("DELETE /api/v1/namespaces/shop", Some(&root), None).await;
        assert_eq!(deleted.json()["gone"], json!(true));
        assert_eq!(keyed.get("/api/v1/me", &viewer).await.status, 401);
    }
}

/// A browser's session is a cookie that scripts cannot read; it may what its key may, and ends with it.
#[tokio::test]
async fn a_browser_has_a_session() {
    let keyed = Keyed::start().await;
    let (key, secret) = keyed.make("default", Role::Viewer).await;
    keyed.key("default", Role::Admin).await;
    let begun = keyed.ask("POST /api/v1/session", Some(&secret), None).await;
    assert_eq!(begun.status, 200);
    assert!(begun.json()["endsAt"].is_string());
    let cookie = begun.headers.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("; httponly; samesite=strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert!(!cookie.contains(&secret[14..]));
    let origin = format!("http://{}", keyed.to);
    let with = |line: &'static str, origin: String| {
        let (to, cookie) = (keyed.to, cookie.clone());
        async move { request(to, line, &[("cookie", &cookie), ("origin", &origin)], b"").await }
    };
    let me = with("GET /api/v1/me", origin.clone()).await.json();
    assert_eq!((&me["role"], &me["key"]["id"]), (&json!("viewer"), &json!(key.id.to_string())));
    let foreign = with("GET /api/v1/me", "http://evil.example".into()).await;
    assert_eq!((foreign.status, foreign.text("code")), (403, "SW1006".into()));
    let longer = with("POST /api/v1/session", origin.clone()).await;
    assert_eq!(longer.status, 401, "a session does not make another one");
    let ended = with("DELETE /api/v1/session", origin.clone()).await;
    assert_eq!(ended.status, 204);
    assert!(ended.headers.contains("max-age=0"), "{}", ended.headers);
    keyed.revoke(&key).await;
    let over = with("GET /api/v1/me", origin).await;
    assert_eq!(over.status, 401);
    assert!(over.headers.contains("max-age=0"), "the browser forgets it: {}", over.headers);
}

/// Each act has a row that it was asked for and one with its outcome, and the rows hang together.
#[tokio::test]
async fn acts_are_in_the_audit_log_before_and_after_they_are_done() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let root = keyed.key("default", Role::Admin).await;
    let (key, operator) = keyed.make("shop", Role::Operator).await;
    let worker = keyed.key("shop", Role::Worker).await;
    let workflows = json!([{"name": "pay"}]);
    let mut runner = Runner::connect_with(keyed.to, Some(&worker), &workflows).await;
    let run = keyed.post("/api/v1/runs", &operator, json!({"workflow": "pay"})).await.text("id");
    runner.hear("activate").await;
    let path = format!("/api/v1/runs/{run}");
    let why = json!({"reason": "the bank is closed"});
    assert_eq!(keyed.post(&format!("{path}/pause"), &operator, why).await.status, 200);
    let wrong = json!({"step": "s", "outcome": "notDone"});
    assert_eq!(keyed.post(&format!("{path}/resolve"), &operator, wrong).await.status, 409);
    assert_eq!(keyed.post(&format!("{path}/cancel"), &operator, json!({})).await.status, 200);
    let made = keyed.post("/api/v1/keys", &root, json!({"name": "n", "role": "viewer"})).await;
    // What only reads, and what is refused for its role, is not an act.
    keyed.get(&path, &operator).await;
    keyed.post("/api/v1/keys", &operator, json!({"name": "n", "role": "admin"})).await;

    let log = keyed.get("/api/v1/audit?order=oldest", &root).await.json();
    let rows = log["rows"].as_array().unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {} {} {}", row["n"], row["act"], row["outcome"], row["of"]))
        .collect();
    let wanted = [
        r#"1 "runs.pause" "asked" null"#,
        r#"2 "runs.pause" "done" 1"#,
        r#"3 "runs.resolve" "asked" null"#,
        r#"4 "runs.resolve" "SW2005" 3"#,
        r#"5 "runs.cancel" "asked" null"#,
        r#"6 "runs.cancel" "done" 5"#,
        r#"7 "keys.create" "asked" null"#,
        r#"8 "keys.create" "done" 7"#,
    ];
    assert_eq!(shown, wanted);
    let paused = &rows[1];
    assert_eq!((&paused["object"], &paused["reason"]), (&json!(run), &json!("the bank is closed")));
    assert_eq!(
        (&paused["key"], &paused["keyName"]),
        (&json!(key.id.to_string()), &json!("shop operator"))
    );
    assert_eq!((&paused["from"], &paused["namespace"]), (&json!("127.0.0.1"), &json!("shop")));
    assert_eq!(rows[7]["object"], json!(made.text("id")));
    // The history of the run says so too.
    let history = keyed.get(&path, &operator).await.body;
    assert!(history.contains("the bank is closed"), "{history}");

    let admin = keyed.key("shop", Role::Admin).await;
    let own = keyed.get("/api/v1/audit", &admin).await.json();
    let numbers: Vec<_> = own["rows"].as_array().unwrap().iter().map(|row| &row["n"]).collect();
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    for (query, wanted) in [
        ("act=runs.pause".to_owned(), vec![2, 1]),
        ("act=keys".to_owned(), vec![8, 7]),
        (format!("key={}&act=runs&limit=2", key.id), vec![6, 5]),
        ("from=1h&to=0s".to_owned(), vec![8, 7, 6, 5, 4, 3, 2, 1]),
        ("to=1h".to_owned(), vec![]),
    ] {
        let found = keyed.get(&format!("/api/v1/audit?{query}"), &root).await.json();
        let found: Vec<_> = found["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["n"].as_u64().unwrap())
            .collect();
        assert_eq!(found, wanted, "{query}");
    }
    let page = keyed.get("/api/v1/audit?order=oldest&after=2&limit=3", &root).await.json();
    assert_eq!((&page["rows"][0]["n"], &page["next"]), (&json!(3), &json!(5)));
}

/// Wrong keys are held back by the address that they come from; a right one passes.
#[tokio::test]
async fn wrong_keys_are_held_back() {
    let keyed = Keyed::with(Rates { wrong_keys_per_minute: 5, ..Rates::default() }).await;
    let right = keyed.key("default", Role::Viewer).await;
    let wrong = keyed.revoked("default", Role::Viewer).await;
    for _ in 0..5 {
        assert_eq!(keyed.get("/api/v1/me", &wrong).await.status, 401);
    }
    let refused = keyed.get("/api/v1/me", &wrong).await;
    assert_eq!((refused.status, refused.text("code")), (429, "SW1012".into()));
    assert!(refused.headers.contains("retry-after: "), "{}", refused.headers);
    assert_eq!(keyed.get("/api/v1/me", &right).await.status, 200);
}

#[tokio::test]
async fn requests_with_a_key_are_bounded_by_the_second() {
    let keyed = Keyed::with(Rates { key_requests_per_second: 3, ..Rates::default() }).await;
    let (one, other) =
        (keyed.key("default", Role::Viewer).await, keyed.key("default", Role::Viewer).await);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(keyed.get("/api/v1/me", &one).await.status);
    }
    assert_eq!(statuses[..3], [200; 3]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(keyed.get("/api/v1/me", &other).await.status, 200, "each key has its own");
}

/// Connections that have shown no key are bounded by their address; one that has does not count.
#[tokio::test]
async fn connections_without_a_key_are_bounded() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let keyed = Keyed::with(Rates { unknown_connections_max: 3, ..Rates::default() }).await;
    let key = keyed.key("default", Role::Viewer).await;
    let connect = || tokio::net::TcpStream::connect(keyed.to);
    let mut known = connect().await.unwrap();
    let ask = format!(
        "GET /api/v1/me HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\r\n",
        keyed.to
    );
    known.write_all(ask.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    known.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let mut quiet = Vec::new();
    for _ in 0..3 {
        quiet.push(connect().await.unwrap());
    }
    // One more is closed before it has said anything.
    let mut last = connect().await.unwrap();
    assert_eq!(last.read(&mut head).await.unwrap_or(0), 0);
    known.write_all(ask.as_bytes()).await.unwrap();
    assert_ne!(known.read(&mut head).await.unwrap(), 0, "who has shown a key goes on");
}
