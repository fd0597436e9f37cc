//! Who a request comes from, when proxies stand in between.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use super::ConnInfo;
use crate::base::cidr::{Cidr, plain};

/// The client's address: [`ConnInfo::client`], unless that is a proxy of `trusted`; then the
/// rightmost address of `X-Forwarded-For` that is none of them. What stands further left was
/// written by the client itself and proves nothing.
///
/// An entry that is no address ends the search: the last proxy that was still understood is
/// then the client.
#[must_use]
pub fn client_of(conn: &ConnInfo, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = plain(conn.client);
    if !is_trusted(client) {
        return client;
    }
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    for entry in entries {
        let Some(address) = address_in(entry) else { break };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address_in(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()?;
    Some(plain(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Door;

    fn client(conn: &str, lines: &[&str]) -> String {
        let trusted: Vec<Cidr> =
            ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].iter().map(|c| c.parse().unwrap()).collect();
        let conn = ConnInfo {
            id: 1,
            peer: "127.0.0.1:1".parse().unwrap(),
            client: conn.parse().unwrap(),
            peer_is_trusted: true,
            local: "127.0.0.1:2".parse().unwrap(),
            door: Door::HttpLoopback,
            sni: None,
            certificate: None,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client_of(&conn, &headers, &trusted).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_not_ours_is_the_client() {
        for (conn, lines, expected) in [
            ("127.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
            ("127.0.0.1", &["1.2.3.4, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
            ("127.0.0.1", &["1.2.3.4", "203.0.113.7", " 10.1.1.1 "], "203.0.113.7"),
            ("127.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("127.0.0.1", &["[2001:db8::1]:4711,fd00::1"], "2001:db8::1"),
            ("127.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["10.0.0.5, 10.0.0.6"], "10.0.0.5"),
            ("127.0.0.1", &[], "127.0.0.1"),
        ] {
            assert_eq!(client(conn, lines), expected, "{conn} {lines:?}");
        }
    }

    #[test]
    fn a_stranger_is_not_believed_and_nonsense_ends_the_search() {
        assert_eq!(client("198.51.100.1", &["203.0.113.7"]), "198.51.100.1");
        for nonsense in ["unknown", "", "203.0.113.7, _hidden", "1.2.3.4,,", "1.2.3.4.5"] {
            assert_eq!(client("127.0.0.1", &[nonsense]), "127.0.0.1", "{nonsense}");
        }
        assert_eq!(client("127.0.0.1", &["203.0.113.7, junk, 10.0.0.1"]), "10.0.0.1");
    }
}
