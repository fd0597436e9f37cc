//! `scheme://host:port` and bare hosts, as proxy.toml writes them.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    field::Field,
    message::{Message, say},
    model::{Origin, Scheme},
    suggest::write,
};

/// What is wrong with an address, and what to write instead.
pub(super) type Refusal = (Message, Option<Message>);

impl Field<'_> {
    /// `https://api.weixin.qq.com`: a scheme, a host, perhaps a port, and nothing else.
    pub(super) fn origin(&self) -> Option<Origin> {
        match parse_origin(self.text()?) {
            Ok(origin) => Some(origin),
            Err((message, suggestion)) => self.refused(message, suggestion),
        }
    }

    /// A DNS name or literal address without a port, in lower case and without brackets.
    pub(super) fn host(&self) -> Option<String> {
        match parse_bare_host(self.text()?) {
            Ok(host) => Some(host),
            Err((message, suggestion)) => self.refused(message, suggestion),
        }
    }
}

/// Reads an origin. The text is never repeated where a user name or password could stand in it.
pub(super) fn parse_origin(text: &str) -> Result<Origin, Refusal> {
    let refuse = |message: Message| (message, Some(write("\"https://api.weixin.qq.com\"")));
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        refuse(say!("须以 https:// 开头", "must begin with https:// (or http:// on loopback)"))
    })?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return Err(refuse(say!("只支持 https 和 http", "the scheme is https or http"))),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if rest.contains('@') {
        let message = say!("地址里不能有用户名或密码", "no user name or password may stand here");
        return Err((message, None));
    }
    let (host, port) = split_port(authority).ok_or_else(|| {
        refuse(say!("端口不对，须为 1 到 65535", "the port is wrong: 1 to 65535"))
    })?;
    let host = parse_host(host).ok_or_else(|| refuse(not_a_host()))?;
    let origin = Origin { scheme, host, port: port.unwrap_or_else(|| scheme.default_port()) };
    if authority.len() < rest.len() {
        let message = say!(
            "只写协议、主机和端口，路径来自请求",
            "only scheme, host and port: the path comes from each request"
        );
        return Err((message, Some(write(&format!("\"{origin}\"")))));
    }
    Ok(origin)
}

/// Says what is too much: people paste URLs where a name is wanted.
fn parse_bare_host(text: &str) -> Result<String, Refusal> {
    if let Some(host) = parse_host(text) {
        return Ok(host);
    }
    if text.contains('*') {
        let message = say!("不支持通配符，请逐个写出", "no wildcard: write each name");
        return Err((message, None));
    }
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = without_scheme.split('/').next().unwrap_or(without_scheme);
    let host = split_port(authority).and_then(|(host, _)| parse_host(host));
    let suggestion = host.map(|host| write(&format!("\"{host}\"")));
    if suggestion.is_some() {
        let message =
            say!("这里只写主机名，不写协议、端口和路径", "a host only: no scheme, port or path");
        return Err((message, suggestion));
    }
    Err((not_a_host(), Some(write("\"wx.example.com\""))))
}

/// The same sentence for origins, listeners and hosts.
fn not_a_host() -> Message {
    say!(
        "不是主机名或 IP（国际化域名请写 xn-- 形式）",
        "this is no host name or address (write international names as xn--)"
    )
}

/// Splits the port off; none for a port that is no number, or 0 written with a sign.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority.get(host_end..)?.rfind(':').map(|at| host_end + at) else {
        return Some((authority, None));
    };
    let (host, port) = (authority.get(..colon)?, authority.get(colon + 1..)?);
    let is_number = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| port.parse().ok()).flatten().map(|port| (host, Some(port)))
}

/// A name in lower case, or an address in its canonical form without brackets.
fn parse_host(text: &str) -> Option<String> {
    let literal = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    if let Some(inner) = literal {
        return inner.parse::<Ipv6Addr>().ok().map(|address| address.to_string());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    is_dns_name(text).then(|| text.to_ascii_lowercase())
}

/// RFC 1123, with the underscore that internal names sometimes have. A last label of digits
/// would be half an IPv4 address.
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or(text);
    text.len() <= 253
        && text.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::kind::Language;

    #[test]
    fn origins_are_read_with_their_default_ports_and_written_without() {
        for (text, out, port) in [
            ("https://api.weixin.qq.com", "https://api.weixin.qq.com", 443),
            ("https://API.Weixin.QQ.com:443", "https://api.weixin.qq.com", 443),
            ("http://localhost", "http://localhost", 80),
            ("http://127.0.0.1:9443", "http://127.0.0.1:9443", 9443),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", 8443),
        ] {
            let origin = parse_origin(text).unwrap();
            assert_eq!((origin.to_string().as_str(), origin.port), (out, port));
        }
    }

    #[test]
    fn anything_but_scheme_host_and_port_is_refused_without_repeating_it() {
        for bad in [
            "",
            "api.weixin.qq.com",
            "ftp://x",
            "https://",
            "https://a b",
            "https://a..b",
            "https://-a",
            "https://1.2.3",
            "https://x:",
            "https://x:0x1",
            "https://x:+1",
            "https://x:65536",
            "https://[::1",
            "https://::1",
            "https://名.cn",
            "https://*.x.com",
            "https://x/",
            "https://x/cgi-bin",
            "https://x?a=1",
            "https://x#y",
            "HTTPS://x",
        ] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
        let (_, advice) = parse_origin("https://API.weixin.qq.com/").unwrap_err();
        let advice = advice.unwrap().in_language(Language::En);
        assert_eq!(advice, "write \"https://api.weixin.qq.com\"");
        let (message, advice) = parse_origin("http://me:pa55@10.0.0.1").unwrap_err();
        assert!(!message.in_language(Language::Both).contains("pa55") && advice.is_none());
    }

    #[test]
    fn hosts_are_bare_lower_case_and_canonical() {
        for (text, host) in [
            ("WX.Example.com", "wx.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("build_host", "build_host"),
        ] {
            assert_eq!(parse_bare_host(text).unwrap(), host);
        }
        for (text, advice) in [
            ("https://wx.example.com", Some("write \"wx.example.com\"")),
            ("wx.example.com:8443", Some("write \"wx.example.com\"")),
            ("[::1]:8443", Some("write \"::1\"")),
            ("*.example.com", None),
            ("a b", Some("write \"wx.example.com\"")),
        ] {
            let (_, suggestion) = parse_bare_host(text).unwrap_err();
            assert_eq!(suggestion.map(|s| s.in_language(Language::En)).as_deref(), advice);
        }
    }
}
