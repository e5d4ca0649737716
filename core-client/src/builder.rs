//! Connecting: options gathered, servers tried in order.
//!
//! Owns the client's own options and the list of what went wrong at each address; leaves reading
//! options to [`options`](crate::options) and reaching a server to the connection. The one
//! invariant: an error that comes from here says what was tried.

use std::sync::Arc;

use tidewire_protocol::connection::ClientConfig;
use tidewire_protocol::error::Disposition;
use tidewire_protocol::options::client as defaults;
use tidewire_protocol::url::{Address, Url};

use crate::client::Client;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::options::Settings;

/// Where a server listens that was started without options.
const DEFAULT_URL: &str = "tidewire://127.0.0.1:8433";

/// Options of a [`Client`]. What is not set here comes from the URL, then from the environment,
/// then from the defaults.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until connect()"]
pub struct ClientBuilder {
    url: Option<String>,
    client_name: Option<String>,
    connect_timeout_ms: Option<u32>,
    request_timeout_ms: Option<u32>,
    heartbeat_ms: Option<u32>,
}

impl ClientBuilder {
    /// Where the servers are; `tidewire://127.0.0.1:8433` if not set.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
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

    /// Connects to the first server that can be reached.
    ///
    /// # Errors
    /// See [`Client::connect`].
    pub async fn connect(self) -> Result<Client, Error> {
        let url = Url::parse(self.url.as_deref().unwrap_or(DEFAULT_URL))?;
        let settings = Settings::new(&url, |name| std::env::var(name).ok())?;
        let mut client_name =
            settings.text("client_name", self.client_name, defaults::CLIENT_NAME);
        if client_name.is_empty() {
            client_name = program_name();
        }
        let number = |name, given, default| settings.number::<u32>(name, given, default);
        let config = ClientConfig {
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
        let mut failures = Vec::new();
        for address in &url.addresses {
            match Connection::open(address, config.clone(), request_timeout_ms).await {
                Ok(connection) => {
                    return Ok(Client {
                        connection: Arc::new(connection),
                        settings: Arc::new(settings),
                    });
                }
                Err(error) => {
                    tracing::debug!(%address, %error, "connecting failed");
                    failures.push(error);
                }
            }
        }
        Err(summary(&url.addresses, failures))
    }
}

/// One failure stands for itself; several are listed.
fn summary(addresses: &[Address], mut failures: Vec<Error>) -> Error {
    if failures.len() == 1
        && let Some(only) = failures.pop()
    {
        return only;
    }
    let first = failures.first().map_or(Code::CONNECT_FAILED, Error::code);
    let same = failures.iter().all(|error| error.code() == first);
    let list: Vec<String> = failures.iter().map(|error| format!("\n  {error}")).collect();
    let disposition =
        failures.iter().fold(Disposition::NONE, |all, error| all.and(error.disposition()));
    Error::new(
        if same { first } else { Code::CONNECT_FAILED },
        format!("none of {} servers could be used:{}", addresses.len(), list.concat()),
    )
    .with_disposition(disposition)
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
