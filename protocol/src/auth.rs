//! Logging in: what both sides compute so that a secret never travels.
//!
//! Owns keys, proofs and the text of tokens, all without I/O, clock or randomness. How a key is
//! stretched from a password is the client's alone (Argon2id); a token's secret is a key already.
//! The scheme is SCRAM's (RFC 5802) with SHA-256: what a server keeps ([`Verifier`]) tells whether
//! a proof is right, but is no proof itself. The one invariant: comparisons take as long whatever
//! they find, and nothing here shows a secret when it is printed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::limits;
use crate::message::PasswordVerifier;

/// The bit of each way to authenticate, in the reply to HELLO and in AUTH.
// SPEC A-2
pub mod method {
    /// By the password of a user.
    pub const PASSWORD: u32 = 1;
    /// By an access token.
    pub const TOKEN: u32 = 2;
    /// By what the transport knows of the client.
    pub const TRANSPORT: u32 = 4;
}

/// How new passwords are stretched: OWASP's first choice for Argon2id, tens of milliseconds. A
/// server asks for the same where there is no password, so that nobody learns of that.
// SPEC A-3
pub mod stretching {
    /// Memory, in KiB.
    pub const MEMORY_KIB: u32 = 19_456;
    /// Passes over it.
    pub const ITERATIONS: u32 = 2;
    /// Lanes that may be computed at the same time.
    pub const PARALLELISM: u32 = 1;
    /// Bytes of the salt.
    pub const SALT_LEN: usize = 16;
}

/// Bytes of every key, proof and signature.
pub const KEY_LEN: usize = 32;
/// Bytes of the nonces that this implementation makes.
pub const NONCE_LEN: usize = 32;
/// Fewest and most bytes of a nonce or a salt.
pub const NONCE_RANGE: std::ops::RangeInclusive<usize> = 16..=64;

/// What every token begins with. A password may not, so that one is told from the other.
pub const TOKEN_PREFIX: &str = "twt_";

const CLIENT_KEY: &[u8] = b"tidewire client key";
const SERVER_KEY: &[u8] = b"tidewire server key";
const EXCHANGE: &[u8] = b"tidewire auth 1";

/// A password, the text of a token or of keys. Prints as dots, and is overwritten when it is
/// dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// A key that a secret was stretched to. Prints as dots.
#[derive(Clone)]
pub struct Key([u8; KEY_LEN]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl Key {
    /// Of a token's secret, or of what Argon2id made of a password.
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// What a server keeps of it.
    // SPEC A-4
    pub fn verifier(&self) -> Verifier {
        let client_key = mac(&self.0, &[CLIENT_KEY]);
        Verifier {
            stored_key: Sha256::digest(client_key).into(),
            server_key: mac(&self.0, &[SERVER_KEY]),
        }
    }

    /// The proof for an exchange.
    // SPEC A-5
    pub fn proof(&self, exchange: &Exchange<'_>) -> [u8; KEY_LEN] {
        let client_key = mac(&self.0, &[CLIENT_KEY]);
        let stored_key: [u8; KEY_LEN] = Sha256::digest(client_key).into();
        xor(client_key, exchange.mac(&stored_key))
    }
}

/// What a server keeps of a secret. Whoever has it can try passwords, but cannot log in.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// The hash of the client's key.
    pub stored_key: [u8; KEY_LEN],
    /// The server's key.
    pub server_key: [u8; KEY_LEN],
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(•••)")
    }
}

impl Verifier {
    /// From the fields of a request.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if one has another length than [`KEY_LEN`].
    pub fn new(stored_key: &[u8], server_key: &[u8]) -> Result<Self, Error> {
        match (stored_key.try_into(), server_key.try_into()) {
            (Ok(stored_key), Ok(server_key)) => Ok(Self { stored_key, server_key }),
            _ => Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "a stored key of {} bytes and a server key of {}: each has {KEY_LEN}",
                    stored_key.len(),
                    server_key.len()
                ),
            )),
        }
    }

    /// Whether a proof is right.
    // SPEC A-5
    pub fn accepts(&self, exchange: &Exchange<'_>, proof: &[u8]) -> bool {
        let Ok(proof) = <[u8; KEY_LEN]>::try_from(proof) else { return false };
        let client_key = xor(proof, exchange.mac(&self.stored_key));
        let hash: [u8; KEY_LEN] = Sha256::digest(client_key).into();
        hash.ct_eq(&self.stored_key).into()
    }

    /// The signature by which the client knows that the server has this verifier.
    // SPEC A-5
    pub fn signature(&self, exchange: &Exchange<'_>) -> [u8; KEY_LEN] {
        exchange.mac(&self.server_key)
    }
}

