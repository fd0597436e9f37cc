//! How a command reaches a sandbox, or whatever else answers like the platform.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use clap::Args;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};

use crate::{
    base::{
        chain::Chain,
        egress::{Egress, Family},
        roots::Roots,
        tasks::Tasks,
    },
    cli::exit::{Exit, Failure},
    wire::{
        Client, ConnectLimits, Connector, ConnectorOptions, OwnListeners, Resolver, RootsSource,
        WireError,
    },
};

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TrustArgs {
    /// The CA to trust: certs/ca.pem of a gateway, --ca-file of a sandbox
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_loopback", value_hint = clap::ValueHint::FilePath)]
    pub(super) ca: Option<PathBuf>,
    /// Take any certificate, from this host only
    #[arg(long)]
    pub(super) insecure_loopback: bool,
}

/// A place that is called: scheme, host, port, and what stands before every path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Place {
    /// `https://localhost:8443`.
    pub(in crate::cli) origin: String,
    /// `/@shop`, or nothing.
    pub(in crate::cli) path: String,
    host: String,
}

impl Place {
    /// Reads a URL without query.
    ///
    /// # Errors
    /// When it is none.
    pub(in crate::cli) fn parse(url: &str) -> Result<Self, Failure> {
        let bad = || {
            let text = format!("`{url}` is not of the form https://host:port");
            Failure::say(Exit::Usage, text)
        };
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| bad())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(bad());
        };
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(bad());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { origin: format!("{scheme}://{authority}"), path, host })
    }

    /// Whether it is on this host.
    pub(in crate::cli) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// The account that `/@name` names.
    pub(in crate::cli) fn account(&self) -> Option<&str> {
        self.path.strip_prefix("/@").filter(|name| !name.contains('/'))
    }
}

/// Sends whole requests.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
}

impl Http {
    /// Nothing is connected to yet.
    ///
    /// # Errors
    /// When the CA cannot be read.
    pub(super) fn new(trust: &TrustArgs, tasks: &Tasks) -> Result<Self, Failure> {
        let roots = match (&trust.ca, trust.insecure_loopback) {
            (_, true) => RootsSource::AnyOnLoopback,
            (Some(file), false) => RootsSource::Config(Roots::File(file.clone())),
            (None, false) => RootsSource::Config(Roots::System),
        };
        let options = ConnectorOptions {
            egress: Egress { family: Family::Any, bind: None, proxy: None },
            roots,
            offer_http2: false,
            limits: ConnectLimits::default(),
            own: OwnListeners::default(),
            resolver: Resolver::system(tasks.clone()),
        };
        let connector =
            Connector::new(options).map_err(|error| Failure::new(Exit::Usage, error))?;
        let client = Client::new(connector, tasks.clone()).with_answer_cap(ANSWER_CAP_BYTES);
        Ok(Self { client })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn send(
        &self,
        method: &Method,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        self.try_send(method, url, headers, body).await.map_err(unreachable)
    }

    /// [`Http::send`] with the reason why there is no answer.
    pub(super) async fn try_send(
        &self,
        method: &Method,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response<Bytes>, WireError> {
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        let invalid = |error: http::uri::InvalidUri| WireError::Invalid {
            to: url.to_owned(),
            source: error.into(),
        };
        *request.uri_mut() = url.parse().map_err(invalid)?;
        for (name, value) in headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        self.client.call(request, LIMIT).await
    }
}

/// Nobody answered.
pub(super) fn unreachable(error: WireError) -> Failure {
    let hint = match &error {
        WireError::Tls { source, .. } if source.to_string().contains(NO_TLS) => {
            "it speaks plain HTTP: write http:// in the URL"
        }
        WireError::Tls { .. } => {
            "name its CA with --ca FILE, or, on this host, --insecure-loopback"
        }
        WireError::Connect { .. } | WireError::Dns { .. } => "is it running? wxgate sandbox",
        WireError::Reset { .. } | WireError::Invalid { .. } => "https or http?",
        _ => return Failure::new(Exit::Unreachable, error),
    };
    Failure::new(Exit::Unreachable, error).hint(hint)
}

/// What went wrong, in one line.
pub(super) fn reason(error: &WireError) -> String {
    Chain(error).to_string()
}

/// A header from a text that somebody gave.
///
/// # Errors
/// When it holds what no header may.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text)
        .map_err(|_| Failure::say(Exit::Usage, "a key or token has only visible ASCII characters"))
}

/// What rustls says of an answer in clear text.
const NO_TLS: &str = "InvalidContentType";
/// For a whole answer; a delay that was asked for may be long.
const LIMIT: Duration = Duration::from_secs(60);
/// A snapshot, or a journal of thousands of calls.
const ANSWER_CAP_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_with_its_account() {
        let place = Place::parse("https://localhost:8443/@shop/").unwrap();
        assert_eq!((&*place.origin, &*place.path), ("https://localhost:8443", "/@shop"));
        assert_eq!((place.account(), place.is_loopback()), (Some("shop"), true));
        let place = Place::parse("http://[::1]:9443").unwrap();
        assert_eq!((&*place.origin, place.account()), ("http://[::1]:9443", None));
        assert!(place.is_loopback());
        assert!(!Place::parse("https://api.weixin.qq.com").unwrap().is_loopback());
        for bad in ["", "localhost:1", "ftp://a", "http://a?b=c", "http://u:p@a/", "https://"] {
            assert_eq!(Place::parse(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
