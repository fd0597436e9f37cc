//! The addresses this gateway itself listens on.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
};

use arc_swap::ArcSwap;

use super::address::canonical;

/// Shared with every connector, and filled in once the listeners are bound: a connection to
/// one of them would make a request chase its own tail. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct OwnListeners(Arc<ArcSwap<Vec<SocketAddr>>>);

impl OwnListeners {
    /// Replaces the list. An unspecified address (`0.0.0.0`) stands for every address of the host.
    pub fn set(&self, addresses: Vec<SocketAddr>) {
        self.0.store(Arc::new(addresses));
    }

    /// Whether connecting to `address` would reach one of them.
    #[must_use]
    pub fn contains(&self, address: SocketAddr) -> bool {
        let ip = canonical(address.ip());
        self.0.load().iter().any(|own| {
            let own_ip = canonical(own.ip());
            own.port() == address.port()
                && (own_ip == ip || (own_ip.is_unspecified() && is_of_this_host(ip)))
        })
    }
}

/// Only addresses of this host can be bound; the socket is closed at once. Asked only for a
/// target on the very port of a listener, so it costs nothing in the usual case.
fn is_of_this_host(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_each_address_of_the_host() {
        let own = OwnListeners::default();
        assert!(!own.contains("127.0.0.1:8443".parse().unwrap()), "nothing bound yet");
        own.set(vec!["0.0.0.0:8443".parse().unwrap(), "127.0.0.1:9000".parse().unwrap()]);
        for (address, expected) in [
            ("127.0.0.1:8443", true),
            ("127.0.0.9:8443", true),
            ("[::ffff:127.0.0.1]:8443", true),
            ("127.0.0.1:8444", false),
            ("192.0.2.1:8443", false), // TEST-NET: nobody's address
            ("127.0.0.1:9000", true),
            ("127.0.0.2:9000", false),
        ] {
            assert_eq!(own.contains(address.parse().unwrap()), expected, "{address}");
        }
    }
}
