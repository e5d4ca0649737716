//! Listening sockets: one for each shard on the same address, so that the kernel spreads
//! connections without a hop between threads.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the place of a Unix socket is in the file system, and no data"
)]

use std::fs::{DirBuilder, Metadata};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted, for each shard.
const BACKLOG: i32 = 1024;

/// Binds `count` sockets to `address`. With port 0 the system chooses one port for all.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    // Sockets that share a port do not notice another server of the same user that does so too:
    // ask first, as one that does not share.
    if address.port() != 0 {
        socket(address)?.bind(&address.into())?;
    }
    let mut address = address;
    let mut listeners = Vec::with_capacity(count);
    for _ in 0..count {
        let socket = socket(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// A Unix socket that the programs of this machine can use; its file goes with it.
pub(crate) struct LocalSocket {
    path: PathBuf,
}

impl LocalSocket {
    /// Binds a socket named after `port` in a directory of this user's own.
    pub(crate) fn bind(directory: &Path, port: u16) -> io::Result<(Self, UnixListener)> {
        own_directory(directory)?;
        let path = directory.join(format!("{port}.sock"));
        // One that a server left which was killed: nobody answers there any more.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket())
            && UnixStream::connect(&path)
                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            std::fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        Ok((Self { path }, listener))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        // If it cannot be removed, the next server of this port does.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes sure that a directory is this user's own, and nobody else can put anything there.
fn own_directory(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found: Metadata = std::fs::symlink_metadata(directory)?;
    if !found.is_dir() || found.uid() != crate::rt::own_uid() || found.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "{} is not a directory that only this user can write to",
            directory.display()
        )));
    }
    Ok(())
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), Some(Protocol::TCP))?;
    // A server that was just stopped leaves the port in a state that would refuse the next.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused_even_to_those_who_would_share_it() {
        let any = "127.0.0.1:0".parse().expect("an address");
        let first = bind(any, 2).expect("a free port");
        let taken = first[0].local_addr().expect("bound");
        assert_eq!(taken, first[1].local_addr().expect("bound"));
        let error = bind(taken, 2).expect_err("in use");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
