//! Listening sockets: one for each worker and address, all on the same port.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{EdgeError, error::bind_advice};
use crate::config::model::{Listen, Scheme};

/// One configured address, bound.
#[derive(Debug)]
pub struct BoundListener {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// With the port that was found where 0 was asked for.
    pub address: SocketAddr,
    /// One a worker; non-blocking, listening. `tokio::net::TcpListener::from_std` adopts them.
    pub sockets: Vec<TcpListener>,
}

/// Takes every address of `listen`, once for each of `workers`.
///
/// The kernel spreads connections over sockets that share a port (`SO_REUSEPORT`), but it lets
/// any process of the same user share it too: a second gateway would silently take half of the
/// traffic. So each address is first bound without that option.
///
/// # Errors
/// [`EdgeError::Bind`] names the address and says what to do.
pub fn bind(listen: &[Listen], workers: usize) -> Result<Vec<BoundListener>, EdgeError> {
    listen.iter().map(|one| bind_one(one, listen, workers.max(1))).collect()
}

fn bind_one(one: &Listen, all: &[Listen], workers: usize) -> Result<BoundListener, EdgeError> {
    let asked = SocketAddr::new(one.address, one.port);
    let scheme = one.scheme.as_str();
    let refused = |source: io::Error| EdgeError::Bind {
        scheme,
        address: asked,
        advice: bind_advice(&source),
        source,
    };
    let broken = |source| EdgeError::Listener { address: asked, source };
    let v6_only = is_v4_taken(one, all);
    let probe = open(asked, v6_only, Sharing::Alone).map_err(refused)?;
    let address = probe.local_addr().and_then(|bound| as_ip(&bound)).map_err(broken)?;
    drop(probe);
    let sockets = (0..workers)
        .map(|_| open(address, v6_only, Sharing::Workers).and_then(listening).map_err(refused))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(BoundListener { scheme: one.scheme, address, sockets })
}

/// `[::]` takes IPv4 as well, unless the file asks for `0.0.0.0` on the same port.
fn is_v4_taken(one: &Listen, all: &[Listen]) -> bool {
    all.iter().any(|other| match other.address {
        IpAddr::V4(v4) => v4.is_unspecified() && other.port == one.port,
        IpAddr::V6(_) => false,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Workers,
}

fn open(address: SocketAddr, v6_only: bool, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of a previous run that linger in TIME_WAIT do not hold the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    if sharing == Sharing::Workers {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listening(socket: Socket) -> io::Result<TcpListener> {
    // Accepted sockets inherit both options, which saves two system calls a connection.
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn as_ip(address: &socket2::SockAddr) -> io::Result<SocketAddr> {
    address.as_socket().ok_or_else(|| io::Error::other("not an IP address"))
}

/// Connections that wait for us in the kernel, a socket.
const BACKLOG: i32 = 4096;

/// Bytes that wait in the kernel unsent. Without it a socket counts as writable again only when
/// a third of its buffer (up to 4 MiB) has drained: a client that reads 20 KiB/s would look dead
/// for a minute. It also bounds the kernel memory of slow readers.
#[cfg(target_os = "linux")]
const NOT_SENT_BYTES: u32 = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> Listen {
        Listen { scheme: Scheme::Http, address: "127.0.0.1".parse().unwrap(), port }
    }

    #[test]
    fn every_worker_gets_a_socket_on_the_same_free_port() {
        let bound = bind(&[loopback(0), loopback(0)], 3).unwrap();
        assert_eq!(bound.len(), 2);
        for one in &bound {
            assert_ne!(one.address.port(), 0);
            assert_eq!(one.sockets.len(), 3);
            assert!(one.sockets.iter().all(|s| s.local_addr().unwrap() == one.address));
        }
        assert_ne!(bound[0].address, bound[1].address);
    }

    #[test]
    fn a_port_in_use_is_an_error_that_names_it_even_if_its_owner_would_share() {
        let ours = bind(&[loopback(0)], 2).unwrap();
        let error = bind(&[loopback(ours[0].address.port())], 2).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("http://{}", ours[0].address)), "{text}");
        assert!(text.contains("another program listens there"), "{text}");
        let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(bind(&[loopback(foreign.local_addr().unwrap().port())], 1).is_err());
    }

    #[test]
    fn a_port_is_free_again_once_its_sockets_are_gone() {
        let port = bind(&[loopback(0)], 2).unwrap()[0].address.port();
        assert!(bind(&[loopback(port)], 2).is_ok());
    }

    #[test]
    fn an_address_of_another_host_is_refused_with_advice() {
        let listen = Listen { address: "203.0.113.1".parse().unwrap(), ..loopback(0) };
        let text = bind(&[listen], 1).unwrap_err().to_string();
        assert!(text.contains("this host has no such address"), "{text}");
    }
}
