//! Sockets: binding, and turning accepted connections into HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections the system may hold that are not yet accepted.
const BACKLOG: i32 = 1024;

/// Binds a socket that does not listen yet. An empty address means all, IPv6 and IPv4 in one socket where the machine has IPv6.
///
/// # Errors
/// When the address is none of this machine or the port is taken.
pub(super) fn bind(address: &str, port: u16) -> io::Result<Socket> {
    if address.is_empty() {
        return bind_one(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port))
            .or_else(|_| bind_one(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)));
    }
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the address has no meaning here");
    for candidate in (bare, port).to_socket_addrs()? {
        match bind_one(candidate) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_one(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // A restarted server must not wait for old connections to fade.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Starts listening: from here on clients can connect.
///
/// # Errors
/// When another socket listens on the same port.
pub(super) fn open(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The address that a socket is bound to.
///
/// # Errors
/// When it is of no Internet family.
pub(super) fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// Lets this process open as many files as the system allows it: each connection is one, and the usual soft limit of
/// 1024 is for programs that use `select`.
pub(super) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // A refusal leaves the limit as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_take_both_families() {
        let listener = open(bind("", 0).unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let first = open(bind("127.0.0.1", 0).unwrap()).unwrap();
        let port = first.local_addr().unwrap().port();
        assert!(bind("127.0.0.1", port).is_err());
        assert!(bind("[::1", 0).is_ok() || bind("127.0.0.1", 0).is_ok());
    }
}
