//! Which of a name's addresses are connected to, in which order.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::{OwnListeners, Target, WireError};
use crate::base::egress::{Egress, Family};

/// Filters and orders what the resolver said, or says why nothing is left.
///
/// A name that leads to this host or to the link is refused: whoever can forge a DNS answer
/// must not reach services that trust their neighbours. A literal address and `localhost`
/// are the operator's own words and pass.
pub(super) fn usable(
    target: &Target,
    found: &[IpAddr],
    egress: &Egress,
    own: &OwnListeners,
    trusted: bool,
) -> Result<Vec<SocketAddr>, WireError> {
    let of_family: Vec<IpAddr> =
        found.iter().copied().map(canonical).filter(|ip| wanted(*ip, egress)).collect();
    if of_family.is_empty() {
        return Err(none_of_family(target, found, egress));
    }
    let trusted = trusted || target.literal().is_some() || is_localhost(target.host());
    let (mut to_us, mut refused) = (None, None);
    let mut usable = Vec::with_capacity(of_family.len());
    for ip in of_family {
        let address = SocketAddr::new(ip, target.port());
        if own.contains(address) {
            to_us = Some(address);
        } else if !trusted && is_local(ip) {
            refused = Some(ip);
        } else {
            usable.push(address);
        }
    }
    match (usable.is_empty(), to_us, refused) {
        (false, _, _) => Ok(alternate(usable)),
        (true, Some(address), _) => Err(WireError::Loop { to: target.to_string(), address }),
        (true, None, refused) => Err(is_refused(target, refused)),
    }
}

/// `::ffff:127.0.0.1` is `127.0.0.1`, also to a firewall.
pub(super) fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

fn wanted(ip: IpAddr, egress: &Egress) -> bool {
    let family = match egress.family {
        Family::Ipv4 => ip.is_ipv4(),
        Family::Ipv6 => ip.is_ipv6(),
        Family::Any => true,
    };
    family && egress.bind.is_none_or(|bind| bind.is_ipv4() == ip.is_ipv4())
}

fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

/// This host, this link (cloud metadata lives there), or nobody.
fn is_local(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    link_local || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast()
}

/// Families in turn, beginning with the resolver's favourite, so that one broken family costs
/// one pause only (RFC 8305, section 4).
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (favourite, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let mut ordered = Vec::with_capacity(favourite.len() + other.len());
    let (mut favourite, mut other) = (favourite.into_iter(), other.into_iter());
    loop {
        match (favourite.next(), other.next()) {
            (None, None) => return ordered,
            (a, b) => ordered.extend(a.into_iter().chain(b)),
        }
    }
}

fn none_of_family(target: &Target, found: &[IpAddr], egress: &Egress) -> WireError {
    let family = match (egress.family, egress.bind) {
        (Family::Ipv4, _) | (Family::Any, Some(IpAddr::V4(_))) => "IPv4",
        (Family::Ipv6, _) | (Family::Any, Some(IpAddr::V6(_))) => "IPv6",
        (Family::Any, None) => "usable",
    };
    let text = format!(
        "it has {} addresses, but no {family} one; see `egress` (family, bind)",
        found.len()
    );
    dns(target, io::ErrorKind::AddrNotAvailable, text)
}

fn is_refused(target: &Target, refused: Option<IpAddr>) -> WireError {
    let ip = refused.map(|ip| ip.to_string()).unwrap_or_default();
    let text = format!(
        "the name leads to the local address {ip}, which is refused; \
         if that is meant, write the address itself in `upstream`"
    );
    dns(target, io::ErrorKind::PermissionDenied, text)
}

fn dns(target: &Target, kind: io::ErrorKind, text: String) -> WireError {
    WireError::Dns { host: target.host().to_owned(), source: io::Error::new(kind, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::chain::Chain;

    fn ask(host: &str, found: &[&str], family: Family) -> Result<Vec<String>, WireError> {
        let target = Target::from_uri(&format!("https://{host}").parse().unwrap()).unwrap();
        let found: Vec<IpAddr> = found.iter().map(|ip| ip.parse().unwrap()).collect();
        let egress = Egress { family, bind: None, proxy: None };
        let own = OwnListeners::default();
        own.set(vec!["127.0.0.1:443".parse().unwrap()]);
        let usable = usable(&target, &found, &egress, &own, false)?;
        Ok(usable.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_the_configured_family_is_used_and_any_takes_turns() {
        let found = ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"];
        let v4 = ask("api.example", &found, Family::Ipv4).unwrap();
        assert_eq!(v4, ["192.0.2.1:443", "192.0.2.2:443"]);
        let v6 = ask("api.example", &found, Family::Ipv6).unwrap();
        assert_eq!(v6, ["[2001:db8::1]:443", "[2001:db8::2]:443"]);
        let any = ask("api.example", &found, Family::Any).unwrap();
        assert_eq!(
            any,
            ["[2001:db8::1]:443", "192.0.2.1:443", "[2001:db8::2]:443", "192.0.2.2:443"]
        );
        let none = ask("api.example", &["2001:db8::1"], Family::Ipv4).unwrap_err();
        assert!(Chain(&none).to_string().contains("no IPv4 one"), "{}", Chain(&none));
    }

    #[test]
    fn a_name_that_leads_to_this_host_or_link_is_refused_and_a_literal_is_not() {
        for ip in [
            "127.0.0.2",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "::ffff:127.0.0.3",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            let refused = ask("api.example", &[ip], Family::Any);
            assert!(matches!(refused, Err(WireError::Dns { .. })), "{ip}: {refused:?}");
        }
        assert!(ask("127.0.0.2", &["127.0.0.2"], Family::Ipv4).is_ok());
        assert!(ask("localhost", &["127.0.0.2"], Family::Ipv4).is_ok());
        let mixed = ask("api.example", &["127.0.0.2", "192.0.2.7"], Family::Ipv4).unwrap();
        assert_eq!(mixed, ["192.0.2.7:443"], "the good one remains");
    }

    #[test]
    fn a_name_that_leads_to_our_own_listener_is_a_loop() {
        for host in ["api.example", "127.0.0.1", "localhost"] {
            let looped = ask(host, &["127.0.0.1"], Family::Ipv4).unwrap_err();
            assert!(matches!(looped, WireError::Loop { .. }), "{host}: {looped:?}");
            assert!(looped.nothing_was_sent());
        }
    }
}
