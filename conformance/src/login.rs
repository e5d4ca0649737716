//! Logging in by hand, rightly and wrongly: what attacks on a server with credentials are made of.
//!
//! Owns the secrets that such an attack may use, and the AUTH frames made of them. The one
//! invariant: nothing is corrected. A proof that is asked for wrong is sent wrong.

use bytes::BytesMut;
use serde_json::{Value, json};
use tidewire_protocol::auth::{Exchange, Key, Token, method};
use tidewire_protocol::codec::{Reader, Writer};
use tidewire_protocol::message::{
    Auth, AuthReply, Grant, GrantScope, Message, PasswordVerifier, TokenCreate,
    TokenCreateReply, UserCreate,
};

use crate::frames;

/// The user whose secrets attacks have: it may read and write topics, and nothing else.
const USER: &str = "ada";
/// The rights to read and to write.
const READ_AND_WRITE: u32 = 3;
/// The key of that user's password. Nothing is stretched here: a server sees no difference.
const PASSWORD_KEY: [u8; 32] = [0xad; 32];
/// The keys of the tokens that attacks are given.
const TOKEN_KEY: [u8; 32] = [0x70; 32];
/// The client's nonce, unless an attack wants another.
const NONCE: [u8; 32] = [9; 32];

/// Who is known to the server, and what was heard on the wire.
pub struct Secrets {
    root: Token,
    /// The user's token, once an attack has asked for one.
    token: Option<Token>,
    /// How many tokens there were: their names differ.
    made: u64,
    /// What the bystander came in with, and what the server answered.
    heard: Vec<u8>,
    signature: Vec<u8>,
}

impl Secrets {
    pub fn new(root: Token) -> Self {
        Self { root, token: None, made: 0, heard: Vec::new(), signature: Vec::new() }
    }

    /// Remembers a login as somebody on the wire hears it.
    pub fn hear(&mut self, login: &Value, reply: &[u8]) -> Result<(), String> {
        self.heard = frames::hex(login["meta"].as_str().ok_or("a login has fields")?)?;
        self.signature = decode::<AuthReply>(reply)?.signature;
        Ok(())
    }

    /// Creates the user.
    pub fn user() -> Value {
        let verifier = Key::new(PASSWORD_KEY).verifier();
        let grant = Grant {
            scope: GrantScope::Topic,
            pattern: "default/*".to_owned(),
            rights: READ_AND_WRITE,
        };
        typed(&UserCreate {
            name: USER.to_owned(),
            grants: vec![grant],
            password: Some(PasswordVerifier {
                salt: vec![1; 16],
                memory_kib: 19_456,
                iterations: 2,
                parallelism: 1,
                stored_key: verifier.stored_key.to_vec(),
                server_key: verifier.server_key.to_vec(),
            }),
        })
    }

    /// Creates a token of the user's.
    pub fn create_token(&mut self) -> Value {
        self.made += 1;
        let verifier = Key::new(TOKEN_KEY).verifier();
        typed(&TokenCreate {
            user: USER.to_owned(),
            name: format!("token {}", self.made),
            lifetime_ms: 0,
            stored_key: verifier.stored_key.to_vec(),
            server_key: verifier.server_key.to_vec(),
        })
    }

    /// Takes the answer to that.
    pub fn token_created(&mut self, reply: &[u8]) -> Result<(), String> {
        let id = decode::<TokenCreateReply>(reply)?.token.id;
        self.token = Some(Token { id, key: Key::new(TOKEN_KEY) });
        Ok(())
    }

    /// The number of the token that was created last.
    pub fn token_id(&self) -> Result<u64, String> {
        Ok(self.token.as_ref().ok_or("no token was created")?.id)
    }

