//! Bad keys, and bad requests to what keys, namespaces and the audit log are kept by.

use std::os::unix::fs::PermissionsExt;

use stepwell_access::Role;

use super::{ApiCase, check, list, other, stepwell_with, with};
use crate::access::Keyed;
use crate::support::request;

/// Credentials that are none, with what is said of them.
#[tokio::test]
async fn credentials_are_refused_with_what_is_wrong() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let admin = keyed.key("default", Role::Admin).await;
    let (cut, long) = (&admin[..40], format!("{admin}a"));
    let other_last = if admin.ends_with('a') { "b" } else { "a" };
    let misread = format!("{}{other_last}", &admin[..admin.len() - 1]);
    let expired = keyed.expired("shop", Role::Viewer).await;
    let revoked = keyed.revoked("shop", Role::Viewer).await;
    for (what, header, value, says) in [
        ("no credential", "x-nothing", "1".to_owned(), "has no key"),
        ("a key without `Bearer`", "authorization", admin.clone(), "not a key"),
        ("a password", "authorization", format!("Basic {admin}"), "not a key"),
        ("a key that is cut off", "authorization", format!("Bearer {cut}"), "has 40 characters"),
        ("a key that is too long", "authorization", format!("Bearer {long}"), "characters"),
        ("a key with a wrong letter", "authorization", format!("Bearer {misread}"), "mistyped"),
        ("a key that has expired", "authorization", format!("Bearer {expired}"), "expired"),
        ("a key that was revoked", "authorization", format!("Bearer {revoked}"), "revoked"),
        ("a session that is none", "cookie", "stepwell_session=x.0.9.00".to_owned(), "over"),
    ] {
        let answer = request(keyed.to, "GET /api/v1/runs", &[(header, &value)], b"").await;
        list("key", what, &format!("{} {}", answer.status, answer.body));
        assert_eq!((answer.status, answer.text("code")), (401, "SW1010".into()), "{what}");
        assert!(answer.text("detail").contains(says), "{what}: {answer:?} lacks {says:?}");
        assert!(!answer.body.contains(&admin[14..40]), "{what}: a key is not repeated");
    }
    for (role, line) in [
        (Role::Viewer, "POST /api/v1/runs"),
        (Role::Client, "POST /api/v1/runs/run_00000000000000000000000000000001/pause"),
        (Role::Worker, "GET /api/v1/runs"),
        (Role::Operator, "GET /api/v1/keys"),
        (Role::Admin, "POST /api/v1/namespaces"),
    ] {
        let key = keyed.key("shop", role).await;
        let answer = keyed.ask(line, Some(&key), None).await;
        list("key", &format!("{role}: {line}"), &format!("{} {}", answer.status, answer.body));
        assert_eq!((answer.status, answer.text("code")), (403, "SW1011".into()), "{role} {line}");
        assert!(answer.text("detail").contains("accepted: "), "{answer:?}");
    }
}

