//! Users and tokens across restarts, and what patterns match.

use super::*;
use crate::catalog::{CatalogErrorKind, CatalogStore};
use crate::data_dir::DataDir;

fn verifier(byte: u8) -> Verifier {
    Verifier { stored_key: [byte; 32], server_key: [byte + 1; 32] }
}

fn password(byte: u8) -> Password {
    Password {
        salt: vec![byte; 16],
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
        verifier: verifier(byte),
    }
}

fn grant(scope: GrantScope, pattern: &str, rights: u32) -> Grant {
    Grant { scope, pattern: pattern.to_owned(), rights: Rights(rights) }
}

fn token(name: &str, expires_us: i64) -> NewToken {
    NewToken { name: name.to_owned(), expires_us, verifier: verifier(9) }
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let before = {
        let dir = DataDir::open(temp.path()).unwrap();
        let mut store = CatalogStore::open(&dir, 1).unwrap();
        assert!(store.access().users.is_empty());
        store.create_user(ROOT, None, &[], 1).unwrap();
        let all = [grant(GrantScope::Topic, "shop/*", 3), grant(GrantScope::Group, "g", 1)];
        store.create_user("ada", Some(password(1)), &all, 2).unwrap();
        store.create_user("eve", None, &[], 3).unwrap();
        store.create_token("eve", token("t", 0), 4).unwrap();
        let kept = store.create_token("ada", token("t", 7), 4).unwrap();
        let gone = store.create_token("ada", token("u", 0), 4).unwrap();
        assert!(kept.id < gone.id);
        store.delete_token(gone.id).unwrap();
        store.delete_user("eve").unwrap();
        store.change_password("ada", password(5)).unwrap();
        store.enable_user("ada", false).unwrap();
        let revoked = [grant(GrantScope::Topic, "shop/*", 2)];
        store.change_grants("ada", &revoked, &[grant(GrantScope::Group, "g", 4)]).unwrap();
        store.access()
    };
    let dir = DataDir::open(temp.path()).unwrap();
    let mut store = CatalogStore::open(&dir, 9).unwrap();
    let after = store.access();
    assert_eq!((&after.users, &after.tokens), (&before.users, &before.tokens));
    let ada = after.user("ada").unwrap();
    assert!(!ada.enabled && ada.password == Some(password(5)));
    let expected = [grant(GrantScope::Topic, "shop/*", 1), grant(GrantScope::Group, "g", 5)];
    assert_eq!(ada.grants, expected);
    assert_eq!(after.tokens.len(), 1);
    assert_eq!(after.user_by_id(ada.id).unwrap().name, "ada");
    // Numbers are not used again.
    let eve = store.create_user("eve", None, &[], 10).unwrap();
    assert!(eve.id > ada.id + 1);
    assert!(store.create_token("eve", token("t", 0), 10).unwrap().id > 3);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    let mut store = CatalogStore::open(&dir, 1).unwrap();
    store.create_user(ROOT, None, &[], 1).unwrap();
    store.create_user("ada", None, &[], 1).unwrap();
    store.create_token("ada", token("t", 0), 1).unwrap();
    store.create_token("ada", token("short", 5), 1).unwrap();
    let before = store.access();
    let many: Vec<Grant> =
        (0..101).map(|i| grant(GrantScope::Topic, &format!("s/{i}"), 1)).collect();
    for (error, kind) in [
        (store.create_user("ada", None, &[], 1).err(), CatalogErrorKind::UserExists),
        (store.create_user("bob", None, &many, 1).err(), CatalogErrorKind::AccessLimit),
        (store.change_grants("ada", &[], &many).err(), CatalogErrorKind::AccessLimit),
        (store.delete_user("bob").err(), CatalogErrorKind::UserNotFound),
        (store.delete_user(ROOT).err(), CatalogErrorKind::Root),
        (store.enable_user(ROOT, false).err(), CatalogErrorKind::Root),
        (store.create_token("ada", token("t", 0), 1).err(), CatalogErrorKind::TokenExists),
        (store.create_token("bob", token("t", 0), 1).err(), CatalogErrorKind::UserNotFound),
        (store.delete_token(99).err(), CatalogErrorKind::TokenNotFound),
    ] {
        assert_eq!(error.expect("refused").kind(), kind);
    }
    assert_eq!(store.access(), before);
    // A token that has ended makes room.
    store.create_token("ada", token("short", 0), 5).unwrap();
    assert_eq!(store.access().tokens.len(), 2);
    for i in 2..100 {
        store.create_token("ada", token(&format!("t{i}"), 0), 5).unwrap();
    }
    let over = store.create_token("ada", token("over", 0), 5).expect_err("over");
    assert_eq!(over.kind(), CatalogErrorKind::AccessLimit);
}

