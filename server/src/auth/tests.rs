//! What an attempt needs to be right, and how long an address waits that guesses.

use std::net::SocketAddr;

use tidewire_protocol::auth::{Exchange, Key, Token};
use tidewire_protocol::error::Code;
use tidewire_protocol::message::Auth as Attempt;
use tidewire_storage::DataDir;
use tidewire_storage::access::{NewToken, Password};

use super::*;
use crate::rt::Peer;

const NONCE: &[u8] = &[7; 32];

struct World {
    _dir: (tempfile::TempDir, DataDir),
    store: CatalogStore,
}

fn world() -> World {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    let mut store = CatalogStore::open(&dir, 1).unwrap();
    store.create_user(ROOT, None, &[], 1).unwrap();
    let password = Password {
        salt: vec![1; 16],
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
        verifier: Key::new([1; 32]).verifier(),
    };
    store.create_user("ada", Some(password), &[], 1).unwrap();
    for (name, expires_us) in [("forever", 0), ("short", 100)] {
        let verifier = Key::new([2; 32]).verifier();
        let new = NewToken { name: name.to_owned(), expires_us, verifier };
        store.create_token("ada", new, 1).unwrap();
    }
    World { _dir: (temp, dir), store }
}

fn attempt(method: u32, user: &str, token: u64, key: u8) -> Attempt {
    let mut attempt =
        Attempt { method, user: user.to_owned(), token, nonce: vec![9; 32], proof: Vec::new() };
    let exchange = Exchange {
        method,
        user,
        token,
        server_nonce: NONCE,
        client_nonce: &attempt.nonce,
        binding: &[],
    };
    attempt.proof = Key::new([key; 32]).proof(&exchange).to_vec();
    attempt
}

const LOCAL: Peer = Peer::Unix { uid: 1, owner: true };

fn code(world: &World, attempt: &Attempt, methods: u32, now_us: i64) -> Result<String, Code> {
    judge(&world.store.access(), attempt, methods, NONCE, &LOCAL, now_us)
        .map(|(login, reply)| {
            assert_eq!(login.user.name, reply.user);
            reply.user
        })
        .map_err(|error| error.code)
}

const REMOTE: u32 = method::PASSWORD | method::TOKEN;

/// SPEC
#[test]
fn the_right_proof_comes_in_and_no_other() {
    let world = world();
    let ada = Ok("ada".to_owned());
    assert_eq!(code(&world, &attempt(method::PASSWORD, "ada", 0, 1), REMOTE, 5), ada);
    assert_eq!(code(&world, &attempt(method::TOKEN, "", 1, 2), REMOTE, 5), ada);
    assert_eq!(code(&world, &attempt(method::TOKEN, "ada", 1, 2), REMOTE, 5), ada);
    let no = Err(Code::AUTH_FAILED);
    for bad in [
        attempt(method::PASSWORD, "ada", 0, 2),
        attempt(method::PASSWORD, "eve", 0, 1),
        attempt(method::PASSWORD, "", 0, 1),
        attempt(method::PASSWORD, "ada", 1, 1),
        // Root has no password, which is not an empty one.
        attempt(method::PASSWORD, ROOT, 0, 0),
        attempt(method::TOKEN, "", 1, 1),
        attempt(method::TOKEN, ROOT, 1, 2),
        attempt(method::TOKEN, "", 99, 2),
        attempt(method::TOKEN | method::PASSWORD, "ada", 0, 1),
        attempt(0, "ada", 0, 1),
        attempt(64, "ada", 0, 1),
        Attempt { nonce: vec![9; 15], ..attempt(method::PASSWORD, "ada", 0, 1) },
        Attempt { proof: Vec::new(), ..attempt(method::PASSWORD, "ada", 0, 1) },
        // A proof for one nonce is none for another.
        Attempt { nonce: vec![8; 32], ..attempt(method::PASSWORD, "ada", 0, 1) },
    ] {
        assert_eq!(code(&world, &bad, REMOTE, 5), no, "{bad:?}");
    }
}

/// SPEC A-2: only where the server offered it, and with nothing that could mean something else.
#[test]
fn the_transport_counts_only_where_it_was_offered() {
    let world = world();
    let local = REMOTE | method::TRANSPORT;
    let own = Attempt {
        nonce: Vec::new(),
        proof: Vec::new(),
        ..attempt(method::TRANSPORT, "", 0, 0)
    };
    assert_eq!(code(&world, &own, local, 5), Ok(ROOT.to_owned()));
    assert_eq!(code(&world, &own, REMOTE, 5), Err(Code::AUTH_FAILED));
    for bad in [
        Attempt { user: "ada".to_owned(), ..own.clone() },
        Attempt { token: 1, ..own.clone() },
        Attempt { nonce: vec![1; 16], ..own.clone() },
        Attempt { proof: vec![1; 32], ..own.clone() },
    ] {
        assert_eq!(code(&world, &bad, local, 5), Err(Code::AUTH_FAILED));
    }
    let peer = |owner| Peer::Unix { uid: 1, owner };
    let mut world = world;
    let auth = Auth::new(true, &mut world.store).unwrap();
    let methods = |peer| auth.challenge(&peer).unwrap().expect("one").methods;
    assert_eq!(methods(peer(true)), local);
    assert_eq!(methods(peer(false)), REMOTE);
    assert_eq!(methods(Peer::Tcp("127.0.0.1:1".parse().unwrap())), REMOTE);
    let tls = |user: Option<&str>| Peer::Tls {
        address: "127.0.0.1:1".parse().unwrap(),
        user: user.map(Into::into),
        binding: Box::new([7; 32]),
    };
    assert_eq!(methods(tls(None)), REMOTE);
    assert_eq!(methods(tls(Some("ada"))), local);
    let nonces = [(); 2].map(|()| auth.challenge(&peer(true)).unwrap().expect("one").nonce);
    assert_ne!(nonces[0], nonces[1]);
}

