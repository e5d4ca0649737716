//! Connecting: the client's own options, gathered.
//!
//! Leaves reading options to [`options`](crate::options) and trying servers to the
//! [`link`](crate::link). The one invariant: nothing is tried before every option was checked.

use std::sync::Arc;

use tidewire_protocol::auth::Secret;
use tidewire_protocol::connection::ClientConfig;
use tidewire_protocol::options::client as defaults;
use tidewire_protocol::url::Url;
use tracing::Instrument;

use crate::client::Client;
use crate::encryption;
use crate::error::{Code, Error};
use crate::link::{Link, LinkConfig};
use crate::login::{self, Login};
use crate::options::{Settings, option_by_name};
use crate::tls::{Tls, TlsOptions};

/// Where a server listens that was started without options.
const DEFAULT_URL: &str = "tidewire://127.0.0.1:8433";

/// Options of a [`Client`]. What is not set here comes from the URL, then from the environment,
/// then from the defaults.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until connect()"]
pub struct ClientBuilder {
    /// It may hold a secret, which no debug form shows.
    url: Option<Secret>,
    user: Option<String>,
    secret: Option<Secret>,
    secret_file: Option<String>,
    tls_ca_file: Option<String>,
    tls_cert_file: Option<String>,
    tls_key_file: Option<String>,
    tls_danger: Option<String>,
    encryption_keys: Option<Secret>,
    encryption_key_file: Option<String>,
    client_name: Option<String>,
    connect_timeout_ms: Option<u32>,
    request_timeout_ms: Option<u32>,
    heartbeat_ms: Option<u32>,
    retry_backoff_ms: Option<u32>,
    retry_backoff_max_ms: Option<u32>,
}

