//! `upstream`, `ca` and `egress` of an account: where its requests go, and how they leave.

use std::net::IpAddr;

use super::{
    field::Field,
    listen::is_own,
    message::say,
    model::{Egress, Family, Origin, Roots, Scheme, Server, Upstream},
    suggest::{closest, did_you_mean, write},
    table::Table,
    tls::existing_file,
};

/// Reads `upstream`: `"sandbox"`, an origin, or a list of origins.
pub(super) fn read_upstream(field: &Field<'_>, server: &Server) -> Option<Upstream> {
    field.require(say!(
        "请写 \"sandbox\" 或 [\"https://api.weixin.qq.com\"]",
        "write \"sandbox\" or [\"https://api.weixin.qq.com\"]"
    ));
    if let Some(text) = field.value()?.as_str() {
        if text == SANDBOX {
            return Some(Upstream::Sandbox);
        }
        if closest(text, &[SANDBOX]).is_some() {
            let advice = did_you_mean(SANDBOX);
            return field.not_a(text, &say!("上游", "an upstream"), Some(advice));
        }
        return Some(Upstream::Origins(vec![read_origin(field, server)?]));
    }
    if field.is_empty_list() {
        let message = say!("至少要有一个上游", "at least one upstream is needed");
        return field.refused(message, Some(write("[\"https://api.weixin.qq.com\"]")));
    }
    let origins = field.list(|item| read_origin(item, server))?;
    if origins.len() > UPSTREAMS {
        let message = say!("最多 {UPSTREAMS} 个上游", "at most {UPSTREAMS} upstreams");
        return field.refused(message, None);
    }
    (!origins.is_empty()).then_some(Upstream::Origins(origins))
}

/// Reads `ca`.
pub(super) fn read_roots(field: &Field<'_>) -> Roots {
    let words = ["system", "bundled"];
    match field.value().and_then(|value| value.as_str()) {
        Some("system") => Roots::System,
        Some("bundled") => Roots::Bundled,
        Some(text) if closest(text, &words).is_some() && !text.contains(['.', '/']) => {
            let advice = closest(text, &words).map(did_you_mean);
            let wanted = say!("可信根证书", "\"system\", \"bundled\" or a PEM file");
            field.not_a(text, &wanted, advice).unwrap_or(Roots::System)
        }
        _ => existing_file(field).map_or(Roots::System, Roots::File),
    }
}

/// Reads `egress`.
pub(super) fn read_egress(table: &Table<'_>, server: &Server) -> Egress {
    let family = table.field("family").choice(&[
        ("ipv4", Family::Ipv4),
        ("ipv6", Family::Ipv6),
        ("any", Family::Any),
    ]);
    let family = family.unwrap_or(Family::Ipv4);
    let proxy = table.field("proxy");
    Egress {
        family,
        bind: read_bind(&table.field("bind"), family),
        proxy: read_proxy(&proxy, server),
    }
}

/// One real origin.
fn read_origin(field: &Field<'_>, server: &Server) -> Option<Origin> {
    if field.value()?.as_str() == Some(SANDBOX) {
        return field.refused(
            say!("沙箱不能和其他上游并列", "the sandbox cannot stand beside other upstreams"),
            Some(write("upstream = \"sandbox\"")),
        );
    }
    let origin = field.origin()?;
    let address = origin.host.parse::<IpAddr>().ok();
    let is_loopback = origin.host == "localhost" || address.is_some_and(|a| a.is_loopback());
    if origin.scheme == Scheme::Http && !is_loopback {
        let secure = format!("\"https://{}\"", origin.authority());
        return field.refused(
            say!(
                "令牌不能明文传输，只有本机可用 http",
                "a token never travels in the clear: http is for loopback only"
            ),
            Some(write(&secure)),
        );
    }
    is_reachable(field, &origin, server).then_some(origin)
}

/// Whether it makes sense to connect there at all.
fn is_reachable(field: &Field<'_>, origin: &Origin, server: &Server) -> bool {
    let address = origin.host.parse::<IpAddr>().ok();
    if origin.port == 0 || address.is_some_and(|a| a.is_unspecified() || a.is_multicast()) {
        field.refuse(say!("无法连接到这个地址", "nobody can connect to this address"), None);
        return false;
    }
    if is_own(server, origin) {
        let advice = say!("请写平台的地址", "write the platform's address");
        field.refuse(say!("这是网关自己", "this is this gateway itself"), Some(advice));
        return false;
    }
    true
}

/// The address itself is tried when it is first used: it may come up after this process.
fn read_bind(field: &Field<'_>, family: Family) -> Option<IpAddr> {
    let address = field.address()?;
    let fits = match family {
        Family::Ipv4 => address.is_ipv4(),
        Family::Ipv6 => address.is_ipv6(),
        // A source address fixes the family, so it cannot be any.
        Family::Any => false,
    };
    if !fits {
        let given = if address.is_ipv4() { "ipv4" } else { "ipv6" };
        return field.refused(
            say!("与 family 不符", "this is not of the family"),
            Some(write(&format!("family = \"{given}\""))),
        );
    }
    if address.is_unspecified() || address.is_multicast() {
        return field
            .refused(say!("须为本机的一个 IP", "this must be an address of this host"), None);
    }
    Some(address)
}

