use std::sync::Arc;
use std::time::Duration;

use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;

use super::*;
use crate::key::{Key, KeyId, Malformed, Pepper};
use crate::{MemoryLedger, Role, Scope};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn keyring() -> Keyring {
    let keyring =
        Keyring::open(Arc::new(MemoryLedger::new()), Pepper::new([3; 32]), at(0)).unwrap();
    keyring.create_namespace("shop", "root", at(0)).unwrap();
    keyring
}

fn made(keyring: &Keyring, seed: u8, namespace: &str, role: Role) -> (Key, String) {
    let create = Create {
        name: format!("key {seed}"),
        namespace: namespace.into(),
        role,
        expires_at: None,
        by: "root".into(),
    };
    let (key, secret) = keyring.create(create, [seed; 39], at(0)).unwrap();
    (key, secret.expose().to_owned())
}

#[test]
fn a_key_lets_in_as_what_it_was_made() {
    let keyring = keyring();
    let (key, secret) = made(&keyring, 1, "shop", Role::Operator);
    let live = keyring.authenticate(&secret, at(1)).unwrap();
    assert_eq!((live.credential.key, &*live.name), (key.id, "key 1"));
    assert_eq!(
        (&*live.namespace, live.role, live.scope),
        ("shop", Role::Operator, Scope::Namespace)
    );
    let (_, root) = made(&keyring, 2, "default", Role::Admin);
    assert_eq!(keyring.authenticate(&root, at(1)).unwrap().scope, Scope::Server);
}

#[test]
fn other_keys_do_not() {
    let keyring = keyring();
    let (key, secret) = made(&keyring, 1, "shop", Role::Viewer);
    let other = crate::Secret::new(key.id, [9; 32]);
    assert_eq!(keyring.authenticate(other.expose(), at(1)), Err(Refused::Unknown));
    let unknown = crate::Secret::new(KeyId::new([9; 7]), [1; 32]);
    assert_eq!(keyring.authenticate(unknown.expose(), at(1)), Err(Refused::Unknown));
    let cut = Refused::Malformed(Malformed::Length { found: 60 });
    assert_eq!(keyring.authenticate(&secret[..60], at(1)), Err(cut));
    // The same key on another server, which has another pepper.
    let ledger = MemoryLedger::new();
    crate::Ledger::put_key(&ledger, &key).unwrap();
    let another = Keyring::open(Arc::new(ledger), Pepper::new([4; 32]), at(0)).unwrap();
    assert_eq!(another.authenticate(&secret, at(1)), Err(Refused::Unknown));
}

#[test]
fn revoked_and_expired_keys_say_so_to_who_has_them() {
    let keyring = keyring();
    let (key, secret) = made(&keyring, 1, "shop", Role::Viewer);
    let credential = keyring.authenticate(&secret, at(1)).unwrap().credential;
    keyring.revoke(key.id, Some("shop"), at(5)).unwrap();
    assert_eq!(keyring.authenticate(&secret, at(6)), Err(Refused::Revoked(at(5))));
    assert_eq!(keyring.recheck(&credential, at(6)), Err(Refused::Revoked(at(5))));
    let again = keyring.revoke(key.id, None, at(9)).unwrap();
    assert_eq!(again.revoked_at, Some(at(5)));

    let create = Create {
        name: "short".into(),
        namespace: "shop".into(),
        role: Role::Viewer,
        expires_at: Some(at(10)),
        by: "root".into(),
    };
    let (_, secret) = keyring.create(create, [2; 39], at(0)).unwrap();
    let live = keyring.authenticate(secret.expose(), at(9)).unwrap();
    assert_eq!(live.ends_at, Some(at(10)));
    assert_eq!(keyring.authenticate(secret.expose(), at(10)), Err(Refused::Expired(at(10))));
}

#[test]
fn a_rotated_key_is_taken_for_its_overlap() {
    let keyring = keyring();
    let (key, old) = made(&keyring, 1, "shop", Role::Worker);
    let rotate = |overlap, seed, now| {
        let rotate = Rotate { id: key.id, overlap: Duration::from_secs(overlap) };
        let (_, secret) = keyring.rotate(rotate, Some("shop"), [seed; 32], at(now)).unwrap();
        secret.expose().to_owned()
    };
    let new = rotate(60, 7, 10);
    assert_eq!(keyring.authenticate(&old, at(69)).unwrap().ends_at, Some(at(70)));
    assert_eq!(keyring.authenticate(&new, at(69)).unwrap().ends_at, None);
    assert_eq!(keyring.authenticate(&old, at(70)), Err(Refused::Replaced(at(70))));
    // Two rotations later a key is as unknown as any.
    let credential = keyring.authenticate(&old, at(20)).unwrap().credential;
    rotate(60, 8, 30);
    assert_eq!(keyring.authenticate(&old, at(31)), Err(Refused::Unknown));
    assert_eq!(keyring.recheck(&credential, at(31)), Err(Refused::Unknown));
    rotate(0, 9, 40);
    let gone = keyring.rotate(
        Rotate { id: key.id, overlap: Duration::ZERO },
        Some("default"),
        [1; 32],
        at(1),
    );
    assert_eq!(gone.unwrap_err().code(), Code::UnknownAccess);
}

