//! The TCP connection itself.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

/// How long an address may stay silent before the next one is tried beside it (RFC 8305
/// recommends 250 ms).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// A peer that vanished is noticed even while nothing is sent.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// Sent bytes that stay unacknowledged for so long end the connection; a little above the
/// 30 s that an upload may stall, so that the reason told is the better one.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(35);

/// Connects to the first of `addresses` that answers. The caller sets the time limit.
///
/// # Errors
/// What the last address said, if none answers.
pub(super) async fn dial(addresses: &[SocketAddr], bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut rest = addresses.iter().copied();
    let mut tries = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "there is no address to try");
    loop {
        let more = rest.len() > 0;
        let outcome = if tries.is_empty() {
            None
        } else if more {
            tokio::time::timeout(NEXT_ADDRESS_AFTER, tries.next()).await.ok().flatten()
        } else {
            tries.next().await
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None => {}
        }
        match rest.next() {
            Some(address) => tries.push(connect(address, bind)),
            None if tries.is_empty() => return Err(last),
            None => {}
        }
    }
}

async fn connect(address: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(ip) = bind {
        socket.bind(SocketAddr::new(ip, 0)).map_err(|error| {
            let text = format!("cannot use the egress address {ip}: {error}; see `egress.bind`");
            io::Error::new(error.kind(), text)
        })?;
    }
    socket.set_nodelay(true)?;
    let options = SockRef::from(&socket);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    options.set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_TRIES))?;
    #[cfg(target_os = "linux")]
    options.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_that_refuses_costs_nothing_when_the_next_one_answers() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [gone, here.local_addr().unwrap()];
        let stream = dial(&addresses, Some([127, 0, 0, 7].into())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), here.local_addr().unwrap());
        assert_eq!(stream.local_addr().unwrap().ip(), IpAddr::from([127, 0, 0, 7]));
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn an_address_that_stays_silent_delays_the_next_one_by_a_moment_only() {
        let (silent, _held) = crate::wire::testing::black_hole().await;
        let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = dial(&[silent, here.local_addr().unwrap()], None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), here.local_addr().unwrap());
    }

    #[tokio::test]
    async fn no_answer_at_all_tells_what_the_last_address_said() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = dial(&[gone, gone], None).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let foreign = dial(&[gone], Some([192, 0, 2, 1].into())).await.unwrap_err();
        assert!(foreign.to_string().contains("egress.bind"), "{foreign}");
        assert_eq!(dial(&[], None).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
