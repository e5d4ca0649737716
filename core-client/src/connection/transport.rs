//! Byte streams to a server.
//!
//! Owns reaching an address and what is said when that fails; leaves the bytes to the driver. A
//! further transport is one more pair of a [`Reader`] and a [`Writer`]. The one invariant:
//! whatever fails here, the error names the address.

use std::io::{self, IoSlice};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(unix)]
use socket2::SockRef;
use tidewire_protocol::error::Disposition;
use tidewire_protocol::url::Address;
#[cfg(unix)]
use tokio::io::Interest;
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

    /// Writes what the socket takes now, from any thread: a peer that is gone is an error, and
    /// no signal, which could end the program.
    pub(super) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Tcp(half) => {
                let stream = half.as_ref();
                stream.try_io(Interest::WRITABLE, || send(stream.as_fd(), parts))
            }
            #[cfg(unix)]
            Self::Unix(half) => {
                let stream = half.as_ref();
                stream.try_io(Interest::WRITABLE, || send(stream.as_fd(), parts))
            }
            #[cfg(not(unix))]
            Self::Tcp(half) => half.try_write_vectored(parts),
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

/// Sends without `SIGPIPE`. The runtime's own threads are shielded from it; a caller's need not be.
#[cfg(unix)]
fn send(socket: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    // Where there is no such flag, the standard library has set it on the socket.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const FLAGS: libc::c_int = 0;
    SockRef::from(&socket).send_vectored_with_flags(parts, FLAGS)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The set of signals that wait for this thread, or are blocked for it, changed by `change`.
    #[allow(unsafe_code)]
    fn signals(change: impl FnOnce(*mut libc::sigset_t) -> libc::c_int) -> bool {
        // SAFETY: a set of signals on this thread's stack, which the calls fill and read.
        unsafe {
            let mut set = std::mem::zeroed::<libc::sigset_t>();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGPIPE);
            assert_eq!(change(&raw mut set), 0);
            libc::sigismember(&raw const set, libc::SIGPIPE) == 1
        }
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_an_error_and_no_signal() {
        // A signal that is blocked waits, even one that is ignored.
        // SAFETY: the set was filled by the caller.
        #[allow(unsafe_code)]
        signals(|set| unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, set, std::ptr::null_mut())
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let client = TcpStream::connect(address).await.expect("connects");
        let (peer, _) = listener.accept().await.expect("accepts");
        // Closing resets the connection.
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).expect("a socket");
        drop(peer);
        client.readable().await.expect("a runtime");
        let (_reader, writer) = client.into_split();
        let writer = Writer::Tcp(writer);
        let mut broken = false;
        for _ in 0..1_000 {
            match writer.try_write_vectored(&[IoSlice::new(b"more")]) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => broken = true,
                _ => tokio::task::yield_now().await,
            }
        }
        assert!(broken, "the connection was reset");
        // SAFETY: the set is a valid place for what waits.
        #[allow(unsafe_code)]
        let waits = signals(|set| unsafe { libc::sigpending(set) });
        assert!(!waits, "SIGPIPE was sent");
    }
}
