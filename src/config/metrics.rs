//! `[metrics]`: where Prometheus may ask.

use std::net::{IpAddr, SocketAddr};

use super::{
    field::Field,
    message::say,
    model::{Metrics, Server},
    suggest::write,
    table::Table,
};

/// Reads the table. The door has no sign-in, so it never stands on a public address.
pub(super) fn read(table: &Table<'_>, server: &Server) -> Metrics {
    let field = table.field("listen");
    let Some(address) = read_address(&field) else { return Metrics { listen: None } };
    if !is_private(address.ip()) {
        field.refuse(
            say!("指标不能放在公网地址上", "metrics need a loopback or private address"),
            Some(write("\"127.0.0.1:9090\"")),
        );
    }
    let taken = |port: u16, at: IpAddr| {
        port == address.port()
            && port != 0
            && (at == address.ip() || at.is_unspecified() && at.is_ipv4() == address.is_ipv4())
    };
    if server.listen.iter().any(|listen| taken(listen.port, listen.address)) {
        field.refuse(
            say!("这个端口已被 [server] listen 占用", "[server] listen already takes this port"),
            None,
        );
    }
    Metrics { listen: Some(address) }
}

/// `127.0.0.1:9090`, also with `http://` before it.
fn read_address(field: &Field<'_>) -> Option<SocketAddr> {
    let text = field.text()?;
    let example = || Some(write("\"127.0.0.1:9090\""));
    if text.starts_with("https://") {
        return field
            .refused(say!("指标只走 HTTP", "metrics are served over plain HTTP"), example());
    }
    let bare = text.strip_prefix("http://").unwrap_or(text);
    match bare.replace("localhost:", "127.0.0.1:").parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let wanted =
                say!("127.0.0.1:9090 这样的地址", "an address with a port, as 127.0.0.1:9090");
            field.not_a(text, &wanted, example())
        }
    }
}

/// Loopback, RFC 1918, RFC 4193. The wildcard is none of them: it takes in public addresses.
fn is_private(address: IpAddr) -> bool {
    match crate::base::cidr::plain(address) {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    #[test]
    fn metrics_stand_on_loopback_or_private_addresses_only() {
        for good in [
            "127.0.0.1:9090",
            "http://localhost:9090",
            "[::1]:0",
            "10.0.0.5:9090",
            "[fd00::1]:9090",
        ] {
            let config = accept(&format!("[metrics]\nlisten = '{good}'\n"));
            assert!(config.metrics.listen.is_some(), "{good}");
        }
        for (bad, says) in [
            ("0.0.0.0:9090", "loopback or private"),
            ("203.0.113.5:9090", "loopback or private"),
            ("[::]:9090", "loopback or private"),
            ("[2001:db8::1]:9090", "loopback or private"),
            ("https://127.0.0.1:9090", "plain HTTP"),
            ("127.0.0.1", "is not an address with a port"),
            ("127.0.0.1:8443", "already takes this port"),
        ] {
            expect_problem(&format!("[metrics]\nlisten = '{bad}'\n"), (2, says, ""));
        }
    }
}