/// TLS to the upstream runs through the tunnel, so the proxy itself is spoken to in plain HTTP.
fn read_proxy(field: &Field<'_>, server: &Server) -> Option<Origin> {
    let origin = field.origin()?;
    if origin.scheme == Scheme::Https {
        let plain = format!("\"http://{}:{}\"", origin.host, origin.port);
        return field.refused(
            say!("代理本身只支持 http", "the proxy itself is spoken to over http"),
            Some(write(&plain)),
        );
    }
    is_reachable(field, &origin, server).then_some(origin)
}

impl Default for Egress {
    fn default() -> Self {
        Self { family: Family::Ipv4, bind: None, proxy: None }
    }
}

/// The word for the upstream in this process.
const SANDBOX: &str = "sandbox";

/// A platform has a handful of hosts; more would make a failing call try for minutes.
const UPSTREAMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::{
        model::{Family, Roots, Upstream},
        testing::{Files, accept, expect_problem},
    };

    const START: &str = "[[account]]\nname = 'a'\nkind = 'generic'\n";

    fn account(line: &str) -> String {
        let upstream = if line.starts_with("upstream") { "" } else { "\nupstream = 'sandbox'" };
        format!("{START}{line}{upstream}\n")
    }

    #[test]
    fn upstreams_keep_their_order() {
        let two = "upstream = ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com']";
        let Upstream::Origins(origins) = accept(&account(two)).accounts[0].upstream.clone() else {
            panic!("not real");
        };
        assert_eq!(
            origins.iter().map(|o| o.host.as_str()).collect::<Vec<_>>(),
            ["api.weixin.qq.com", "api2.weixin.qq.com"]
        );
        accept(&account("upstream = 'http://127.0.0.1:9443'"));
        accept(&account("upstream = 'http://localhost:9443'"));
    }

    #[test]
    fn an_upstream_that_cannot_be_is_refused() {
        for (value, says, advice) in [
            ("[]", "at least one upstream", "api.weixin.qq.com"),
            ("'sandbx'", "is not an upstream", "did you mean \"sandbox\""),
            ("['sandbox']", "cannot stand beside", "upstream = \"sandbox\""),
            ("'http://api.weixin.qq.com'", "in the clear", "\"https://api.weixin.qq.com\""),
            (
                "'https://api.weixin.qq.com/'",
                "only scheme, host and port",
                "\"https://api.weixin.qq.com\"",
            ),
            ("['https://x.cn', 'https://X.cn:443']", "in the list twice", ""),
            ("'https://0.0.0.0'", "nobody can connect", ""),
            ("'https://x.cn:0'", "nobody can connect", ""),
            ("1", "must be a list", ""),
        ] {
            expect_problem(&account(&format!("upstream = {value}")), (4, says, advice));
        }
    }

    #[test]
    fn egress_fits_its_family_and_names_no_password() {
        let line =
            "egress = { family = 'ipv6', bind = '2001:db8::5', proxy = 'http://10.0.0.1:3128' }";
        let egress = accept(&account(line)).accounts[0].egress.clone();
        assert_eq!((egress.family, egress.bind.is_some()), (Family::Ipv6, true));
        assert_eq!(egress.proxy.unwrap().to_string(), "http://10.0.0.1:3128");
        for (value, says, advice) in [
            ("{ bind = '2001:db8::5' }", "not of the family", "family = \"ipv6\""),
            ("{ family = 'any', bind = '203.0.113.5' }", "not of the family", "family = \"ipv4\""),
            ("{ bind = '0.0.0.0' }", "an address of this host", ""),
            ("{ bind = 'eth0' }", "`eth0` is not an address", ""),
            ("{ family = 'v4' }", "not one of", ""),
            ("{ famly = 'ipv4' }", "unknown key", "did you mean \"family\""),
            ("{ proxy = 'https://10.0.0.1' }", "spoken to over http", "http://10.0.0.1:443"),
            ("'ipv4'", "must be a table", ""),
        ] {
            expect_problem(&account(&format!("egress = {value}")), (4, says, advice));
        }
        let text = account("egress = { proxy = 'http://me:pa55word@10.0.0.1:3128' }");
        let shown = expect_problem(&text, (4, "no user name or password", ""));
        assert!(!shown.contains("pa55word"), "{shown}");
    }

    #[test]
    fn trust_is_a_word_or_a_file_that_exists() {
        let files = Files::new();
        files.write("ca.pem", "pem", 0o644);
        let config = files.accept(&account("ca = 'ca.pem'"));
        assert_eq!(config.accounts[0].roots, Roots::File(files.path("ca.pem")));
        assert_eq!(accept(&account("ca = 'bundled'")).accounts[0].roots, Roots::Bundled);
        expect_problem(&account("ca = 'sytem'"), (4, "`sytem` is not", "did you mean \"system\""));
        expect_problem(&account("ca = 'no.pem'"), (4, "cannot be read", ""));
    }
}