#[cfg(unix)]
#[test]
fn verifiers_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    let _store = CatalogStore::open(&dir, 1).unwrap();
    let mode =
        std::fs::metadata(temp.path().join("catalog.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

fn user(grants: Vec<Grant>) -> User {
    User { id: 2, name: "ada".to_owned(), created_us: 0, enabled: true, password: None, grants }
}

/// SPEC R-2
#[test]
fn patterns_match_names_and_prefixes() {
    for (pattern, stream, topic, does) in [
        ("shop/orders", "shop", "orders", true),
        ("shop/orders", "shop", "orders2", false),
        ("shop/orders2", "shop", "orders", false),
        ("shop/*", "shop", "orders", true),
        ("shop/or*", "shop", "orders", true),
        ("shop/or*", "shop", "o", false),
        ("shop/orders*", "shop", "orders", true),
        ("shop/orders*", "shopp", "orders", false),
        ("shop*", "shop", "orders", true),
        ("shop*", "shops", "orders", true),
        ("sh*", "shop", "orders", true),
        ("*", "shop", "orders", true),
        ("shop", "shop", "orders", false),
        ("shop/", "shop", "orders", false),
        ("", "shop", "orders", false),
        ("shop/orders/*", "shop", "orders", false),
        ("hop/orders", "shop", "orders", false),
    ] {
        assert_eq!(matches(pattern, [stream, "/", topic]), does, "{pattern} {stream}/{topic}");
        let rights =
            user(vec![grant(GrantScope::Topic, pattern, 1)]).topic_rights(stream, topic);
        assert_eq!(rights.has(Rights::READ), does);
    }
}

/// SPEC
#[test]
fn wider_grants_cover_what_is_within() {
    let of = |scope, pattern, rights| user(vec![grant(scope, pattern, rights)]);
    let stream = of(GrantScope::Stream, "shop", 1);
    assert!(stream.topic_rights("shop", "orders").has(Rights::READ));
    assert!(stream.stream_rights("shop").has(Rights::READ));
    assert!(stream.topic_rights("shops", "orders").is_empty());
    assert!(stream.group_rights("shop").is_empty() && stream.server_rights().is_empty());

    let server = of(GrantScope::Server, "", 2);
    assert!(server.topic_rights("a", "b").has(Rights::WRITE));
    assert!(server.group_rights("g").has(Rights::WRITE));
    assert!(!server.server_rights().has(Rights::ADMIN));

    let topic = of(GrantScope::Topic, "shop/or*", 1);
    assert!(topic.stream_rights("shop").is_empty() && topic.sees_stream("shop"));
    assert!(!topic.sees_stream("shops"));
    assert!(of(GrantScope::Topic, "sh*", 1).sees_stream("shop"));

    let root = User { name: ROOT.to_owned(), ..user(vec![]) };
    assert_eq!(root.server_rights(), Rights::ALL);
    // Rights of several grants add up.
    let both =
        user(vec![grant(GrantScope::Topic, "a/*", 1), grant(GrantScope::Topic, "a/b", 2)]);
    assert_eq!(both.topic_rights("a", "b"), Rights(3));
}
