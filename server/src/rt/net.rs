//! Sockets: accepting, and the two halves of a connection.

use std::cell::UnsafeCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use monoio::buf::IoBufMut;
pub(crate) use monoio::io::CancelHandle;
use monoio::io::{
    AsyncReadRent, AsyncWriteRent, Canceller, OwnedReadHalf, OwnedWriteHalf, Splitable,
};
use monoio::net::{TcpListener, TcpStream};

use super::parts::Parts;

/// A listening socket of this shard.
pub(crate) struct Acceptor {
    listener: TcpListener,
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
        Ok(Self { listener: TcpListener::from_std(listener)? })
    }

    /// The next connection; an error of kind `Other` or `Interrupted` when it was stopped.
    pub(crate) async fn accept(
        &self,
        stop: CancelHandle,
    ) -> io::Result<(ReadHalf, WriteHalf, Closer, SocketAddr)> {
        let (stream, peer) = self.listener.cancelable_accept(stop).await?;
        // A small reply must not wait for company.
        stream.set_nodelay(true)?;
        let fd = stream.as_raw_fd();
        let (read, write) = stream.into_split();
        let closer = Closer { fd, _stream: Rc::clone(&read.0) };
        let read = ReadHalf { stream: read };
        let write = WriteHalf { stream: write, parts: None };
        Ok((read, write, closer, peer))
    }
}

/// Ends a connection from outside its tasks, whose pending reads and writes then return.
pub(crate) struct Closer {
    fd: RawFd,
    /// Keeps the descriptor from being closed, and its number from being given to another socket.
    _stream: Rc<UnsafeCell<TcpStream>>,
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

    fn shutdown(&self, how: libc::c_int) {
        // SAFETY: shutdown takes no memory, and `_stream` keeps the descriptor this connection's.
        // A socket that is not connected any more is refused, which is what is wanted.
        unsafe {
            libc::shutdown(self.fd, how);
        }
    }
}

/// The reading half of a connection.
pub(crate) struct ReadHalf {
    stream: OwnedReadHalf<TcpStream>,
}

impl ReadHalf {
    /// Reads to the end of `buf`, within its capacity. Zero bytes is the end of the stream.
    pub(crate) async fn read(&mut self, buf: BytesMut) -> (io::Result<usize>, BytesMut) {
        let len = buf.len();
        let (result, slice) = self.stream.read(buf.slice_mut(len..)).await;
        (result, slice.into_inner())
    }
}

/// The writing half of a connection.
pub(crate) struct WriteHalf {
    stream: OwnedWriteHalf<TcpStream>,
    parts: Option<Parts>,
}

impl WriteHalf {
    /// Writes all of `bytes` and leaves the list empty.
    pub(crate) async fn write_all(&mut self, bytes: &mut Vec<Bytes>) -> io::Result<()> {
        let mut parts = self.parts.take().unwrap_or_else(|| Parts::new(Vec::new()));
        parts.refill(bytes);
        while !parts.is_empty() {
            let (result, returned) = self.stream.writev(parts).await;
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
}
