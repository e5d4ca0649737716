//! Byte streams to a server.
//!
//! Owns reaching an address and what is said when that fails; leaves the bytes to the driver. A
//! further transport is one more pair of a [`Reader`] and a [`Writer`]. The one invariant:
//! whatever fails here, the error names the address.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tidewire_protocol::error::Disposition;
use tidewire_protocol::url::Address;
use tokio::io::{AsyncRead, AsyncWrite, WriteHalf};
#[cfg(unix)]
use tokio::net::unix;
use tokio::net::{TcpStream, lookup_host, tcp};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::error::{Code, Error};
use crate::tls::Tls;

/// The half of a byte stream that its driver reads.
pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// The half of a byte stream that is written to.
pub(super) enum Writer {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
    Tls(Box<WriteHalf<TlsStream<TcpStream>>>),
}

impl Writer {
    /// Whether [`Writer::try_write_vectored`] writes to the socket itself.
    pub(super) fn is_direct(&self) -> bool {
        !matches!(self, Self::Tls(_))
    }

    /// Writes what the socket takes now, from any thread.
    pub(super) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write_vectored(parts),
            #[cfg(unix)]
            Self::Unix(half) => half.try_write_vectored(parts),
            Self::Tls(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn inner(&mut self) -> Pin<&mut (dyn AsyncWrite + Send + Unpin)> {
        match self {
            Self::Tcp(half) => Pin::new(half),
            #[cfg(unix)]
            Self::Unix(half) => Pin::new(half),
            Self::Tls(half) => Pin::new(half),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}

/// Opens a connection: TCP, trying each of the host's addresses, or a Unix socket.
/// With TLS, also what a login is bound to.
pub(super) async fn connect(
    address: &Address,
    tls: Option<&Tls>,
    limit: Duration,
) -> Result<(Reader, Writer, Vec<u8>), Error> {
    let connecting = async {
        if let Some(path) = address.socket() {
            let (reader, writer) = connect_unix(path).await?;
            return Ok((reader, writer, Vec::new()));
        }
        let stream = connect_tcp(address).await?;
        Ok(match tls {
            Some(tls) => {
                let (stream, binding) = tls.connect(address, stream).await?;
                let (reader, writer) = tokio::io::split(stream);
                (Box::new(reader) as Reader, Writer::Tls(Box::new(writer)), binding)
            }
            None => {
                let (reader, writer) = stream.into_split();
                (Box::new(reader) as Reader, Writer::Tcp(writer), Vec::new())
            }
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
async fn connect_unix(path: &std::path::Path) -> Result<(Reader, Writer), Error> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => {
            let (reader, writer) = stream.into_split();
            Ok((Box::new(reader), Writer::Unix(writer)))
        }
        Err(error) => {
            let text = format!("the Unix socket {} cannot be reached: {error}", path.display());
            Err(Error::new(Code::CONNECT_FAILED, text).with_source(error))
        }
    }
}

#[cfg(not(unix))]
async fn connect_unix(path: &std::path::Path) -> Result<(Reader, Writer), Error> {
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