/// SPEC A-5: what was made for one connection is good on no other, and whoever has shown a
/// certificate is the user that it names.
#[test]
fn a_login_is_bound_to_its_connection() {
    let world = world();
    let access = world.store.access();
    let peer = |user: Option<&str>| Peer::Tls {
        address: "127.0.0.1:1".parse().unwrap(),
        user: user.map(Into::into),
        binding: Box::new([7; 32]),
    };
    let judged = |attempt: &Attempt, peer: &Peer| {
        let methods = REMOTE | method::TRANSPORT;
        judge(&access, attempt, methods, NONCE, peer, 5)
            .map(|(login, _)| login.user.name.clone())
            .map_err(|error| error.code)
    };
    let elsewhere = attempt(method::PASSWORD, "ada", 0, 1);
    assert_eq!(judged(&elsewhere, &LOCAL), Ok("ada".to_owned()));
    assert_eq!(judged(&elsewhere, &peer(None)), Err(Code::AUTH_FAILED));
    let own = Attempt {
        nonce: Vec::new(),
        proof: Vec::new(),
        ..attempt(method::TRANSPORT, "", 0, 0)
    };
    assert_eq!(judged(&own, &peer(Some("ada"))), Ok("ada".to_owned()));
    let named = |user: &str| Attempt { user: user.to_owned(), ..own.clone() };
    assert_eq!(judged(&named("ada"), &peer(Some("ada"))), Ok("ada".to_owned()));
    assert_eq!(judged(&named("root"), &peer(Some("ada"))), Err(Code::AUTH_FAILED));
    assert_eq!(judged(&own, &peer(Some("eve"))), Err(Code::AUTH_FAILED));
    assert_eq!(judged(&own, &peer(None)), Err(Code::AUTH_FAILED));
}

/// SPEC A-7: why it does not help is told only to who has the secret.
#[test]
fn disabled_and_expired_are_told_to_who_has_the_secret() {
    let mut world = world();
    assert_eq!(code(&world, &attempt(method::TOKEN, "", 2, 2), REMOTE, 99), Ok("ada".into()));
    let expired = code(&world, &attempt(method::TOKEN, "", 2, 2), REMOTE, 100);
    assert_eq!(expired, Err(Code::TOKEN_EXPIRED));
    let guessed = code(&world, &attempt(method::TOKEN, "", 2, 3), REMOTE, 100);
    assert_eq!(guessed, Err(Code::AUTH_FAILED));
    world.store.enable_user("ada", false).unwrap();
    for (attempt, expected) in [
        (attempt(method::PASSWORD, "ada", 0, 1), Code::USER_DISABLED),
        (attempt(method::TOKEN, "", 1, 2), Code::USER_DISABLED),
        (attempt(method::PASSWORD, "ada", 0, 2), Code::AUTH_FAILED),
    ] {
        assert_eq!(code(&world, &attempt, REMOTE, 5), Err(expected));
    }
}

/// SPEC A-3
#[test]
fn the_salt_does_not_tell_who_exists() {
    let mut world = world();
    let auth = Auth::new(true, &mut world.store).unwrap();
    let ada = salt(&auth, "ada");
    assert_eq!(ada.salt, vec![1; 16]);
    let eve = salt(&auth, "eve");
    assert_eq!(
        (eve.salt.len(), eve.memory_kib, eve.iterations, eve.parallelism),
        (16, ada.memory_kib, ada.iterations, ada.parallelism)
    );
    // The same each time, also after a restart, and another for another name.
    let again = Auth::new(true, &mut world.store).unwrap();
    assert_eq!(salt(&again, "eve"), eve);
    assert_ne!(salt(&auth, "eva").salt, eve.salt);
    assert_ne!(salt(&auth, ROOT).salt, eve.salt);
}

