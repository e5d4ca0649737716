//! The client: connecting, and what it is asked itself. Administration is in `admin`, `groups`
//! and `users`.
//!
//! Owns the handle. The one invariant: every call of it runs on the core's runtime.

use std::sync::Arc;

use tidewire::Error;
use tidewire::blocking;

use crate::call::on;
use crate::events::NativeEvents;
use crate::failure::NativeError;
use crate::info::ServerInfo;
use crate::options::{self, Options};

/// A client of the core's.
#[derive(Debug, uniffi::Object)]
pub struct NativeClient {
    pub(crate) client: blocking::Client,
}

/// Connects to the first server of `url` that can be reached.
#[uniffi::export]
pub async fn connect(
    url: Option<String>,
    options: Options,
) -> Result<Arc<NativeClient>, NativeError> {
    let mut builder = options::client(&options, blocking::Client::builder())?;
    if let Some(url) = url {
        builder = builder.url(url);
    }
    let (runtime, connecting) = builder.connecting()?;
    let client = on(&runtime, connecting).await?;
    Ok(Arc::new(NativeClient { client }))
}

/// The version of the library.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl NativeClient {
    /// The asynchronous client, unless the process forked.
    pub(crate) fn inner(&self) -> Result<&tidewire::Client, Error> {
        self.client.as_async()
    }

    /// Runs a call of the client.
    pub(crate) async fn call<T, F>(
        &self,
        call: impl FnOnce(tidewire::Client) -> F,
    ) -> Result<T, NativeError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let client = self.inner()?.clone();
        on(self.client.runtime(), call(client)).await
    }
}

#[uniffi::export]
impl NativeClient {
    /// What the server said of itself; without a connection, what the last one said.
    pub fn server(&self) -> Result<ServerInfo, NativeError> {
        Ok(self.client.server()?.into())
    }

    /// Asks the server for a sign of life; the time that it took, in microseconds.
    pub async fn ping(&self) -> Result<i64, NativeError> {
        let took = self.call(|client| async move { client.ping().await }).await?;
        Ok(i64::try_from(took.as_micros()).unwrap_or(i64::MAX))
    }

    /// Closes the connection, for all that was made from it too.
    pub async fn shut(&self) -> Result<(), NativeError> {
        self.call(|client| async move { client.close().await }).await
    }

    /// Watches what happens to the connection from now on.
    pub fn events(&self) -> Result<Arc<NativeEvents>, NativeError> {
        let events = self.client.events()?;
        Ok(Arc::new(NativeEvents::new(self.client.runtime().clone(), events)))
    }
}
