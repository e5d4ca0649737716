//! TLS around a connection's two halves.
//!
//! Owns moving bytes between the socket and rustls, which does no I/O of its own; leaves to
//! [`tls`](crate::tls) whose certificates they are. The halves share rustls' state on one thread,
//! and never hold it while they wait. The one invariant: what is buffered for one connection is
//! bounded, in each direction.

use std::cell::RefCell;
use std::io::{self, BufRead, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use monoio::buf::{IoBufMut, SliceMut};
use monoio::io::{AsyncReadRent, AsyncWriteRentExt, OwnedReadHalf, OwnedWriteHalf};
use monoio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};
use tidewire_protocol::frame::PREFACE;

/// Bytes that a read of an idle connection is prepared for, and one that is busy: an idle one
/// costs little, a busy one few calls.
const IDLE_READ: usize = 4 << 10;
const BUSY_READ: usize = 64 << 10;
/// Bytes that are encrypted before they are written.
const WRITE_CHUNK: usize = 64 << 10;
/// Most bytes of a handshake. A client's certificates are a few KiB.
const MAX_HANDSHAKE: usize = 128 << 10;

type Shared = Rc<RefCell<ServerConnection>>;

/// What is read, and decrypted.
pub(crate) struct TlsRead {
    stream: OwnedReadHalf<TcpStream>,
    tls: Shared,
    /// What was read and not decrypted yet.
    cipher: BytesMut,
    room: usize,
}

/// What is encrypted, and written.
pub(super) struct TlsWrite {
    stream: OwnedWriteHalf<TcpStream>,
    tls: Shared,
    cipher: Vec<u8>,
}

/// What a handshake came to.
pub(super) enum Handshake {
    Done(TlsRead, TlsWrite, Facts),
    /// The peer does not speak TLS, but the protocol itself, whose preface it has begun.
    Plain(OwnedReadHalf<TcpStream>, OwnedWriteHalf<TcpStream>),
}

/// A connection once it is known how it speaks.
pub(crate) enum Shaken {
    /// TLS.
    Tls(super::ReadHalf, super::WriteHalf, Facts),
    /// The protocol without it; what the peer has said so far is gone.
    Plain(super::ReadHalf, super::WriteHalf),
}

/// What is known of a peer by its handshake.
pub(crate) struct Facts {
    /// The certificate that it has shown, if it has one; it was checked.
    pub(crate) certificate: Option<rustls::pki_types::CertificateDer<'static>>,
    /// What both ends of this connection know, and nobody in between.
    pub(crate) binding: [u8; 32],
}

/// Shakes hands with a client that was just accepted.
pub(super) async fn handshake(
    mut read: OwnedReadHalf<TcpStream>,
    mut write: OwnedWriteHalf<TcpStream>,
    config: Arc<ServerConfig>,
) -> io::Result<Handshake> {
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let (mut cipher, mut out) = (BytesMut::new(), Vec::new());
    let (mut total, mut known) = (0, false);
    while connection.is_handshaking() || connection.wants_write() {
        if connection.wants_write() {
            send(&mut connection, &mut write, &mut out).await?;
            continue;
        }
        let got = fill(&mut read, &mut cipher, IDLE_READ).await?;
        total += got;
        if got == 0 || total > MAX_HANDSHAKE {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no TLS handshake"));
        }
        if !known {
            let say = cipher.len().min(4);
            if cipher[..say] == PREFACE[..say] {
                if say == 4 {
                    return Ok(Handshake::Plain(read, write));
                }
                continue;
            }
            known = true;
        }
        let outcome = take_in(&mut connection, &mut cipher);
        if let Err(error) = outcome {
            // Why, for the client's eyes.
            let _ = send(&mut connection, &mut write, &mut out).await;
            return Err(error);
        }
    }
    let certificate = connection.peer_certificates().and_then(|all| all.first()).cloned();
    let binding = connection
        .export_keying_material([0; 32], b"EXPORTER-tidewire-auth", None)
        .map_err(io::Error::other)?;
    let facts = Facts { certificate: certificate.map(|it| it.into_owned()), binding };
    let tls = Rc::new(RefCell::new(connection));
    let read = TlsRead { stream: read, tls: Rc::clone(&tls), cipher, room: IDLE_READ };
    Ok(Handshake::Done(read, TlsWrite { stream: write, tls, cipher: out }, facts))
}

