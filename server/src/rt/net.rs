//! Sockets: accepting, and the two halves of a connection.

use std::cell::UnsafeCell;
use std::io;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use monoio::buf::IoBufMut;
pub(crate) use monoio::io::CancelHandle;
use monoio::io::{
    AsyncReadRent, AsyncWriteRent, Canceller, OwnedReadHalf, OwnedWriteHalf, Splitable,
};
use monoio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::parts::Parts;
use super::tls::{self, Handshake, Shaken, TlsRead, TlsWrite};

/// A listening socket of this shard.
pub(crate) struct Acceptor {
    listener: Listener,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Who is at the other end, as far as the kernel knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Tls {
        address: SocketAddr,
        /// Whom its certificate names, if it has shown one.
        user: Option<Arc<str>>,
        /// What only the two ends of this connection know.
        binding: Box<[u8; 32]>,
    },
    /// A program of this machine, by its effective user.
    Unix {
        uid: u32,
        /// It is the server's own.
        owner: bool,
    },
}

impl Peer {
    /// Whether it is the user that the server runs as.
    pub(crate) fn is_owner(&self) -> bool {
        matches!(self, Self::Unix { owner: true, .. })
    }

    /// What a login is bound to, so that it is good on this connection only.
    pub(crate) fn binding(&self) -> &[u8] {
        match self {
            Self::Tls { binding, .. } => &binding[..],
            Self::Tcp(_) | Self::Unix { .. } => &[],
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) | Self::Tls { address, .. } => address.fmt(f),
            Self::Unix { uid, .. } => write!(f, "unix:uid={uid}"),
        }
    }
}

/// The user of the process at the other end of a Unix socket.
fn peer_uid(fd: RawFd) -> io::Result<u32> {
    let mut credentials = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `credentials` is a valid ucred of `len` bytes, which the call writes.
    let result = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut len,
        )
    };
    if result == 0 { Ok(credentials.uid) } else { Err(io::Error::last_os_error()) }
}

/// The user that this process acts as.
pub(crate) fn own_uid() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Ends an accept that waits.
pub(crate) struct Stopper(Canceller);

impl Stopper {
    /// Ends the accept that it belongs to.
    pub(crate) fn stop(self) {
        self.0.cancel();
    }
}

/// A pair to stop an [`Acceptor`] with.
pub(crate) fn accept_canceller() -> (Stopper, CancelHandle) {
    let canceller = Canceller::new();
    let handle = canceller.handle();
    (Stopper(canceller), handle)
}

impl Acceptor {
    /// Takes over a bound, listening socket.
    pub(crate) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener: Listener::Tcp(TcpListener::from_std(listener)?) })
    }

    /// The same of a Unix socket.
    pub(crate) fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener: Listener::Unix(UnixListener::from_std(listener)?) })
    }

    /// The next connection; an error of kind `Other` or `Interrupted` when it was stopped.
    pub(crate) async fn accept(
        &self,
        stop: CancelHandle,
    ) -> io::Result<(ReadHalf, WriteHalf, Closer, Peer)> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.cancelable_accept(stop).await?;
                // A small reply must not wait for company.
                stream.set_nodelay(true)?;
                let (read, write, closer) = tcp(stream);
                Ok((read, write, closer, Peer::Tcp(peer)))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.cancelable_accept(stop).await?;
                let uid = peer_uid(stream.as_raw_fd())?;
                let (read, write, closer) = unix(stream);
                Ok((read, write, closer, Peer::Unix { uid, owner: uid == own_uid() }))
            }
        }
    }
}

/// A connected socket that belongs to no runtime: on its way from one thread to another.
pub(crate) enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Socket {
    /// Takes it over on this thread.
    pub(crate) fn open(self) -> io::Result<(ReadHalf, WriteHalf, Closer)> {
        Ok(match self {
            Self::Tcp(stream) => tcp(TcpStream::from_std(stream)?),
            Self::Unix(stream) => unix(UnixStream::from_std(stream)?),
        })
    }
}

