//! Connecting, and what the client itself is asked.
//!
//! Owns the blocking client and its builder; administration is in [`admin`](super::admin). The
//! one invariant: a handle of before a fork is told from others before anything else happens.

use std::future::Future;
use std::time::Duration;

use tidewire_protocol::options::Scope;

use super::options;
use super::{ConsumerBuilder, ProducerBuilder};
use crate::error::Error;
use crate::events::Events;
use crate::runtime::{Bound, Runtime};
use crate::{ServerInfo, client};

/// A connection to a Tidewire server, for threads that may block. Cheap to clone; clones share
/// the connection. What [`crate::Client`] says of lost connections holds here, too.
#[derive(Clone, Debug)]
pub struct Client {
    bound: Bound<client::Client>,
}

/// Options of a [`Client`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until connect()"]
pub struct ClientBuilder {
    inner: crate::ClientBuilder,
    runtime_threads: Option<u32>,
    busy_poll_us: Option<u32>,
}

impl ClientBuilder {
    options!(ClientBuilder:
        url(impl Into<String>),
        user(impl Into<String>),
        secret(crate::Secret),
        secret_file(impl Into<String>),
        tls_ca_file(impl Into<String>),
        tls_cert_file(impl Into<String>),
        tls_key_file(impl Into<String>),
        tls_danger(impl Into<String>),
        encryption_keys(crate::Secret),
        encryption_key_file(impl Into<String>),
        client_name(impl Into<String>),
        connect_timeout_ms(u32),
        request_timeout_ms(u32),
        heartbeat_ms(u32),
        retry_backoff_ms(u32),
        retry_backoff_max_ms(u32),
    );

    /// Threads of the runtime that all blocking clients of the process share, 1 to 64. The first
    /// client decides; later ones use what there is.
    pub fn runtime_threads(mut self, runtime_threads: u32) -> Self {
        self.runtime_threads = Some(runtime_threads);
        self
    }

    /// How long a thread that waits for an answer looks for it before it sleeps, in microseconds, 0
    /// to 1,000: only while answers have lately come within that time, and at most half of the cores'
    /// number of threads at once. The first client of the process decides; 0 never looks.
    pub fn busy_poll_us(mut self, busy_poll_us: u32) -> Self {
        self.busy_poll_us = Some(busy_poll_us);
        self
    }

    /// See [`ClientBuilder::option`](crate::ClientBuilder::option).
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn option(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let own = match name {
            "runtime_threads" => &mut self.runtime_threads,
            "busy_poll_us" => &mut self.busy_poll_us,
            _ => {
                self.inner = self.inner.option(name, value)?;
                return Ok(self);
            }
        };
        crate::options::by_name(Scope::Client, name, value)?;
        *own = value.parse().ok();
        Ok(self)
    }

    /// Connects to the first server that can be reached; each is tried once.
    ///
    /// # Errors
    /// See [`crate::Client::connect`]; `INTERNAL` if the runtime's threads cannot be made.
    pub fn connect(self) -> Result<Client, Error> {
        let (runtime, connecting) = self.connecting()?;
        runtime.wait("connecting", None, connecting)?
    }

    /// The runtime, begun if there is none yet, and what connects on it: for
    /// [`Runtime::spawn`], where nothing may block.
    ///
    /// # Errors
    /// `INVALID_URL` or `INVALID_OPTION` as far as those of the runtime are concerned; `INTERNAL` if
    /// the runtime's threads cannot be made. Others come from the future.
    pub fn connecting(
        self,
    ) -> Result<(Runtime, impl Future<Output = Result<Client, Error>> + Send + 'static), Error>
    {
        let (threads, busy_poll_us) =
            self.inner.of_runtime(self.runtime_threads, self.busy_poll_us)?;
        let runtime = Runtime::with_options(threads, busy_poll_us)?;
        let (inner, own) = (self.inner, runtime.clone());
        let connecting = async move {
            let client = inner.connect().await?;
            Ok(Client { bound: Bound::new(own, client) })
        };
        Ok((runtime, connecting))
    }
}

impl Client {
    /// Connects to the first server of `url` that can be reached.
    ///
    /// # Errors
    /// See [`crate::Client::connect`].
    pub fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().url(url).connect()
    }

    /// Connects with options given in code.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client on the shared runtime, made from an asynchronous one that was connected there,
    /// as by [`Runtime::spawn`].
    ///
    /// # Errors
    /// `INTERNAL` if the runtime's threads cannot be made.
    pub fn from_async(client: crate::Client) -> Result<Self, Error> {
        Ok(Self { bound: Bound::new(Runtime::shared()?, client) })
    }

    /// The asynchronous client behind it, for [`Runtime::spawn`].
    ///
    /// # Errors
    /// `FORKED`.
    pub fn as_async(&self) -> Result<&crate::Client, Error> {
        self.bound.value("client")
    }

    /// The runtime that it uses.
    pub fn runtime(&self) -> &Runtime {
        self.bound.runtime()
    }

    /// Waits for a call of the asynchronous client.
    pub(super) fn call<'a, T, F>(
        &'a self,
        what: &str,
        call: impl FnOnce(&'a client::Client) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + 'a,
    {
        let client = self.bound.value("client")?;
        self.runtime().wait(what, None, call(client))?
    }

    /// What the server said of itself; without a connection, what the last one said.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn server(&self) -> Result<ServerInfo, Error> {
        Ok(self.as_async()?.server())
    }

    /// What happens to the connection from now on; see [`blocking_next`](Events::blocking_next).
    ///
    /// # Errors
    /// `FORKED`.
    pub fn events(&self) -> Result<Events, Error> {
        Ok(self.as_async()?.events())
    }

    /// Asks the server for a sign of life; the time that it took.
    ///
    /// # Errors
    /// `DISCONNECTED` if there was no connection in time, or it was lost before the reply.
    pub fn ping(&self) -> Result<Duration, Error> {
        self.call("ping", |client| client.ping())
    }

    /// A producer for a topic, `stream/topic`.
    pub fn producer(&self, topic: &str) -> ProducerBuilder {
        ProducerBuilder::new(self, topic)
    }

    /// A consumer of a topic, `stream/topic`.
    pub fn consumer(&self, topic: &str) -> ConsumerBuilder {
        ConsumerBuilder::new(self, topic)
    }

    /// Closes the connection, for every clone of this client and for all that was made from
    /// them; close producers first to have their records acknowledged.
    pub fn close(&self) -> Result<(), Error> {
        self.call("closing", |client| client.close())
    }

    pub(super) fn bound(&self) -> &Bound<client::Client> {
        &self.bound
    }
}