/// Hands over what was read, until it is used up or there is something for the application.
fn take_in(connection: &mut ServerConnection, cipher: &mut BytesMut) -> io::Result<()> {
    while !cipher.is_empty() {
        let taken = connection.read_tls(&mut (&mut *cipher).reader())?;
        connection
            .process_new_packets()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if taken == 0 || connection.reader().fill_buf().is_ok() {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads what there is, up to `room` bytes.
async fn fill(
    stream: &mut OwnedReadHalf<TcpStream>,
    cipher: &mut BytesMut,
    room: usize,
) -> io::Result<usize> {
    let mut buf = std::mem::take(cipher);
    buf.reserve(room);
    let len = buf.len();
    let (result, slice): (io::Result<usize>, SliceMut<BytesMut>) =
        stream.read(buf.slice_mut(len..len + room)).await;
    *cipher = slice.into_inner();
    result
}

/// Writes what rustls has to say.
async fn send(
    connection: &mut ServerConnection,
    stream: &mut OwnedWriteHalf<TcpStream>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    out.clear();
    while connection.wants_write() {
        connection.write_tls(out)?;
    }
    let (result, buf) = stream.write_all(std::mem::take(out)).await;
    *out = buf;
    result.map(drop)
}

impl TlsRead {
    /// Whether something was read that the caller has not been given.
    pub(super) fn has_bytes(&self) -> bool {
        let mut tls = self.tls.borrow_mut();
        let plain = tls.reader().fill_buf().map(drop);
        !self.cipher.is_empty()
            || plain.map_or_else(|e| e.kind() != io::ErrorKind::WouldBlock, |()| true)
    }

    /// Its socket.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        // SAFETY: as in `ready`.
        unsafe { &*self.stream.0.get() }.as_raw_fd()
    }

    /// Waits until there is something to read, or to decrypt.
    pub(super) async fn ready(&mut self) -> io::Result<()> {
        if self.has_bytes() {
            return Ok(());
        }
        // What was prepared for a busy time is not held meanwhile.
        self.cipher = BytesMut::new();
        // SAFETY: as monoio's own halves do. The stream lives in the Rc, is used by this thread
        // alone, and is never moved or replaced; waiting looks at its descriptor only.
        unsafe { &*self.stream.0.get() }.readable(false).await
    }

    /// Reads to the end of `buf`, within its capacity. Zero bytes is the end of the stream.
    pub(super) async fn read(&mut self, mut buf: BytesMut) -> (io::Result<usize>, BytesMut) {
        let before = buf.len();
        loop {
            match self.decrypt(&mut buf) {
                Ok(true) => return (Ok(0), buf),
                Ok(false) if buf.len() > before => return (Ok(buf.len() - before), buf),
                Ok(false) => {}
                Err(error) => return (Err(error), buf),
            }
            match fill(&mut self.stream, &mut self.cipher, self.room).await {
                // Without a goodbye: as when a plain connection is cut.
                Ok(0) => return (Ok(0), buf),
                Ok(got) => {
                    self.room = if got == self.room {
                        BUSY_READ
                    } else {
                        IDLE_READ.max(got.min(BUSY_READ))
                    }
                }
                Err(error) => return (Err(error), buf),
            }
        }
    }

    /// Decrypts what was read into `buf`, as far as there is room; whether this is the end.
    fn decrypt(&mut self, buf: &mut BytesMut) -> io::Result<bool> {
        let mut tls = self.tls.borrow_mut();
        loop {
            let room = buf.capacity() - buf.len();
            match tls.reader().fill_buf() {
                Ok([]) => return Ok(true),
                Ok(plain) => {
                    let step = plain.len().min(room);
                    buf.put_slice(&plain[..step]);
                    tls.reader().consume(step);
                    if step == room {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.cipher.is_empty() {
                        return Ok(false);
                    }
                    let before = self.cipher.len();
                    take_in(&mut tls, &mut self.cipher)?;
                    if self.cipher.len() == before {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl TlsWrite {
    /// Encrypts and writes all of `bytes` and leaves the list empty.
    pub(super) async fn write_all(&mut self, bytes: &mut Vec<Bytes>) -> io::Result<()> {
        let mut left = std::mem::take(bytes);
        let mut parts = left.drain(..);
        let mut part = parts.next();
        while part.is_some() {
            self.cipher.clear();
            {
                let mut tls = self.tls.borrow_mut();
                while let Some(bytes) =
                    part.as_mut().filter(|_| self.cipher.len() < WRITE_CHUNK)
                {
                    let step = bytes.len().min(WRITE_CHUNK);
                    let taken = tls.writer().write(&bytes[..step])?;
                    bytes.advance(taken);
                    while tls.wants_write() {
                        tls.write_tls(&mut self.cipher)?;
                    }
                    if bytes.is_empty() {
                        part = parts.next();
                    }
                }
            }
            self.flush().await?;
        }
        drop(parts);
        // The list's memory is the caller's.
        *bytes = left;
        Ok(())
    }

    /// Says that nothing more will come.
    pub(super) async fn finish(&mut self) {
        self.cipher.clear();
        {
            let mut tls = self.tls.borrow_mut();
            tls.send_close_notify();
            while tls.wants_write() && tls.write_tls(&mut self.cipher).is_ok() {}
        }
        // A peer that is gone needs no goodbye.
        let _ = self.flush().await;
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.cipher.is_empty() {
            return Ok(());
        }
        let (result, buf) = self.stream.write_all(std::mem::take(&mut self.cipher)).await;
        self.cipher = buf;
        result.map(drop)
    }
}
