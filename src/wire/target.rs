//! Where a connection goes.

use std::{fmt, io, net::IpAddr};

use http::Uri;
use rustls_pki_types::ServerName;

use super::WireError;
use crate::base::origin::{Origin, Scheme};

/// Scheme, host and port, parsed once so that connecting cannot fail over spelling.
#[derive(Clone, Debug)]
pub struct Target {
    scheme: Scheme,
    host: String,
    port: u16,
    /// `host:port`, for messages and for CONNECT; IPv6 in brackets.
    label: String,
    /// What the certificate must be for; also the SNI, unless it is an address.
    server_name: ServerName<'static>,
}

impl Target {
    /// The place that an origin of the configuration names.
    ///
    /// # Errors
    /// [`WireError::Dns`] if the host is neither an address nor a possible name.
    pub fn from_origin(origin: &Origin) -> Result<Self, WireError> {
        Self::new(origin.scheme, &origin.host, origin.port)
    }

    /// The place that an absolute URI names.
    ///
    /// # Errors
    /// [`WireError::Dns`] if it is not `http` or `https`, or has no usable host.
    pub fn from_uri(uri: &Uri) -> Result<Self, WireError> {
        let host = uri.host().unwrap_or_default();
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            Some(_) | None => return Err(unusable(host, "only http and https can be called")),
        };
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        Self::new(scheme, bare, uri.port_u16().unwrap_or_else(|| scheme.default_port()))
    }

    fn new(scheme: Scheme, host: &str, port: u16) -> Result<Self, WireError> {
        let server_name = ServerName::try_from(host.to_owned())
            .map_err(|_| unusable(host, "neither a host name nor an address"))?;
        let label =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Ok(Self { scheme, host: host.to_owned(), port, label, server_name })
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, always set.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one.
    pub(super) fn literal(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    pub(super) fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// `host:port`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

fn unusable(host: &str, why: &'static str) -> WireError {
    let source = io::Error::new(io::ErrorKind::InvalidInput, why);
    WireError::Dns { host: host.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_and_an_origin_name_the_same_place() {
        let uri = Target::from_uri(&Uri::from_static("https://api.weixin.qq.com/x?y=1")).unwrap();
        assert_eq!(uri.label(), "api.weixin.qq.com:443");
        let origin = Origin { scheme: Scheme::Http, host: "::1".into(), port: 8080 };
        let target = Target::from_origin(&origin).unwrap();
        assert_eq!((target.label(), target.host()), ("[::1]:8080", "::1"));
        let uri = Target::from_uri(&Uri::from_static("http://[::1]:8080/")).unwrap();
        assert_eq!(uri.label(), target.label());
        assert!(uri.literal().is_some());
    }

    #[test]
    fn what_cannot_be_called_is_refused_before_any_socket_is_opened() {
        for uri in ["/path-only", "ftp://h/", "https://-bad-.example/", "https://a..b/"] {
            let refused = Target::from_uri(&uri.parse().unwrap());
            assert!(matches!(refused, Err(WireError::Dns { .. })), "{uri}: {refused:?}");
        }
    }
}