/// What both sides know of one attempt to log in.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// One bit: see [`method`].
    pub method: u32,
    /// The user's name, as the request has it.
    pub user: &'a str,
    /// The token's number, or 0.
    pub token: u64,
    /// `nonce` of the reply to HELLO.
    pub server_nonce: &'a [u8],
    /// `nonce` of AUTH.
    pub client_nonce: &'a [u8],
    /// What binds it to the transport: no bytes, or TLS's exported key.
    pub binding: &'a [u8],
}

impl Exchange<'_> {
    // SPEC A-5
    fn mac(&self, key: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
        let len = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
        mac(
            key,
            &[
                EXCHANGE,
                &self.method.to_le_bytes(),
                &self.token.to_le_bytes(),
                &len(self.user.as_bytes()),
                self.user.as_bytes(),
                &len(self.server_nonce),
                self.server_nonce,
                &len(self.client_nonce),
                self.client_nonce,
                &len(self.binding),
                self.binding,
            ],
        )
    }
}

/// Whether a server's signature is the one that was due.
pub fn is_signature(expected: &[u8; KEY_LEN], signature: &[u8]) -> bool {
    expected.as_slice().ct_eq(signature).into()
}

/// Checks the numbers of Argon2id, from whichever side they come.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the limit.
// SPEC A-3
pub fn check_argon2(
    salt: &[u8],
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
) -> Result<(), Error> {
    let wrong = |text: String| Err(Error::new(Code::INVALID_ARGUMENT, text));
    if !NONCE_RANGE.contains(&salt.len()) {
        return wrong(format!("a salt of {} bytes: it has 16 to 64", salt.len()));
    }
    let memory = limits::MIN_ARGON2_MEMORY_KIB..=limits::MAX_ARGON2_MEMORY_KIB;
    if !memory.contains(&memory_kib) {
        return wrong(format!(
            "{memory_kib} KiB for Argon2id: the limits are {} and {}",
            memory.start(),
            memory.end()
        ));
    }
    let few = 1..=limits::MAX_ARGON2_ITERATIONS;
    if !few.contains(&iterations) || !few.contains(&parallelism) {
        return wrong(format!(
            "{iterations} passes and {parallelism} lanes of Argon2id: each is 1 to {}",
            few.end()
        ));
    }
    // Both within their limits are hours of work still.
    if u64::from(memory_kib) * u64::from(iterations)
        > u64::from(limits::MAX_ARGON2_MEMORY_KIB) * 4
    {
        return wrong(format!("{iterations} passes over {memory_kib} KiB are too much work"));
    }
    Ok(())
}

/// Checks what a client says is the verifier of a password.
///
/// # Errors
/// `INVALID_ARGUMENT`.
pub fn check_password(password: &PasswordVerifier) -> Result<Verifier, Error> {
    let PasswordVerifier { salt, memory_kib, iterations, parallelism, .. } = password;
    check_argon2(salt, *memory_kib, *iterations, *parallelism)?;
    Verifier::new(&password.stored_key, &password.server_key)
}

/// An access token: a number and a key.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its number at its server.
    pub id: u64,
    /// Its secret.
    pub key: Key,
}

impl Token {
    /// The text that stands for it: `twt_`, the number, `_`, and the key in hex.
    // SPEC A-6
    pub fn text(&self) -> Secret {
        let mut text = format!("{TOKEN_PREFIX}{}_", self.id);
        for byte in self.key.0 {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).expect("four bits"));
            }
        }
        Secret::new(text)
    }

    /// Reads the text; `None` if it does not begin as a token does, and so is a password.
    ///
    /// # Errors
    /// `AUTH_FAILED` if it begins so and does not go on as one. The text is not repeated.
    pub fn parse(secret: &Secret) -> Result<Option<Self>, Error> {
        let Some(rest) = secret.0.strip_prefix(TOKEN_PREFIX) else { return Ok(None) };
        let broken =
            || Error::new(Code::AUTH_FAILED, "the token was cut or changed: it cannot be read");
        let (id, hex) = rest.split_once('_').ok_or_else(broken)?;
        let id = id.parse().map_err(|_| broken())?;
        if hex.len() != 2 * KEY_LEN {
            return Err(broken());
        }
        let mut key = [0; KEY_LEN];
        for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let digit = |at: usize| char::from(digits[at]).to_digit(16).ok_or_else(broken);
            *byte = (digit(0)? * 16 + digit(1)?) as u8;
        }
        Ok(Some(Self { id, key: Key(key) }))
    }
}