impl ClientBuilder {
    /// Where the servers are; `tidewire://127.0.0.1:8433` if not set.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(Secret::new(url));
        self
    }

    /// Who logs in; the user of the URL if not set. A token knows its user.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password or token; that of `secret_file` or of the URL if not set.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// A file whose first line is the password or token. It is read at each connection.
    pub fn secret_file(mut self, secret_file: impl Into<String>) -> Self {
        self.secret_file = Some(secret_file.into());
        self
    }

    /// With a URL of `tidewire+tls://`, a file of the certificates that the server's has to lead
    /// to; those that the system trusts if not set.
    pub fn tls_ca_file(mut self, tls_ca_file: impl Into<String>) -> Self {
        self.tls_ca_file = Some(tls_ca_file.into());
        self
    }

    /// A file with a certificate that shows the server who the client is.
    pub fn tls_cert_file(mut self, tls_cert_file: impl Into<String>) -> Self {
        self.tls_cert_file = Some(tls_cert_file.into());
        self
    }

    /// A file with the private key of `tls_cert_file`.
    pub fn tls_key_file(mut self, tls_key_file: impl Into<String>) -> Self {
        self.tls_key_file = Some(tls_key_file.into());
        self
    }

    /// `trust-any-server` takes whoever answers for the server: anybody on the way can then read
    /// and change everything. For trials only.
    pub fn tls_danger(mut self, tls_danger: impl Into<String>) -> Self {
        self.tls_danger = Some(tls_danger.into());
        self
    }

    /// Keys to encrypt batches with ([`ProducerBuilder::encryption_key_id`]) and to read those that
    /// are encrypted: their texts ([`EncryptionKey::text`]), with commas or spaces between them.
    ///
    /// [`ProducerBuilder::encryption_key_id`]: crate::ProducerBuilder::encryption_key_id
    /// [`EncryptionKey::text`]: crate::EncryptionKey::text
    pub fn encryption_keys(mut self, encryption_keys: Secret) -> Self {
        self.encryption_keys = Some(encryption_keys);
        self
    }

    /// A file with such keys, one a line; what follows a `#` is ignored. It is read once, when the
    /// client connects first. Its keys are added to those of `encryption_keys`.
    pub fn encryption_key_file(mut self, encryption_key_file: impl Into<String>) -> Self {
        self.encryption_key_file = Some(encryption_key_file.into());
        self
    }

    /// A name for the server's logs; the program's if not set.
    pub fn client_name(mut self, client_name: impl Into<String>) -> Self {
        self.client_name = Some(client_name.into());
        self
    }

    /// Time to reach a server and finish the handshake, for each address, in milliseconds.
    pub fn connect_timeout_ms(mut self, connect_timeout_ms: u32) -> Self {
        self.connect_timeout_ms = Some(connect_timeout_ms);
        self
    }

    /// Time until an unanswered request fails with its outcome unknown, in milliseconds.
    pub fn request_timeout_ms(mut self, request_timeout_ms: u32) -> Self {
        self.request_timeout_ms = Some(request_timeout_ms);
        self
    }

    /// Silence after which the server is asked for a sign of life, in milliseconds; three times
    /// this ends the connection.
    pub fn heartbeat_ms(mut self, heartbeat_ms: u32) -> Self {
        self.heartbeat_ms = Some(heartbeat_ms);
        self
    }

    /// Pause before what failed is tried again, in milliseconds; it doubles up to
    /// `retry_backoff_max_ms`, and is shortened at random by up to half.
    pub fn retry_backoff_ms(mut self, retry_backoff_ms: u32) -> Self {
        self.retry_backoff_ms = Some(retry_backoff_ms);
        self
    }

    /// Longest such pause, in milliseconds.
    pub fn retry_backoff_max_ms(mut self, retry_backoff_max_ms: u32) -> Self {
        self.retry_backoff_max_ms = Some(retry_backoff_max_ms);
        self
    }

    fn parsed_url(&self) -> Result<Url, Error> {
        Ok(Url::parse(self.url.as_ref().map_or(DEFAULT_URL, Secret::expose))?)
    }

    option_by_name!(Client: client_name, user, secret_file, tls_ca_file, tls_cert_file, tls_key_file,
        tls_danger, encryption_keys, encryption_key_file, connect_timeout_ms, request_timeout_ms,
        heartbeat_ms, retry_backoff_ms, retry_backoff_max_ms);

    /// How many threads the blocking clients' runtime should have, and how long those that wait
    /// look, in microseconds.
    pub(crate) fn of_runtime(
        &self,
        threads: Option<u32>,
        busy_poll_us: Option<u32>,
    ) -> Result<(u32, u32), Error> {
        let url = self.parsed_url()?;
        let settings = Settings::new(&url, |name| std::env::var(name).ok())?;
        let threads = settings.number("runtime_threads", threads, defaults::RUNTIME_THREADS)?;
        let busy_poll_us =
            settings.number("busy_poll_us", busy_poll_us, defaults::BUSY_POLL_US)?;
        Ok((threads, busy_poll_us))
    }

    /// Connects to the first server that can be reached; each is tried once.
    ///
    /// # Errors
    /// See [`Client::connect`].
    pub async fn connect(self) -> Result<Client, Error> {
        let url = self.parsed_url()?;
        let mut settings = Settings::new(&url, |name| std::env::var(name).ok())?;
        let mut client_name =
            settings.text("client_name", self.client_name, defaults::CLIENT_NAME);
        if client_name.is_empty() {
            client_name = program_name();
        }
        let number = |name, given, default| settings.number::<u32>(name, given, default);
        let connection = ClientConfig {
            client_name,
            client_version: concat!("tidewire-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            heartbeat_ms: number("heartbeat_ms", self.heartbeat_ms, defaults::HEARTBEAT_MS)?,
            connect_timeout_ms: number(
                "connect_timeout_ms",
                self.connect_timeout_ms,
                defaults::CONNECT_TIMEOUT_MS,
            )?,
            ..ClientConfig::default()
        };
        let request_timeout_ms = number(
            "request_timeout_ms",
            self.request_timeout_ms,
            defaults::REQUEST_TIMEOUT_MS,
        )?;
        let nearer = |given: &Option<String>, name: &str| {
            given.is_some() || url.options.iter().any(|(option, _)| option.name == name)
        };
        // The environment comes after what stands in the URL, also where the names differ.
        let in_url = url.credentials.is_some();
        let user = match in_url && !nearer(&self.user, "user") {
            true => String::new(),
            false => settings.text("user", self.user, defaults::USER),
        };
        let secret_file = match in_url && !nearer(&self.secret_file, "secret_file") {
            true => String::new(),
            false => settings.text("secret_file", self.secret_file, defaults::SECRET_FILE),
        };
        let given = [
            (&self.tls_ca_file, "tls_ca_file"),
            (&self.tls_cert_file, "tls_cert_file"),
            (&self.tls_key_file, "tls_key_file"),
            (&self.tls_danger, "tls_danger"),
        ];
        // Whoever sets one of these believes to speak TLS.
        if let Some((_, name)) =
            given.into_iter().find(|(given, name)| !url.tls && nearer(given, name))
        {
            let text = format!("option {name} needs a URL that begins with tidewire+tls://");
            return Err(Error::new(Code::INVALID_OPTION, text));
        }
        let tls = TlsOptions {
            ca_file: settings.text("tls_ca_file", self.tls_ca_file, defaults::TLS_CA_FILE),
            cert_file: settings.text(
                "tls_cert_file",
                self.tls_cert_file,
                defaults::TLS_CERT_FILE,
            ),
            key_file: settings.text("tls_key_file", self.tls_key_file, defaults::TLS_KEY_FILE),
            danger: settings.text("tls_danger", self.tls_danger, defaults::TLS_DANGER),
        };
        let tls = match url.tls {
            true => Some(login::blocking(move || Tls::new(&tls)).await?),
            false => None,
        };
        let key_file = settings.text(
            "encryption_key_file",
            self.encryption_key_file,
            defaults::ENCRYPTION_KEY_FILE,
        );
        let keys =
            encryption::load(settings.encryption_keys(self.encryption_keys), key_file).await?;
        let login = Login::new(user, secret_file, self.secret, url.credentials);
        let config = LinkConfig {
            addresses: url.addresses,
            tls,
            login,
            connection,
            request_timeout_ms,
            retry_backoff_ms: number(
                "retry_backoff_ms",
                self.retry_backoff_ms,
                defaults::RETRY_BACKOFF_MS,
            )?,
            retry_backoff_max_ms: number(
                "retry_backoff_max_ms",
                self.retry_backoff_max_ms,
                defaults::RETRY_BACKOFF_MAX_MS,
            )?,
        };
        settings.keys = Arc::new(keys);
        let span = tracing::debug_span!("connect", servers = %shown(&config));
        Ok(Client::new(Link::connect(config).instrument(span).await?, settings))
    }
}

/// The addresses, without what else stands in a URL.
fn shown(config: &LinkConfig) -> String {
    let addresses: Vec<String> = config.addresses.iter().map(ToString::to_string).collect();
    addresses.join(",")
}

fn program_name() -> String {
    std::env::args_os()
        .next()
        .and_then(|path| {
            let name = std::path::Path::new(&path).file_stem()?;
            Some(name.to_string_lossy().into_owned())
        })
        .unwrap_or_default()
}