fn bodies() -> Vec<ApiCase> {
    let keys = "POST /api/v1/keys";
    let rotate = "POST /api/v1/keys/aaaaaaaaaa/rotate";
    let (bad, not_there) = ((400, "SW1001"), (404, "SW1013"));
    vec![
        with("a key without a role", keys, r#"{"name":"x"}"#, bad, "missing field `role`"),
        with("an unknown role", keys, r#"{"name":"x","role":"boss"}"#, bad, "viewer"),
        with("a key without a name", keys, r#"{"name":"","role":"viewer"}"#, bad, "empty"),
        with(
            "a key that ends in two ways",
            keys,
            r#"{"name":"x","role":"viewer","expiresIn":"1d","expiresAt":"2030-01-01T00:00:00Z"}"#,
            bad,
            "not both",
        ),
        with(
            "a key that ends after no duration",
            keys,
            r#"{"name":"x","role":"viewer","expiresIn":"soon"}"#,
            bad,
            "`soon` is not a duration; accepted",
        ),
        with(
            "a key that ended before it began",
            keys,
            r#"{"name":"x","role":"viewer","expiresAt":"2001-01-01T00:00:00Z"}"#,
            bad,
            "expired already; accepted: an instant to come",
        ),
        with(
            "a key of no namespace",
            keys,
            r#"{"name":"x","role":"viewer","namespace":"nowhere"}"#,
            not_there,
            "nowhere",
        ),
        with("an unknown field of a key", keys, r#"{"nmae":"x"}"#, bad, "unknown field `nmae`"),
        with("an unknown key", rotate, "{}", not_there, "aaaaaaaaaa"),
        with("no key's id", "POST /api/v1/keys/x/revoke", "{}", bad, "10"),
        with("an overlap that is none", rotate, r#"{"overlap":"-1h"}"#, bad, "`overlap`: `-1h`"),
        with(
            "an overlap that is too long",
            rotate,
            r#"{"overlap":"800d"}"#,
            bad,
            "accepted: at most 30d",
        ),
    ]
}

fn bodies_of_namespaces() -> Vec<ApiCase> {
    let bad = (400, "SW1001");
    vec![
        with("a namespace without a name", "POST /api/v1/namespaces", "{}", bad, "`name`"),
        with(
            "a namespace with an empty name",
            "POST /api/v1/namespaces",
            r#"{"name":""}"#,
            bad,
            "accepted: 1 to 64 of a-z",
        ),
        with(
            "a namespace with a slash",
            "POST /api/v1/namespaces",
            r#"{"name":"a/b"}"#,
            bad,
            "`a/b` is not the name of a namespace",
        ),
        with(
            "a namespace that is there",
            "POST /api/v1/namespaces",
            r#"{"name":"shop"}"#,
            (409, "SW1014"),
            "shop",
        ),
    ]
}

fn addresses() -> Vec<ApiCase> {
    let (bad, not_there) = ((400, "SW1001"), (404, "SW1013"));
    let audit = "GET /api/v1/audit";
    vec![
        other("keys of no namespace", "GET /api/v1/keys?of=shop", bad, "unknown field `of`"),
        other("no namespace", "DELETE /api/v1/namespaces/nowhere", not_there, "nowhere"),
        other(
            "the first namespace",
            "DELETE /api/v1/namespaces/default",
            (409, "SW1014"),
            "default",
        ),
        other(
            "a force that is none",
            "DELETE /api/v1/namespaces/shop?force=1",
            bad,
            "true or false",
        ),
        other("an unknown order of rows", format!("{audit}?order=up"), bad, "newest or oldest"),
        other("no rows", format!("{audit}?limit=0"), bad, "1 to 1000"),
        other("too many rows", format!("{audit}?limit=1001"), bad, "`1001`"),
        other("a row that is none", format!("{audit}?after=x"), bad, "the number of a row"),
        other("a row before all", format!("{audit}?before=-1"), bad, "`-1`"),
    ]
}

#[tokio::test]
async fn requests_about_access_are_answered_with_what_is_accepted() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let admin = keyed.key("default", Role::Admin).await;
    let bearer: &'static str = Box::leak(format!("Bearer {admin}").into_boxed_str());
    for mut case in bodies().into_iter().chain(bodies_of_namespaces()).chain(addresses()) {
        case.headers.push(("authorization", bearer));
        check(keyed.to, &case).await;
    }
    // Nothing of it has made a key or a namespace.
    let keys = keyed.get("/api/v1/keys", &admin).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    let namespaces = keyed.get("/api/v1/namespaces", &admin).await.json();
    assert_eq!(namespaces["namespaces"].as_array().unwrap().len(), 2);
}

/// Keys in files and variables, as commands take them.
#[tokio::test(flavor = "multi_thread")]
async fn key_files_are_refused_with_the_place() {
    let keyed = Keyed::start().await;
    let url = format!("http://{}", keyed.to);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases = [
        ("a file that is not there", "/nowhere/key".to_owned(), "No such file"),
        ("a folder", folder.path().to_str().unwrap().to_owned(), "directory"),
        ("an empty file", file("empty", b""), "this is not a key; accepted: `sw_`"),
        ("a file of something else", file("text", b"hello\n"), "this is not a key"),
        ("a file of bytes", file("bytes", &[0xff, 0xfe, 0]), "UTF-8"),
    ];
    for (what, path, says) in cases {
        let (url, asked) = (url.clone(), path.clone());
        let told = tokio::task::spawn_blocking(move || {
            stepwell_with(&["runs", "list", "--url", &url, "--key-file", &asked], &[])
        });
        let (found, text) = told.await.unwrap();
        list("cli", &format!("--key-file: {what}"), &format!("exit {found:?}: {text}"));
        assert_eq!(found, Some(1), "{what}: {text}");
        assert!(text.starts_with(&format!("error[SW4005]: {path}: ")), "{what}: {text}");
        assert!(text.contains(says), "{what}: {text} lacks {says:?}");
        assert!(text.contains("accepted: a file with a key in it"), "{what}: {text}");
    }
    let (url, key) = (url.clone(), "sw_not_a_key".to_owned());
    let told = tokio::task::spawn_blocking(move || {
        stepwell_with(&["runs", "list", "--url", &url], &[("STEPWELL_KEY", &key)])
    });
    let (found, text) = told.await.unwrap();
    list("cli", "STEPWELL_KEY: not a key", &format!("exit {found:?}: {text}"));
    assert!(found == Some(1) && text.contains("SW4005") && text.contains("STEPWELL_KEY"), "{text}");
    assert!(!text.contains("sw_not_a_key"), "a key is not repeated: {text}");
}