/// HMAC-SHA-256 of all parts, one after the other.
pub(crate) fn mac(key: &[u8; KEY_LEN], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key will do");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn xor(mut left: [u8; KEY_LEN], right: [u8; KEY_LEN]) -> [u8; KEY_LEN] {
    left.iter_mut().zip(right).for_each(|(left, right)| *left ^= right);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> Exchange<'static> {
        Exchange {
            method: method::PASSWORD,
            user: "ada",
            token: 0,
            server_nonce: &[7; 32],
            client_nonce: &[9; 32],
            binding: &[],
        }
    }

    /// SPEC
    #[test]
    fn a_proof_is_right_for_its_key_and_its_exchange_only() {
        let key = Key::new([1; KEY_LEN]);
        let verifier = key.verifier();
        let proof = key.proof(&exchange());
        assert!(verifier.accepts(&exchange(), &proof));
        assert!(!Key::new([2; KEY_LEN]).verifier().accepts(&exchange(), &proof));
        for other in [
            Exchange { user: "eve", ..exchange() },
            Exchange { token: 1, ..exchange() },
            Exchange { method: method::TOKEN, ..exchange() },
            Exchange { server_nonce: &[8; 32], ..exchange() },
            Exchange { client_nonce: &[8; 32], ..exchange() },
            Exchange { binding: &[0; 32], ..exchange() },
        ] {
            assert!(!verifier.accepts(&other, &proof), "{other:?}");
            assert_ne!(verifier.signature(&other), verifier.signature(&exchange()));
        }
        for len in [0, 31, 33] {
            assert!(!verifier.accepts(&exchange(), &vec![0; len]));
        }
    }

    /// SPEC A-5: what a server keeps, and what was heard of the wire, is no proof.
    #[test]
    fn a_verifier_does_not_log_in() {
        let key = Key::new([1; KEY_LEN]);
        let verifier = key.verifier();
        assert!(!verifier.accepts(&exchange(), &verifier.stored_key));
        assert!(!verifier.accepts(&exchange(), &verifier.signature(&exchange())));
        let replayed = key.proof(&exchange());
        let later = Exchange { server_nonce: &[3; 32], ..exchange() };
        assert!(!verifier.accepts(&later, &replayed));
    }

    /// SPEC A-5: the numbers of the text.
    #[test]
    fn the_example_of_the_text_is_right() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let key = Key::new(std::array::from_fn(|i| i as u8));
        let verifier = key.verifier();
        let spec = include_str!("../SPEC.md");
        for number in [
            hex(&verifier.stored_key),
            hex(&verifier.server_key),
            hex(&key.proof(&exchange())),
            hex(&verifier.signature(&exchange())),
        ] {
            assert!(spec.contains(&number), "SPEC.md lacks {number}");
        }
    }

    /// SPEC A-6
    #[test]
    fn a_token_survives_its_text_and_nothing_else_does() {
        let token = Token { id: 12, key: Key::new(std::array::from_fn(|i| i as u8)) };
        let text = token.text();
        let again = Token::parse(&text).expect("good").expect("a token");
        assert_eq!((again.id, again.key.0), (12, token.key.0));
        assert!(Token::parse(&Secret::new("hunter2")).expect("a password").is_none());
        let whole = text.expose();
        for bad in ["twt_", "twt_1", "twt_x_00", &whole[..whole.len() - 1], "twt_1_é"] {
            let error = Token::parse(&Secret::new(bad)).expect_err(bad);
            assert_eq!(error.code, Code::AUTH_FAILED);
            assert!(!error.to_string().contains(bad), "{error}");
        }
    }

    /// SPEC A-3
    #[test]
    fn argon2_has_limits() {
        assert!(check_argon2(&[0; 16], 19_456, 2, 1).is_ok());
        for (salt, memory, passes, lanes) in [
            (15, 19_456, 2, 1),
            (65, 19_456, 2, 1),
            (16, 8_191, 2, 1),
            (16, 1_048_577, 1, 1),
            (16, 19_456, 0, 1),
            (16, 19_456, 17, 1),
            (16, 19_456, 2, 0),
            (16, 1_048_576, 16, 1),
        ] {
            let error = check_argon2(&vec![0; salt], memory, passes, lanes).expect_err("bad");
            assert_eq!(error.code, Code::INVALID_ARGUMENT);
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let key = Key::new([0xab; KEY_LEN]);
        let token = Token { id: 1, key: key.clone() };
        let shown = format!("{key:?} {token:?} {:?} {:?}", token.text(), key.verifier());
        assert!(!shown.contains("171") && !shown.contains("abab"), "{shown}");
    }
}
