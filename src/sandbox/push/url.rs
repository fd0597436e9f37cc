//! The URL that an account's pushes go to.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls_pki_types::ServerName;

/// Absolute, `http` or `https`. The platform allows ports 80 and 443 only; a developer's
/// machine has others, so that any is good here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PushUrl {
    uri: Uri,
    host: String,
    port: u16,
    is_tls: bool,
}

impl PushUrl {
    /// Reads a URL.
    ///
    /// An error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!("url has at most {MOST_BYTES} bytes"));
        }
        let uri: Uri = text.parse().map_err(|error| format!("url: {error}"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err("url begins with http:// or https://".to_owned()),
        };
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if authority.contains('@') || text.contains('#') {
            return Err("url has neither a user nor a fragment".to_owned());
        }
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if ServerName::try_from(host).is_err() {
            return Err(format!("url: `{host}` is neither a host name nor an address"));
        }
        let port = match (uri.port_u16(), authority.rsplit_once(':')) {
            (Some(0), _) => return Err("url: there is no port 0".to_owned()),
            (Some(port), _) => port,
            // An IPv6 address has colons and ends in a bracket.
            (None, Some((_, behind))) if !behind.is_empty() && !behind.ends_with(']') => {
                return Err(format!("url: `{behind}` is no port"));
            }
            (None, _) if is_tls => 443,
            (None, _) => 80,
        };
        Ok(Self { host: host.to_ascii_lowercase(), port, is_tls, uri })
    }

    /// Name or address, in lower case, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Always set.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken.
    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// For the `Host` header.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map(http::uri::Authority::as_str).unwrap_or_default()
    }

    /// Path and query of a request, `parameters` added to those that the URL has itself.
    pub(super) fn target(&self, parameters: &[(&str, &str)]) -> String {
        let mut target = self.uri.path_and_query().map_or("/", |both| both.as_str()).to_owned();
        let mut separator = if target.contains('?') { '&' } else { '?' };
        for (name, value) in parameters {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, QUERY_VALUE));
            separator = '&';
        }
        target
    }
}

impl std::fmt::Display for PushUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.uri.fmt(f)
    }
}

const MOST_BYTES: usize = 2048;
/// Everything but RFC 3986's unreserved characters is escaped.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_follow_those_that_the_url_has_already() {
        let target = |url: &str| PushUrl::parse(url).unwrap().target(&[("a", "1"), ("b", "x y")]);
        assert_eq!(target("http://localhost:8000/push"), "/push?a=1&b=x%20y");
        assert_eq!(target("https://localhost/push?app=1"), "/push?app=1&a=1&b=x%20y");
        assert_eq!(target("https://localhost"), "/?a=1&b=x%20y");
        let url = PushUrl::parse("http://[::1]:8000/x").unwrap();
        assert_eq!((url.host(), url.port(), url.authority()), ("::1", 8000, "[::1]:8000"));
        assert_eq!(PushUrl::parse("http://[::1]/").unwrap().port(), 80);
        assert_eq!(PushUrl::parse("http://localhost:/").unwrap().port(), 80);
        let url = PushUrl::parse("https://LocalHost").unwrap();
        assert_eq!((url.host(), url.port(), url.is_tls()), ("localhost", 443, true));
    }

    #[test]
    fn what_cannot_be_pushed_to_is_refused() {
        let long = format!("http://localhost/{}", "a".repeat(MOST_BYTES));
        for bad in [
            "",
            "/push",
            "localhost:8000/push",
            "ftp://localhost/",
            "file:///etc/passwd",
            "http://user:word@localhost/",
            "http://localhost/#part",
            "http:// localhost/",
            "http://a..b/",
            "http://localhost:0/",
            "http://localhost:99999/",
            "http://[::1]:99999/",
            &long,
        ] {
            assert!(PushUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
