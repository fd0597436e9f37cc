//! How outgoing connections leave this host.

use std::net::IpAddr;

use super::origin::Origin;

/// `egress`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Egress {
    /// Which addresses of the upstream are used.
    pub family: Family,
    /// Source address of connections.
    pub bind: Option<IpAddr>,
    /// An HTTP proxy that is asked to CONNECT.
    pub proxy: Option<Origin>,
}

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4 only: the default, because an allow-list rarely knows both addresses.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Whatever answers first.
    Any,
}
