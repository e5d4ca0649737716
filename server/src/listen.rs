//! Listening sockets: one for each shard on the same address, so that the kernel spreads
//! connections without a hop between threads.

use std::io;
use std::net::{SocketAddr, TcpListener};

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
