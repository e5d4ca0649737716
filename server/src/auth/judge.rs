//! Whether an attempt to log in is right.

use std::sync::Arc;

use tidewire_protocol::auth::stretching::{ITERATIONS, MEMORY_KIB, PARALLELISM, SALT_LEN};
use tidewire_protocol::auth::{Exchange, NONCE_RANGE, Verifier, method};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Auth as Attempt, AuthReply, AuthSaltReply};
use tidewire_storage::access::{Access, Password, User};

use super::{Auth, Login, Refusal, Via, check_token, check_user, transport_user};
use crate::rt::Peer;

/// How the key of a user's password is computed; the same each time, and of the same form whether
/// or not there is such a user.
// SPEC A-3
pub(crate) fn salt(auth: &Auth, user: &str) -> AuthSaltReply {
    let access = auth.access.load();
    if let Some(Password { salt, memory_kib, iterations, parallelism, .. }) =
        access.user(user).and_then(|user| user.password.as_ref())
    {
        return AuthSaltReply {
            salt: salt.clone(),
            memory_kib: *memory_kib,
            iterations: *iterations,
            parallelism: *parallelism,
        };
    }
    let exchange = Exchange {
        method: 0,
        user,
        token: 0,
        server_nonce: b"salt",
        client_nonce: &[],
        binding: &[],
    };
    let key = Verifier { stored_key: [0; 32], server_key: auth.salt_key };
    AuthSaltReply {
        salt: key.signature(&exchange)[..SALT_LEN].to_vec(),
        memory_kib: MEMORY_KIB,
        iterations: ITERATIONS,
        parallelism: PARALLELISM,
    }
}

/// Judges an attempt: whom the connection is taken for from now on, and what it is told.
///
/// # Errors
/// `AUTH_FAILED`, without saying why. With the right proof, why it does not help.
// SPEC
pub(crate) fn judge(
    access: &Access,
    attempt: &Attempt,
    methods: u32,
    nonce: &[u8],
    peer: &Peer,
    now_us: i64,
) -> Result<(Login, AuthReply), Error> {
    if attempt.method & methods == 0 || !attempt.method.is_power_of_two() {
        return Err(failed());
    }
    if attempt.method == method::TRANSPORT {
        return transport(access, attempt, peer);
    }
    if !NONCE_RANGE.contains(&attempt.nonce.len()) {
        return Err(failed());
    }
    let exchange = Exchange {
        method: attempt.method,
        user: &attempt.user,
        token: attempt.token,
        server_nonce: nonce,
        client_nonce: &attempt.nonce,
        binding: peer.binding(),
    };
    // One that nobody has the key of: so an unknown user costs what a known one does.
    let nobody = Verifier { stored_key: [0; 32], server_key: [0; 32] };
    let found = find(access, attempt);
    let verifier = found.as_ref().map_or(&nobody, |found| &found.verifier);
    let accepted = verifier.accepts(&exchange, &attempt.proof);
    let Some(found) = found.filter(|_| accepted) else { return Err(failed()) };
    let valid = match &found.via {
        Via::Token(id) => {
            access.tokens.get(id).map_or(Err(Refusal::Gone), |t| check_token(t, now_us))
        }
        Via::Password(_) | Via::Transport => Ok(()),
    };
    valid.and_then(|()| check_user(&found.user)).map_err(|refusal| refusal.error())?;
    let reply = AuthReply {
        user: found.user.name.clone(),
        signature: found.verifier.signature(&exchange).to_vec(),
    };
    Ok((Login { user: found.user, via: found.via, expires_us: found.expires_us }, reply))
}

fn transport(
    access: &Access,
    attempt: &Attempt,
    peer: &Peer,
) -> Result<(Login, AuthReply), Error> {
    let name = transport_user(peer).ok_or_else(failed)?;
    let user = access.user(name).ok_or_else(failed)?;
    let named = attempt.user.is_empty() || attempt.user == name;
    if !named || attempt.token != 0 || !attempt.nonce.is_empty() || !attempt.proof.is_empty() {
        return Err(failed());
    }
    check_user(user).map_err(|refusal| refusal.error())?;
    let login = Login { user: Arc::clone(user), via: Via::Transport, expires_us: 0 };
    Ok((login, AuthReply { user: name.to_owned(), signature: Vec::new() }))
}

struct Found {
    user: Arc<User>,
    via: Via,
    verifier: Verifier,
    expires_us: i64,
}

/// What the attempt names, if there is such a thing.
fn find(access: &Access, attempt: &Attempt) -> Option<Found> {
    if attempt.method == method::TOKEN {
        let token = access.tokens.get(&attempt.token)?;
        let user = access.user_by_id(token.user_id)?;
        (attempt.user.is_empty() || attempt.user == user.name).then(|| Found {
            user: Arc::clone(user),
            via: Via::Token(token.id),
            verifier: token.verifier.clone(),
            expires_us: token.expires_us,
        })
    } else {
        let user = access.user(&attempt.user).filter(|_| attempt.token == 0)?;
        let verifier = user.password.as_ref()?.verifier.clone();
        let via = Via::Password(verifier.stored_key);
        Some(Found { user: Arc::clone(user), via, verifier, expires_us: 0 })
    }
}

fn failed() -> Error {
    Error::new(Code::AUTH_FAILED, "the user, the password or the token is wrong")
}

impl Refusal {
    /// What the client is told.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Gone => Error::new(
                Code::AUTH_FAILED,
                "the user, password or token that this connection was made with is gone",
            ),
            Self::Disabled => Error::new(Code::USER_DISABLED, "the user is disabled"),
            Self::Expired => Error::new(Code::TOKEN_EXPIRED, "the token's time is over"),
        }
    }
}
