//! Saying who the client is.
//!
//! Owns where a secret comes from, which way to log in is taken, and the two steps of it; what is
//! computed is the protocol's `auth`. A password is stretched here, on a thread that may block.
//! The one invariant: a secret leaves this module as a proof only.

use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, Version};
use tidewire_protocol::auth::stretching::{ITERATIONS, MEMORY_KIB, PARALLELISM, SALT_LEN};
use tidewire_protocol::auth::{
    self, Exchange, KEY_LEN, Key, NONCE_LEN, Secret, Token, is_signature, method,
};
use tidewire_protocol::message::{
    Auth, AuthReply, AuthSalt, AuthSaltReply, HelloReply, PasswordVerifier,
};
use tidewire_protocol::url::Credentials;

use crate::connection::Connection;
use crate::error::{Code, Error};

/// Most bytes of a file with a secret that are read.
const MAX_SECRET_BYTES: u64 = 4_096;

/// Who logs in, and where the secret is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Login {
    /// Empty if nobody is named.
    pub user: String,
    pub secret: Option<Secret>,
    /// Where it is if it is not given.
    pub secret_file: Option<PathBuf>,
}

impl Login {
    /// Of a URL, for what the options do not say.
    pub(crate) fn new(
        user: String,
        secret_file: String,
        secret: Option<Secret>,
        url: Option<Credentials>,
    ) -> Self {
        let (url_user, url_secret) = url.map_or((String::new(), None), |credentials| {
            (credentials.user, Some(credentials.secret))
        });
        let secret_file = (!secret_file.is_empty()).then(|| PathBuf::from(secret_file));
        // What was given as such counts before a file, and both before the URL.
        let secret = match (secret, &secret_file) {
            (None, None) => url_secret,
            (secret, _) => secret,
        };
        Self { user: if user.is_empty() { url_user } else { user }, secret, secret_file }
    }

    async fn secret(&self) -> Result<Option<Secret>, Error> {
        match (&self.secret, &self.secret_file) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(path)) => read_secret(path.clone()).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Logs in on a connection whose server asks for it.
    pub(crate) async fn run(
        &self,
        connection: &Connection,
        hello: &HelloReply,
        timeout_ms: u32,
    ) -> Result<(), Error> {
        let Some(secret) = self.secret().await? else {
            return self.by_transport(connection, hello, timeout_ms).await;
        };
        let nonce = random::<NONCE_LEN>()?;
        let mut attempt = Auth {
            method: method::TOKEN,
            user: self.user.clone(),
            token: 0,
            nonce: nonce.to_vec(),
            proof: Vec::new(),
        };
        let key = match Token::parse(&secret)? {
            Some(token) => {
                attempt.token = token.id;
                token.key
            }
            None => {
                attempt.method = method::PASSWORD;
                self.password_key(connection, secret, timeout_ms).await?
            }
        };
        if hello.auth & attempt.method == 0 {
            return Err(Error::new(
                Code::AUTH_REQUIRED,
                "the server takes neither passwords nor tokens here",
            ));
        }
        let verifier = key.verifier();
        let exchange = Exchange {
            method: attempt.method,
            user: &self.user,
            token: attempt.token,
            server_nonce: &hello.nonce,
            client_nonce: &nonce,
            binding: connection.binding(),
        };
        attempt.proof = key.proof(&exchange).to_vec();
        let signature = verifier.signature(&exchange);
        let reply: AuthReply = connection.authenticate(&attempt, timeout_ms).await?;
        // SPEC A-5
        if !is_signature(&signature, &reply.signature) {
            return Err(Error::new(
                Code::AUTH_FAILED,
                "the server could not show that it knows this user or token: it is another server",
            ));
        }
        Ok(())
    }

    /// Without a secret, by what the transport has shown.
    async fn by_transport(
        &self,
        connection: &Connection,
        hello: &HelloReply,
        timeout_ms: u32,
    ) -> Result<(), Error> {
        if hello.auth & method::TRANSPORT == 0 {
            return Err(Error::new(
                Code::AUTH_REQUIRED,
                "the server asks for credentials, and none were given: they stand in the URL \
                 (tidewire://user:password@host or tidewire://TOKEN@host), or in the file that \
                 the option secret_file names",
            ));
        }
        let attempt = Auth {
            method: method::TRANSPORT,
            user: self.user.clone(),
            token: 0,
            nonce: Vec::new(),
            proof: Vec::new(),
        };
        connection.authenticate(&attempt, timeout_ms).await.map(drop)
    }

    /// The key of the password, as the server says it is computed.
    async fn password_key(
        &self,
        connection: &Connection,
        secret: Secret,
        timeout_ms: u32,
    ) -> Result<Key, Error> {
        if self.user.is_empty() {
            return Err(Error::new(
                Code::AUTH_FAILED,
                "there is a password but no user: they stand in the URL as user:password@",
            ));
        }
        let ask = AuthSalt { user: self.user.clone() };
        let reply: AuthSaltReply = connection.authenticate(&ask, timeout_ms).await?;
        let AuthSaltReply { salt, memory_kib, iterations, parallelism } = reply;
        // SPEC A-3
        auth::check_argon2(&salt, memory_kib, iterations, parallelism)
            .map_err(|error| Error::from(error).about("the server asks for"))?;
        blocking(move || stretch(&secret, &salt, memory_kib, iterations, parallelism)).await
    }
}