fn tcp(stream: TcpStream) -> (ReadHalf, WriteHalf, Closer) {
    let fd = stream.as_raw_fd();
    let (read, write) = stream.into_split();
    let closer = Closer { fd, stream: Kept::Tcp(Rc::clone(&read.0)) };
    (ReadHalf::Tcp(read), WriteHalf { stream: Writing::Tcp(write), parts: None }, closer)
}

fn unix(stream: UnixStream) -> (ReadHalf, WriteHalf, Closer) {
    let fd = stream.as_raw_fd();
    let (read, write) = stream.into_split();
    let closer = Closer { fd, stream: Kept::Unix(Rc::clone(&read.0)) };
    (ReadHalf::Unix(read), WriteHalf { stream: Writing::Unix(write), parts: None }, closer)
}

/// Ends a connection from outside its tasks, whose pending reads and writes then return.
pub(crate) struct Closer {
    fd: RawFd,
    /// Keeps the descriptor from being closed, and its number from being given to another socket.
    stream: Kept,
}

#[expect(dead_code, reason = "held, never used")]
enum Kept {
    Tcp(Rc<UnsafeCell<TcpStream>>),
    Unix(Rc<UnsafeCell<UnixStream>>),
}

impl Closer {
    /// Ends both directions.
    pub(crate) fn close(&self) {
        self.shutdown(libc::SHUT_RDWR);
    }

    /// Tells the peer that nothing more will come.
    pub(crate) fn close_write(&self) {
        self.shutdown(libc::SHUT_WR);
    }

    /// The socket by a descriptor of its own, for another thread, which goes on with it when this
    /// connection's own is closed.
    pub(crate) fn socket(&self) -> io::Result<Socket> {
        // SAFETY: `stream` keeps the descriptor open.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) }.try_clone_to_owned()?;
        Ok(match self.stream {
            Kept::Tcp(_) => Socket::Tcp(fd.into()),
            Kept::Unix(_) => Socket::Unix(fd.into()),
        })
    }

    fn shutdown(&self, how: libc::c_int) {
        // SAFETY: shutdown takes no memory, and `stream` keeps the descriptor this connection's.
        // A socket that is not connected any more is refused, which is what is wanted.
        unsafe {
            libc::shutdown(self.fd, how);
        }
    }
}

/// Shakes hands on a connection that was accepted by TCP.
pub(crate) async fn shake_hands(
    read: ReadHalf,
    write: WriteHalf,
    config: Arc<rustls::ServerConfig>,
) -> io::Result<Shaken> {
    let (ReadHalf::Tcp(read), Writing::Tcp(write)) = (read, write.stream) else {
        return Err(io::Error::other("TLS is for TCP"));
    };
    Ok(match tls::handshake(read, write, config).await? {
        Handshake::Done(read, write, facts) => {
            let write = WriteHalf { stream: Writing::Tls(Box::new(write)), parts: None };
            Shaken::Tls(ReadHalf::Tls(Box::new(read)), write, facts)
        }
        Handshake::Plain(read, write) => {
            let write = WriteHalf { stream: Writing::Tcp(write), parts: None };
            Shaken::Plain(ReadHalf::Tcp(read), write)
        }
    })
}

/// The reading half of a connection.
pub(crate) enum ReadHalf {
    Tcp(OwnedReadHalf<TcpStream>),
    Tls(Box<TlsRead>),
    Unix(OwnedReadHalf<UnixStream>),
}

impl ReadHalf {
    /// Whether there is something to read by now, or the stream's end.
    pub(crate) fn has_bytes(&self) -> bool {
        let fd = match self {
            Self::Tls(stream) if stream.has_bytes() => return true,
            Self::Tls(stream) => stream.as_raw_fd(),
            // SAFETY: as in `ready`.
            Self::Tcp(stream) => unsafe { &*stream.0.get() }.as_raw_fd(),
            // SAFETY: as above.
            Self::Unix(stream) => unsafe { &*stream.0.get() }.as_raw_fd(),
        };
        let mut byte = 0u8;
        // SAFETY: the call writes at most the one byte that it is given.
        let len = unsafe {
            libc::recv(fd, (&raw mut byte).cast(), 1, libc::MSG_PEEK | libc::MSG_DONTWAIT)
        };
        len >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock
    }