/// SPEC A-8
#[test]
fn a_login_is_as_good_as_what_it_was_made_with() {
    let mut world = world();
    let login = |world: &World, attempt: &Attempt| {
        judge(&world.store.access(), attempt, REMOTE, NONCE, &LOCAL, 5).expect("in").0
    };
    let by_password = login(&world, &attempt(method::PASSWORD, "ada", 0, 1));
    let by_token = login(&world, &attempt(method::TOKEN, "", 2, 2));
    let renewed = |world: &World, login: &Login, now_us| {
        login.renewed(&world.store.access(), now_us).map(|login| login.user.enabled)
    };
    assert_eq!(renewed(&world, &by_password, 1_000), Ok(true));
    assert_eq!(renewed(&world, &by_token, 99), Ok(true));
    assert_eq!(renewed(&world, &by_token, 100), Err(Refusal::Expired));
    assert_eq!(by_token.deadline(Time::ZERO, 60), Some(Time::from_nanos(40_000)));
    assert_eq!(by_password.deadline(Time::ZERO, 60), None);

    let other = Password {
        salt: vec![3; 16],
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
        verifier: Key::new([5; 32]).verifier(),
    };
    world.store.change_password("ada", other).unwrap();
    assert_eq!(renewed(&world, &by_password, 5), Err(Refusal::Gone));
    assert_eq!(renewed(&world, &by_token, 5), Ok(true));
    world.store.delete_token(2).unwrap();
    assert_eq!(renewed(&world, &by_token, 5), Err(Refusal::Gone));
    let by_token = login(&world, &attempt(method::TOKEN, "", 1, 2));
    world.store.enable_user("ada", false).unwrap();
    assert_eq!(renewed(&world, &by_token, 5), Err(Refusal::Disabled));
    world.store.delete_user("ada").unwrap();
    assert_eq!(renewed(&world, &by_token, 5), Err(Refusal::Gone));
    // Another of the same name is another user.
    world.store.create_user("ada", None, &[], 9).unwrap();
    assert_eq!(renewed(&world, &by_token, 5), Err(Refusal::Gone));
}

#[test]
fn the_first_start_makes_root_and_one_token_once() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    let mut store = CatalogStore::open(&dir, 1).unwrap();
    let text = first_start(&mut store, 1).unwrap().expect("the first");
    let token = Token::parse(&text).unwrap().expect("a token");
    assert_eq!(store.access().tokens[&token.id].verifier, token.key.verifier());
    assert!(first_start(&mut store, 2).unwrap().is_none());
    assert_eq!(store.access().tokens.len(), 1);
}

fn ms(ms: u32) -> Time {
    Time::ZERO.plus_ms(ms)
}

/// SPEC A-7
#[test]
fn who_guesses_waits_longer_and_longer_in_line() {
    let attempts = Attempts::default();
    let source = Source::V4(1);
    let mut now = ms(1);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let at = attempts.take_place(source, now).expect("in line");
        pauses.push(at.as_nanos().saturating_sub(now.as_nanos()) / 1_000_000);
        now = at;
    }
    assert_eq!(pauses, [0, 100, 200, 400, 800, 1_600, 3_200, 4_000, 4_000]);
    // All at once they wait as long.
    let crowd: Vec<_> =
        (0..40).filter_map(|_| attempts.take_place(Source::V4(3), now)).collect();
    let waits = crowd.iter().map(|at| (at.as_nanos() - now.as_nanos()) / 1_000_000);
    assert_eq!(waits.collect::<Vec<_>>(), [0, 100, 300, 700, 1_500, 3_100]);
    // Through more connections it is no faster, and the line has an end.
    let places: Vec<_> = (0..10).filter_map(|_| attempts.take_place(source, now)).collect();
    assert!(places.windows(2).all(|two| two[1] >= two[0].plus_ms(4_000)), "{places:?}");
    assert!(places.len() < 4);
    // Who is right leaves no trace, however often.
    for _ in 0..100 {
        assert_eq!(attempts.take_place(Source::V4(4), now), Some(now));
        attempts.succeeded(Source::V4(4));
    }
    // Others are not concerned, and it is forgotten.
    assert_eq!(attempts.take_place(Source::V4(2), now), Some(now));
    let later = now.plus_ms(200_000);
    assert_eq!(attempts.take_place(source, later), Some(later));
}

#[test]
fn no_more_addresses_are_remembered_than_there_is_room_for() {
    let attempts = Attempts::default();
    attempts.take_place(Source::V4(0), ms(1));
    attempts.take_place(Source::V4(0), ms(1));
    for network in 0..40_000 {
        attempts.take_place(Source::V6(network), ms(2));
    }
    assert!(attempts.remembered() <= 16_384);
    // The one that failed most is the last to be forgotten.
    assert!(attempts.take_place(Source::V4(0), ms(2)).expect("in line") > ms(2));
}

#[test]
fn an_address_counts_by_what_one_host_has() {
    let of = |text: &str| Peer::Tcp(text.parse::<SocketAddr>().unwrap()).source();
    assert_eq!(of("1.2.3.4:1"), of("1.2.3.4:2"));
    assert_ne!(of("1.2.3.4:1"), of("1.2.3.5:1"));
    assert_eq!(of("[::ffff:1.2.3.4]:1"), of("1.2.3.4:1"));
    assert_eq!(of("[2001:db8::1]:1"), of("[2001:db8::ffff:1]:1"));
    assert_ne!(of("[2001:db8::1]:1"), of("[2001:db8:0:1::1]:1"));
}