    /// A frame's description of `{as, user, method, token, client_nonce, server_nonce, proof, cut,
    /// payload, version, flags, correlation, size}`: `as` is `root`, `ada` (by password), `token`
    /// or `heard`; `client_nonce` a length; `server_nonce: other` proves for another connection;
    /// `proof` is `flipped`, `short`, `none`, `zeros` or `signature`; `cut` takes bytes off the
    /// fields.
    pub fn attempt(&self, description: &Value, server_nonce: &[u8]) -> Result<Value, String> {
        let who = description["as"].as_str().unwrap_or("root");
        let (way, user, token, key) = match who {
            "root" => (method::TOKEN, "", self.root.id, self.root.key.clone()),
            "ada" => (method::PASSWORD, USER, 0, Key::new(PASSWORD_KEY)),
            "token" => (method::TOKEN, "", self.token_id()?, Key::new(TOKEN_KEY)),
            "heard" => return Ok(frame(description, self.heard.clone())),
            other => return Err(format!("nobody is known as {other}")),
        };
        let user = match &description["user"] {
            Value::Null => user.to_owned(),
            Value::String(user) => user.clone(),
            long => "x".repeat(long.as_u64().ok_or("a user is a name or a length")? as usize),
        };
        let nonce_len = description["client_nonce"].as_u64().unwrap_or(NONCE.len() as u64);
        let mut attempt = Auth {
            method: description["method"].as_u64().unwrap_or(u64::from(way)) as u32,
            user,
            token: description["token"].as_u64().unwrap_or(token),
            nonce: vec![NONCE[0]; nonce_len as usize],
            proof: Vec::new(),
        };
        let other = [3; 32];
        let proof = key.proof(&Exchange {
            method: attempt.method,
            user: &attempt.user,
            token: attempt.token,
            server_nonce: match description["server_nonce"].as_str() {
                Some("other") => &other,
                _ => server_nonce,
            },
            client_nonce: &attempt.nonce,
            binding: &[],
        });
        attempt.proof = match description["proof"].as_str() {
            None => proof.to_vec(),
            Some("flipped") => [&[proof[0] ^ 1], &proof[1..]].concat(),
            Some("short") => proof[1..].to_vec(),
            Some("none") => Vec::new(),
            Some("zeros") => vec![0; proof.len()],
            Some("signature") => self.signature.clone(),
            Some(other) => return Err(format!("no proof {other}")),
        };
        Ok(frame(description, encode(&attempt)))
    }
}

fn frame(description: &Value, mut meta: Vec<u8>) -> Value {
    let cut = description["cut"].as_u64().unwrap_or(0) as usize;
    meta.truncate(meta.len().saturating_sub(cut));
    let mut frame = json!({"kind": "AUTH", "meta": hex(&meta)});
    for name in ["payload", "version", "flags", "correlation", "channel", "size"] {
        if !description[name].is_null() {
            frame[name] = description[name].clone();
        }
    }
    frame
}

/// A message as a part of an attack.
fn typed<M: Message>(message: &M) -> Value {
    json!({"frame": {"kind": M::KIND.0, "version": M::VERSION, "meta": hex(&encode(message))}})
}

fn encode<M: Message>(message: &M) -> Vec<u8> {
    let mut out = BytesMut::new();
    message.encode(&mut Writer::new(&mut out));
    out.to_vec()
}

/// The fields of a frame.
pub fn decode<M: Message>(frame: &[u8]) -> Result<M, String> {
    M::decode(Reader::new(meta(frame)))
        .map_err(|error| format!("a {} that is none: {error}", M::KIND))
}

fn meta(frame: &[u8]) -> &[u8] {
    frame.get(32..32 + frames::header(frame).meta_len as usize).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is right is taken, and what is asked for wrong is not.
    #[test]
    fn a_proof_is_right_until_it_is_asked_for_wrong() {
        let root = Token { id: 1, key: Key::new([1; 32]) };
        let secrets = Secrets::new(root.clone());
        let judged = |description: Value| {
            let frame = secrets.attempt(&description, &[7; 32]).expect("a frame");
            let meta = frames::hex(frame["meta"].as_str().expect("fields")).expect("hex");
            let attempt = Auth::decode(Reader::new(&meta)).expect("readable");
            let exchange = Exchange {
                method: attempt.method,
                user: &attempt.user,
                token: attempt.token,
                server_nonce: &[7; 32],
                client_nonce: &attempt.nonce,
                binding: &[],
            };
            root.key.verifier().accepts(&exchange, &attempt.proof)
        };
        assert!(judged(json!({})));
        assert!(judged(json!({"as": "root", "user": "root"})));
        for wrong in ["flipped", "short", "none", "zeros"] {
            assert!(!judged(json!({"proof": wrong})), "{wrong}");
        }
        assert!(!judged(json!({"server_nonce": "other"})));
        assert!(!judged(json!({"as": "ada"})));
        assert!(secrets.attempt(&json!({"as": "token"}), &[]).is_err());
    }
}
