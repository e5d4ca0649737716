//! Byte streams to a server.
//!
//! Owns reaching an address and what is said when that fails; leaves the bytes to the driver. A
//! further transport is one more way to make an [`Io`]. The one invariant:
//! whatever fails here, the error names the address.

use std::io;
use std::time::Duration;

use tidewire_protocol::error::Disposition;
use tidewire_protocol::url::Address;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::error::{Code, Error};
use crate::tls::Tls;

/// A byte stream that a driver can own.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Opens a connection: TCP, trying each of the host's addresses, or a Unix socket.
/// With TLS, also what a login is bound to.
pub(super) async fn connect(
    address: &Address,
    tls: Option<&Tls>,
    limit: Duration,
) -> Result<(Box<dyn Io>, Vec<u8>), Error> {
    let connecting = async {
        if let Some(path) = address.socket() {
            return Ok((connect_unix(path).await?, Vec::new()));
        }
        let stream = connect_tcp(address).await?;
        Ok(match tls {
            Some(tls) => {
                let (stream, binding) = tls.connect(address, stream).await?;
                (Box::new(stream) as Box<dyn Io>, binding)
            }
            None => (Box::new(stream), Vec::new()),
        })
    };
    match timeout(limit, connecting).await {
        Ok(result) => result,
        Err(_) => Err(timed_out(format!(
            "{address} could not be reached within {} ms",
            limit.as_millis()
        ))),
    }
}

/// An error of a connection that never was: nothing can have happened.
pub(super) fn timed_out(message: String) -> Error {
    Error::new(Code::TIMEOUT, message)
        .with_disposition(Disposition::RETRIABLE.and(Disposition::RECONNECT))
}

async fn connect_tcp(address: &Address) -> Result<TcpStream, Error> {
    let found = lookup_host((address.host.as_str(), address.port)).await.map_err(|error| {
        let text = format!("the host name \"{}\" cannot be resolved: {error}", address.host);
        Error::new(Code::CONNECT_FAILED, text).with_source(error)
    })?;
    let mut last = None;
    for socket_address in found {
        match TcpStream::connect(socket_address).await {
            Ok(stream) => {
                // Batches are gathered here already; waiting for more would only add latency.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%address, %error, "TCP_NODELAY could not be set");
                }
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => unreachable_error(address, error),
        None => Error::new(
            Code::CONNECT_FAILED,
            format!("the host name \"{}\" has no address", address.host),
        ),
    })
}

#[cfg(unix)]
async fn connect_unix(path: &std::path::Path) -> Result<Box<dyn Io>, Error> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let text = format!("the Unix socket {} cannot be reached: {error}", path.display());
            Err(Error::new(Code::CONNECT_FAILED, text).with_source(error))
        }
    }
}

#[cfg(not(unix))]
async fn connect_unix(path: &std::path::Path) -> Result<Box<dyn Io>, Error> {
    let text = format!("there are no Unix sockets on this system: {}", path.display());
    Err(Error::new(Code::CONNECT_FAILED, text))
}

fn unreachable_error(address: &Address, error: io::Error) -> Error {
    let text = if error.kind() == io::ErrorKind::ConnectionRefused {
        format!(
            "{address} refused the connection; is the server running? \
             start one with `tidewire serve`"
        )
    } else {
        format!("{address} could not be reached: {error}")
    };
    Error::new(Code::CONNECT_FAILED, text).with_source(error)
}