/// What a server is given to keep of a new password.
///
/// # Errors
/// `INVALID_ARGUMENT` if it is empty or could be taken for a token.
pub(crate) async fn new_verifier(password: &Secret) -> Result<PasswordVerifier, Error> {
    if password.expose().is_empty() || password.expose().starts_with(auth::TOKEN_PREFIX) {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("a password is not empty, and does not begin with {}", auth::TOKEN_PREFIX),
        ));
    }
    let salt = random::<SALT_LEN>()?.to_vec();
    let (password, with) = (password.clone(), salt.clone());
    let key = blocking(move || stretch(&password, &with, MEMORY_KIB, ITERATIONS, PARALLELISM))
        .await?;
    let verifier = key.verifier();
    Ok(PasswordVerifier {
        salt,
        memory_kib: MEMORY_KIB,
        iterations: ITERATIONS,
        parallelism: PARALLELISM,
        stored_key: verifier.stored_key.to_vec(),
        server_key: verifier.server_key.to_vec(),
    })
}

/// The key of a new token.
pub(crate) fn new_key() -> Result<Key, Error> {
    random::<KEY_LEN>().map(Key::new)
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Code::INTERNAL, format!("the system gives no random bytes: {error}"))
    })?;
    Ok(bytes)
}

// SPEC A-3
fn stretch(
    secret: &Secret,
    salt: &[u8],
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
) -> Result<Key, Error> {
    let failed = |error: argon2::Error| {
        Error::new(Code::INVALID_ARGUMENT, format!("Argon2id cannot be computed: {error}"))
    };
    let params =
        Params::new(memory_kib, iterations, parallelism, Some(KEY_LEN)).map_err(failed)?;
    let mut key = [0; KEY_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret.expose().as_bytes(), salt, &mut key)
        .map_err(failed)?;
    Ok(Key::new(key))
}

async fn read_secret(path: PathBuf) -> Result<Secret, Error> {
    blocking(move || {
        use std::io::Read as _;
        let shown = path.display();
        let failed = |why: String| {
            Error::new(Code::INVALID_OPTION, format!("the secret file {shown} {why}"))
        };
        let mut text = String::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(MAX_SECRET_BYTES).read_to_string(&mut text))
            .map_err(|error| failed(format!("cannot be read: {error}")))?;
        match text.lines().next().filter(|line| !line.is_empty()) {
            Some(line) => Ok(Secret::new(line)),
            None => Err(failed("has nothing in its first line".to_owned())),
        }
    })
    .await
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(Code::INTERNAL, format!("a thread of the client ended: {error}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEC A-3: the number is that of the reference implementation in C.
    #[test]
    fn a_password_is_stretched_as_others_do_it() {
        let secret = Secret::new("correct horse");
        let key = stretch(&secret, b"0123456789abcdef", 19_456, 2, 1).expect("a key");
        let expected = "ae4d8c8b713876044c8347c76986a9b5655944aaacfffe9bea4dff9e7b6a1899";
        let token = Token { id: 1, key }.text();
        assert_eq!(token.expose(), format!("twt_1_{expected}"));
    }

    #[test]
    fn what_is_nearer_counts() {
        let url = || Some(Credentials { user: "u".into(), secret: Secret::new("url") });
        let login = |user: &str, file: &str, secret: Option<&str>| {
            Login::new(user.into(), file.into(), secret.map(Secret::new), url())
        };
        let plain = login("", "", None);
        assert_eq!((plain.user.as_str(), plain.secret), ("u", Some(Secret::new("url"))));
        assert_eq!(login("v", "", Some("own")).secret, Some(Secret::new("own")));
        let file = login("", "/f", None);
        assert!(file.secret.is_none() && file.secret_file.is_some());
        assert_eq!(login("", "/f", Some("own")).secret, Some(Secret::new("own")));
        assert_eq!(login("v", "", None).user, "v");
    }

    #[tokio::test]
    async fn a_secret_file_is_its_first_line() {
        let dir = std::env::temp_dir().join(format!("tidewire-secret-{}", std::process::id()));
        std::fs::write(&dir, "hunter2\nnotes\n").expect("written");
        let read = read_secret(dir.clone()).await.expect("read");
        assert_eq!(read.expose(), "hunter2");
        std::fs::write(&dir, "\n").expect("written");
        let error = read_secret(dir.clone()).await.expect_err("empty");
        assert_eq!(error.code(), Code::INVALID_OPTION);
        std::fs::remove_file(&dir).expect("removed");
        assert!(
            read_secret(dir).await.expect_err("gone").to_string().contains("cannot be read")
        );
    }

    #[tokio::test]
    async fn a_password_is_no_token_and_not_empty() {
        for bad in ["", "twt_1_00"] {
            let error = new_verifier(&Secret::new(bad)).await.expect_err(bad);
            assert_eq!(error.code(), Code::INVALID_ARGUMENT);
        }
        let new = new_verifier(&Secret::new("good")).await.expect("a verifier");
        auth::check_password(&new).expect("within the limits");
    }
}