#[test]
fn a_session_ends_with_its_time_and_with_its_key() {
    let keyring = keyring();
    let (key, secret) = made(&keyring, 1, "shop", Role::Viewer);
    let live = keyring.authenticate(&secret, at(0)).unwrap();
    let session = keyring.session(&live, at(0));
    let hours = |hours: i64| at(hours * 3_600);
    let who = |now| keyring.authenticate_session(session.expose(), now);
    assert_eq!(who(hours(11)).unwrap().ends_at, Some(hours(12)));
    assert_eq!(who(hours(12)), Err(Refused::Session));
    for (from, to) in [(".0.", ".1."), ("43200000", "43200001"), (".", ","), ("", "0")] {
        let forged = session.expose().replacen(from, to, 1);
        assert_eq!(keyring.authenticate_session(&forged, at(1)), Err(Refused::Session), "{forged}");
    }
    keyring.revoke(key.id, None, at(5)).unwrap();
    assert_eq!(who(at(6)), Err(Refused::Revoked(at(5))));
}

#[test]
fn the_last_admin_of_the_server_stays() {
    let keyring = keyring();
    assert!(keyring.has_no_admin(at(0)));
    let (first, _) = made(&keyring, 1, "default", Role::Admin);
    made(&keyring, 2, "shop", Role::Admin);
    assert!(!keyring.has_no_admin(at(0)));
    let refused = keyring.revoke(first.id, None, at(1)).unwrap_err();
    assert_eq!(refused.code(), Code::AccessConflict);
    let (second, _) = made(&keyring, 3, "default", Role::Admin);
    keyring.revoke(first.id, None, at(1)).unwrap();
    assert!(keyring.revoke(second.id, None, at(1)).is_err());
}

#[test]
fn a_closed_namespace_lets_nobody_in_and_keeps_its_name() {
    let keyring = keyring();
    let (_, secret) = made(&keyring, 1, "shop", Role::Admin);
    keyring.close_namespace("shop", at(2)).unwrap();
    assert_eq!(keyring.authenticate(&secret, at(3)), Err(Refused::Closed));
    assert_eq!(
        keyring.create_namespace("shop", "root", at(3)).unwrap_err().code(),
        Code::AccessConflict
    );
    keyring.forget_namespace("shop").unwrap();
    assert_eq!(keyring.authenticate(&secret, at(3)), Err(Refused::Unknown));
    keyring.create_namespace("shop", "root", at(4)).unwrap();
    assert_eq!(keyring.authenticate(&secret, at(5)), Err(Refused::Unknown));
    assert_eq!(keyring.close_namespace("default", at(5)).unwrap_err().code(), Code::AccessConflict);
}

#[test]
fn what_a_ledger_keeps_is_there_again() {
    let ledger = Arc::new(MemoryLedger::new());
    let open = || Keyring::open(Arc::clone(&ledger) as _, Pepper::new([3; 32]), at(0)).unwrap();
    let keyring = open();
    keyring.create_namespace("shop", "root", at(0)).unwrap();
    let (key, secret) = made(&keyring, 1, "shop", Role::Client);
    keyring.authenticate(&secret, at(100)).unwrap();
    keyring.note_uses().unwrap();
    let keyring = open();
    assert_eq!(keyring.keys(Some("shop")), [Key { last_used_at: Some(at(100)), ..key }]);
    assert_eq!(keyring.keys(Some("default")), []);
    let names: Vec<_> = keyring.namespaces().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["default".into(), "shop".into()]);
    keyring.authenticate(&secret, at(101)).unwrap();
}

/// Two nodes have one ledger: what one changes counts at the other once it has read it, and not only there.
#[test]
fn what_another_node_changed_counts_once_it_is_read() {
    let ledger = Arc::new(MemoryLedger::new());
    let open = || Keyring::open(ledger.clone(), Pepper::new([3; 32]), at(0)).unwrap();
    let (one, other) = (open(), open());
    one.create_namespace("shop", "root", at(0)).unwrap();
    let (key, secret) = made(&one, 1, "shop", Role::Operator);
    assert_eq!(other.authenticate(&secret, at(1)), Err(Refused::Unknown));
    assert_eq!(other.refresh(), Ok(true));
    assert!(other.authenticate(&secret, at(100)).is_ok());
    assert_eq!(other.refresh(), Ok(false), "that a key was used is no change");
    one.revoke(key.id, None, at(101)).unwrap();
    assert_eq!(other.refresh(), Ok(true));
    assert_eq!(other.authenticate(&secret, at(102)), Err(Refused::Revoked(at(101))));
    let used = other.keys(None).into_iter().find(|one| one.id == key.id).unwrap();
    assert_eq!(used.last_used_at, Some(at(100)), "what is not noted yet stays known");
}
