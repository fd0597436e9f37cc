//! A verified client certificate as a credential: the key that its subject is bound to.

use std::{sync::Arc, time::SystemTime};

use http::{HeaderMap, HeaderName, header};

use super::{error::ProxyError, passage::Passage};
use crate::{
    access::{Key, KeyRing},
    base::code::ErrorCode,
    edge::ClientCertificate,
};

/// Joins what the places for keys gave (`found`) with the connection's certificate. Costs one
/// branch where the client showed none.
pub(super) fn join(
    found: Result<Arc<Key>, ProxyError>,
    passage: &Passage,
    keys: &KeyRing,
) -> Result<Arc<Key>, ProxyError> {
    let Some(certificate) = passage.conn.certificate.as_deref() else { return found };
    match found {
        Ok(key) => match key_of(certificate, passage.time, keys) {
            Ok(other) if is_another(&key, &other) => Err(ProxyError::AmbiguousKey),
            // A certificate that opens nothing takes nothing from a key that does.
            Ok(_) | Err(_) => Ok(key),
        },
        Err(ProxyError::KeyMissing) if is_from_other_site(&passage.headers) => {
            Err(ProxyError::Certificate { why: Unusable::OtherSite })
        }
        Err(ProxyError::KeyMissing) => key_of(certificate, passage.time, keys),
        Err(error) => Err(error),
    }
}

/// The certificate was verified in the handshake; whether it and its key still count is asked
/// anew for each request.
fn key_of(
    certificate: &ClientCertificate,
    now: SystemTime,
    keys: &KeyRing,
) -> Result<Arc<Key>, ProxyError> {
    let unusable = |why| ProxyError::Certificate { why };
    if certificate.not_after < now {
        return Err(unusable(Unusable::Ended));
    }
    let subject = certificate.subject.as_ref().map_err(|_| unusable(Unusable::Nameless))?;
    match keys.check_subject(subject, now) {
        Some(key) => key.map_err(|refusal| ProxyError::Key { code: refusal.code() }),
        None => Err(unusable(Unusable::Unbound { subject: subject.as_str().into() })),
    }
}

/// A key that was rotated and has its grace is no other than its successor.
fn is_another(key: &Key, other: &Key) -> bool {
    key.id != other.id && (key.name != other.name || key.fixed != other.fixed)
}

/// A browser shows its certificate whichever page makes it call; only a page of our own may do
/// so. Programs that are no browsers send neither header.
fn is_from_other_site(headers: &HeaderMap) -> bool {
    let is_foreign =
        |value: &http::HeaderValue| !matches!(value.as_bytes(), b"same-origin" | b"none");
    headers.get_all(FETCH_SITE).iter().any(is_foreign)
        || !headers.contains_key(FETCH_SITE) && headers.contains_key(header::ORIGIN)
}

/// Why a verified certificate is no credential of this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// No key has its subject.
    Unbound {
        /// As it is to be written.
        subject: Box<str>,
    },
    /// Nothing to bind a key to.
    Nameless,
    /// The connection outlived it.
    Ended,
    /// A page of another site made the browser call.
    OtherSite,
}

impl Unusable {
    /// What the caller is told.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Unbound { .. } | Self::Nameless | Self::OtherSite => ErrorCode::KeyMissing,
            Self::Ended => ErrorCode::KeyExpired,
        }
    }

    /// Message in Chinese and English, hint in Chinese and English.
    pub(super) fn words(&self) -> [String; 4] {
        match self {
            Self::Unbound { subject } => {
                let quoted = shell_quoted(subject);
                [
                    format!("客户端证书 {subject} 没有绑定密钥，请求中也没有密钥"),
                    format!("the client certificate {subject} is bound to no key, and no key is in the request"),
                    format!("请管理员绑定：wxgate key create NAME --subject {quoted}；或在请求中带上密钥。"),
                    format!("Ask an operator to bind it: wxgate key create NAME --subject {quoted}; or send a key."),
                ]
            }
            Self::Nameless => [
                "客户端证书没有可绑定的主题，请求中也没有密钥".into(),
                "the client certificate has no subject that a key can be bound to, and no key is in the request".into(),
                "换一张带有主题（如 CN=ci，最长 1024 字节）的证书，或在请求中带上密钥。".into(),
                "Use a certificate with a subject such as CN=ci, of at most 1024 bytes, or send a key.".into(),
            ],
            Self::Ended => [
                "此连接的客户端证书已过期".into(),
                "the client certificate of this connection has expired".into(),
                "换上新证书后重新连接；或在请求中带上密钥。".into(),
                "Connect again with a new certificate, or send a key.".into(),
            ],
            Self::OtherSite => [
                "其他网站的网页不能借用浏览器里的客户端证书".into(),
                "a page of another site may not use the browser's client certificate".into(),
                "由自己的服务器或工具调用；或在请求中带上密钥。".into(),
                "Call from a program of your own, or send a key.".into(),
            ],
        }
    }
}

/// As a shell takes it for one word, whatever is in it.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_browser_on_another_page_is_from_another_site() {
        let from = |list: &[(&'static str, &'static str)]| {
            let pairs = list.iter().map(|(name, value)| {
                (HeaderName::from_static(name), http::HeaderValue::from_static(value))
            });
            is_from_other_site(&pairs.collect())
        };
        assert!(!from(&[]));
        assert!(!from(&[("sec-fetch-site", "none")]));
        assert!(!from(&[("sec-fetch-site", "same-origin"), ("origin", "https://gw.example")]));
        assert!(from(&[("sec-fetch-site", "same-site")]));
        assert!(from(&[("sec-fetch-site", "cross-site")]));
        assert!(from(&[("origin", "https://evil.example")]));
        assert!(from(&[("origin", "null")]));
    }

    #[test]
    fn the_command_in_the_hint_can_be_pasted() {
        let subject = r#"CN=O'Neil\, "x""#;
        let [_, message, _, hint] = Unusable::Unbound { subject: subject.into() }.words();
        assert!(message.contains(subject));
        assert!(hint.contains(r#"--subject 'CN=O'\''Neil\, "x"'"#), "{hint}");
    }
}