    /// Waits until there is something to read, or the stream's end: without a buffer meanwhile. If
    /// that cannot be waited for, reading says why.
    ///
    /// Not "relaxed", as monoio has it: on epoll that is at once, because of bytes that were read
    /// long ago.
    pub(crate) async fn ready(&mut self) {
        let _ = match self {
            Self::Tls(stream) => Box::pin(stream.ready()).await,
            // SAFETY: as monoio's own halves do. The stream lives in the Rc, is used by this
            // thread alone, and is never moved or replaced; waiting looks at its descriptor only.
            Self::Tcp(stream) => unsafe { &*stream.0.get() }.readable(false).await,
            // SAFETY: as above.
            Self::Unix(stream) => unsafe { &*stream.0.get() }.readable(false).await,
        };
    }

    /// Reads to the end of `buf`, within its capacity. Zero bytes is the end of the stream.
    pub(crate) async fn read(&mut self, buf: BytesMut) -> (io::Result<usize>, BytesMut) {
        let len = buf.len();
        let (result, slice) = match self {
            // Larger than the others, and boxed so that these do not pay for it.
            Self::Tls(stream) => return Box::pin(stream.read(buf)).await,
            Self::Tcp(stream) => stream.read(buf.slice_mut(len..)).await,
            Self::Unix(stream) => stream.read(buf.slice_mut(len..)).await,
        };
        (result, slice.into_inner())
    }
}

/// Drops a half's share of its stream without its own drop, which would shut the socket down.
fn release<T: AsyncWriteRent>(half: OwnedWriteHalf<T>) {
    let half = ManuallyDrop::new(half);
    // SAFETY: `half` is not used or dropped any more, so that its share is this one's.
    drop(unsafe { std::ptr::read(&raw const half.0) });
}

/// The writing half of a connection.
pub(crate) struct WriteHalf {
    stream: Writing,
    parts: Option<Parts>,
}

enum Writing {
    Tcp(OwnedWriteHalf<TcpStream>),
    Tls(Box<TlsWrite>),
    Unix(OwnedWriteHalf<UnixStream>),
}

impl WriteHalf {
    /// Writes all of `bytes` and leaves the list empty.
    pub(crate) async fn write_all(&mut self, bytes: &mut Vec<Bytes>) -> io::Result<()> {
        if let Writing::Tls(stream) = &mut self.stream {
            // Boxed, as reading is.
            return Box::pin(stream.write_all(bytes)).await;
        }
        let mut parts = self.parts.take().unwrap_or_else(|| Parts::new(Vec::new()));
        parts.refill(bytes);
        while !parts.is_empty() {
            let (result, returned) = match &mut self.stream {
                Writing::Tcp(stream) => stream.writev(parts).await,
                Writing::Tls(_) => unreachable!("it was written above"),
                Writing::Unix(stream) => stream.writev(parts).await,
            };
            parts = returned;
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => parts.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // The buffers must not live on until the next write.
        parts.refill(bytes);
        bytes.clear();
        self.parts = Some(parts);
        Ok(())
    }

    /// Lets go of it without a word to the peer, unlike a drop, which says that nothing more will
    /// come: somebody else goes on writing.
    pub(crate) fn leave(self) {
        match self.stream {
            Writing::Tcp(half) => release(half),
            // Its two halves share a state that stays with their thread.
            Writing::Tls(_) => unreachable!("TLS stays where it is"),
            Writing::Unix(half) => release(half),
        }
    }

    /// Says that nothing more will come, as far as there is a way to say so within the stream.
    pub(crate) async fn finish(&mut self) {
        if let Writing::Tls(stream) = &mut self.stream {
            Box::pin(stream.finish()).await;
        }
    }
}
