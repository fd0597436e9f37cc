//! `listen`: the addresses of `[server]`, and whether an upstream is one of them.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    field::Field,
    message::say,
    model::{Listen, Origin, Scheme, Server},
    origin::parse_origin,
    suggest::write,
};

/// Reads the list; one listener on loopback if there is none.
pub(super) fn read(field: &Field<'_>) -> Vec<Listen> {
    let Some(items) = field.items() else {
        return vec![Listen { scheme: Scheme::Https, address: LOOPBACK, port: 8443 }];
    };
    if items.is_empty() {
        let message = say!("至少要有一个监听地址", "at least one address is needed");
        field.refuse(message, Some(write("[\"https://127.0.0.1:8443\"]")));
    }
    let mut listen: Vec<Listen> = Vec::new();
    for item in &items {
        let Some(one) = item.listen() else { continue };
        if let Some(other) = listen.iter().find(|other| collide(other, &one)) {
            let other = other.to_string();
            item.refuse(say!("与 {other} 冲突", "{other} already takes this port"), None);
        }
        listen.push(one);
    }
    listen
}

impl Field<'_> {
    /// A scheme, a literal address, a port. `localhost` is the one name that needs no resolver.
    fn listen(&self) -> Option<Listen> {
        let text = self.text()?;
        // Port 0 (any free one) is no port to connect to, but one to listen on.
        match parse_origin(text) {
            Ok(Origin { scheme, host, port }) => match host.parse::<IpAddr>() {
                Ok(address) => Some(Listen { scheme, address, port }),
                Err(_) if host == "localhost" => Some(Listen { scheme, address: LOOPBACK, port }),
                Err(_) => self.refused(
                    say!("监听地址须为 IP", "a listener needs an address, not a name"),
                    Some(say!(
                        "请写 \"https://0.0.0.0:443\" 监听全部网卡；域名写进 hosts",
                        "write \"https://0.0.0.0:443\" for all interfaces; the name belongs in hosts"
                    )),
                ),
            },
            Err((message, suggestion)) => {
                let example = write("\"https://127.0.0.1:8443\"");
                self.refused(message, suggestion.map(|_| example))
            }
        }
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = std::net::SocketAddr::new(self.address, self.port);
        write!(f, "{}://{address}", self.scheme.as_str())
    }
}

/// Whether a connection to `origin` would arrive here. A name that we answer to is not enough:
/// a laptop may know us as `api.weixin.qq.com`, which is still the platform for this host.
pub(super) fn is_own(server: &Server, origin: &Origin) -> bool {
    let is_localhost = origin.host == "localhost";
    let address = origin.host.parse::<IpAddr>().ok();
    server.listen.iter().filter(|listen| listen.port == origin.port && listen.port != 0).any(|l| {
        let is_here =
            address.is_some_and(|a| a.is_loopback() || server.hosts.contains(&origin.host));
        let is_there = is_localhost && (l.address.is_loopback() || l.address.is_unspecified());
        is_there || address == Some(l.address) || l.address.is_unspecified() && is_here
    })
}

/// Whether the system would refuse the second of the two. A wildcard takes its whole family.
fn collide(a: &Listen, b: &Listen) -> bool {
    let wildcard = |l: &Listen| l.address.is_unspecified();
    let same_family = a.address.is_ipv4() == b.address.is_ipv4();
    let overlap = a.address == b.address || same_family && (wildcard(a) || wildcard(b));
    a.port == b.port && a.port != 0 && overlap
}

/// Where a gateway listens that nobody has configured: reachable from this host only.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    fn written(listen: &str) -> String {
        let config = accept(&format!("[server]\nlisten = {listen}\n"));
        config.server.listen.iter().map(|l| format!("{l} ")).collect()
    }

    #[test]
    fn addresses_are_read_with_their_default_ports() {
        assert_eq!(
            written(
                "['https://127.0.0.1:8443', 'https://[::1]:8443', 'http://0.0.0.0', 'https://[::]']"
            ),
            "https://127.0.0.1:8443 https://[::1]:8443 http://0.0.0.0:80 https://[::]:443 "
        );
        assert_eq!(written("['https://localhost:8443']"), "https://127.0.0.1:8443 ");
        assert_eq!(
            written("['https://127.0.0.1:0', 'https://127.0.0.1:0']"),
            "https://127.0.0.1:0 https://127.0.0.1:0 ",
            "any free port may be asked for twice"
        );
    }

    #[test]
    fn names_and_nonsense_are_refused() {
        for (listen, says, advice) in [
            ("[]", "at least one address", "127.0.0.1:8443"),
            ("['https://wx.example.com']", "an address, not a name", "0.0.0.0:443"),
            ("['127.0.0.1:8443']", "must begin with https://", "https://127.0.0.1:8443"),
            ("['https://127.0.0.1:8443/x']", "only scheme, host and port", ""),
            ("['https://127.0.0.1:99999']", "the port is wrong", ""),
            ("'https://127.0.0.1:8443'", "must be a list", "write [\"https://127.0.0.1:8443\"]"),
        ] {
            expect_problem(&format!("[server]\nlisten = {listen}\n"), (2, says, advice));
        }
    }

    #[test]
    fn two_listeners_on_one_address_are_refused() {
        for listen in [
            "['https://127.0.0.1:8443', 'http://127.0.0.1:8443']",
            "['https://0.0.0.0:8443', 'http://127.0.0.1:8443']",
            "['https://127.0.0.1', 'https://localhost:443']",
        ] {
            expect_problem(&format!("[server]\nlisten = {listen}\n"), (2, "already takes", ""));
        }
        accept("[server]\nlisten = ['https://[::]:443', 'http://0.0.0.0:443']\n");
    }

    #[test]
    fn an_upstream_that_is_this_gateway_is_a_loop() {
        let file = |listen: &str, upstream: &str| {
            format!(
                "[server]\nlisten = ['{listen}']\nhosts = ['203.0.113.5', 'api.weixin.qq.com']\n\
                 [[account]]\nname = 'a'\nkind = 'generic'\nupstream = '{upstream}'\n"
            )
        };
        for (listen, upstream) in [
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("https://127.0.0.1:8443", "https://localhost:8443"),
            ("https://0.0.0.0:8443", "https://203.0.113.5:8443"),
            ("https://0.0.0.0:8443", "https://127.0.0.9:8443"),
            ("https://[::]:8443", "https://[::1]:8443"),
        ] {
            expect_problem(&file(listen, upstream), (7, "is this gateway itself", ""));
        }
        for (listen, upstream) in [
            ("https://127.0.0.1:8443", "https://127.0.0.1:8444"),
            ("https://0.0.0.0:443", "https://api.weixin.qq.com"),
            ("https://127.0.0.1:8443", "https://203.0.113.5:8443"),
        ] {
            accept(&file(listen, upstream));
        }
    }
}
