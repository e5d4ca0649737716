//! The exchange by which a client shows who it is, with whatever bytes in its place.
//!
//! Bytes after the first are frames of the client's, behind a right handshake or in its place. What
//! makes an attempt right is judged as a server does it, with one user and one token.

use tidewire_protocol::auth::{Exchange, Key, method};
use tidewire_protocol::connection::{
    Challenge, ClientConfig, ClientConnection, ServerConfig, ServerConnection, ServerEvent,
    Time,
};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{AnyRequest, Auth, AuthReply, AuthSaltReply};

use crate::connections::{chunk_len, greet};

/// The server's random bytes: always the same, so that the corpus has attempts that are right.
pub const SERVER_NONCE: [u8; 32] = [5; 32];
/// The token that there is.
pub const TOKEN: u64 = 7;

/// The key of the one user's password, and of the token.
pub fn key() -> Key {
    Key::new([3; 32])
}

/// A server that asks who is there.
pub fn server() -> ServerConnection {
    let methods = method::PASSWORD | method::TOKEN;
    let challenge = Challenge { methods, nonce: SERVER_NONCE.to_vec() };
    ServerConnection::with_challenge(ServerConfig::default().into(), Time::ZERO, challenge)
}

/// What of an attempt its proof is for.
pub fn exchange(attempt: &Auth) -> Exchange<'_> {
    Exchange {
        method: attempt.method,
        user: &attempt.user,
        token: attempt.token,
        server_nonce: &SERVER_NONCE,
        client_nonce: &attempt.nonce,
        binding: &[],
    }
}

/// Nothing is carried out for a stranger; nobody comes in without the very bytes that the key
/// makes; who does not come in is let go after few attempts, and in time.
pub(crate) fn authentication(data: &[u8]) {
    let mut server = server();
    let (shaken, rest) = greet(data);
    let mut handshake = Vec::new();
    if shaken {
        let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
        client.poll_transmit(&mut handshake);
    }
    let (mut known, mut steps, mut closed) = (false, 0, 0);
    let mut tickets = Vec::new();
    for piece in handshake.iter().map(|part| &part[..]).chain(rest.chunks(chunk_len(data))) {
        let mut buf = server.take_read_buf();
        if !known {
            let most = 2 * limits::MAX_HANDSHAKE_FRAME_LEN as usize + (8 << 10);
            assert!(buf.capacity() <= most, "{} bytes for a stranger", buf.capacity());
        }
        buf.extend_from_slice(piece);
        server.handle_input(Time::ZERO, buf);
        while let Some(event) = server.poll_event() {
            assert_eq!(closed, 0, "nothing follows the end");
            match event {
                ServerEvent::Auth(ticket, AnyRequest::AuthSalt(_)) => {
                    steps += 1;
                    assert!(!known, "who is known is not asked");
                    let salt = vec![1; 16];
                    let reply = AuthSaltReply {
                        salt,
                        memory_kib: limits::MIN_ARGON2_MEMORY_KIB,
                        iterations: 1,
                        parallelism: 1,
                    };
                    server.answer_salt(ticket, &reply);
                }
                ServerEvent::Auth(ticket, AnyRequest::Auth(attempt)) => {
                    steps += 1;
                    assert!(!known, "who is known is not asked");
                    let named = match attempt.method {
                        method::PASSWORD => attempt.user == "ada" && attempt.token == 0,
                        method::TOKEN => attempt.token == TOKEN,
                        _ => false,
                    };
                    let exchange = exchange(&attempt);
                    if named && key().verifier().accepts(&exchange, &attempt.proof) {
                        assert_eq!(attempt.proof, key().proof(&exchange), "another proof");
                        known = true;
                        let signature = key().verifier().signature(&exchange).to_vec();
                        let user = "ada".to_owned();
                        server.authenticated(ticket, &AuthReply { user, signature });
                    } else {
                        server.refuse(ticket, &Error::new(Code::AUTH_FAILED, "no"));
                        assert!(server.is_over());
                    }
                }
                ServerEvent::Auth(_, other) => panic!("{other:?} is no step of a login"),
                ServerEvent::Ready(_) => assert!(known, "ready for a stranger"),
                ServerEvent::Request(ticket, ..) => {
                    assert!(known, "carried out for a stranger");
                    tickets.push(ticket);
                }
                ServerEvent::Closed(_) => closed += 1,
                _ => assert!(known, "an event for a stranger"),
            }
        }
    }
    assert!(steps <= limits::MAX_AUTH_REQUESTS, "{steps} steps of one connection");
    for ticket in tickets {
        server.reply_error(ticket, &Error::new(Code::INTERNAL, "x"));
    }
    if !known {
        server.handle_timeout(Time::ZERO.plus_ms(limits::HANDSHAKE_TIMEOUT_MS));
    }
    server.handle_eof();
    while let Some(event) = server.poll_event() {
        closed += i32::from(matches!(event, ServerEvent::Closed(_)));
    }
    assert_eq!(closed, 1);
}
