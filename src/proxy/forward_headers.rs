//! Which headers pass, in both directions.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether a field of a request goes on to a platform. What ends here: hop-by-hop fields
/// (RFC 9110 section 7.6.1), our credentials, cookies, what says who the client is, and the
/// wish for an encoding, because an errcode has to be read.
pub(super) fn goes_to_platform(name: &HeaderName) -> bool {
    !matches!(*name, header::AUTHORIZATION | header::ACCEPT_ENCODING) && goes_anywhere(name)
}

/// The same for any other API, which may read the encoding that the client asks for.
pub(super) fn goes_to_generic(name: &HeaderName) -> bool {
    *name != header::AUTHORIZATION && goes_anywhere(name)
}

/// The same with `pass_authorization`.
pub(super) fn goes_to_generic_authorized(name: &HeaderName) -> bool {
    goes_anywhere(name)
}

fn goes_anywhere(name: &HeaderName) -> bool {
    let text = name.as_str();
    !(is_hop_by_hop(name)
        || matches!(*name, header::COOKIE | header::FORWARDED | header::EXPECT | header::HOST)
        || matches!(*name, header::CONTENT_LENGTH)
        || (text.starts_with("x-")
            && (text == "x-api-key"
                || text == "x-real-ip"
                || text.starts_with("x-forwarded-")
                || text.starts_with("x-wxgate-"))))
}

/// The fields without those that `Connection` names, which are hop-by-hop too.
pub(super) fn without_named(headers: &HeaderMap) -> Cow<'_, HeaderMap> {
    let named: Vec<HeaderName> =
        named(headers).into_iter().filter(|name| headers.contains_key(name)).collect();
    if named.is_empty() {
        return Cow::Borrowed(headers);
    }
    let mut left = headers.clone();
    for name in &named {
        left.remove(name);
    }
    Cow::Owned(left)
}

/// What `Connection` names, but for what it usually says.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|option| !USUAL_OPTIONS.iter().any(|usual| option.eq_ignore_ascii_case(usual)))
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// Takes out what would speak for our origin in a browser, and says that nothing here is a page.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    for name in &named(headers) {
        headers.remove(name);
    }
    let ends_here = |name: &&HeaderName| {
        is_hop_by_hop(name)
            || matches!(**name, header::SET_COOKIE | header::STRICT_TRANSPORT_SECURITY)
            || **name == CLEAR_SITE_DATA
            || **name == SERVICE_WORKER_ALLOWED
            || name.as_str().starts_with("x-wxgate-")
    };
    let out: Vec<HeaderName> = headers.keys().filter(ends_here).cloned().collect();
    for name in &out {
        headers.remove(name);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::TE
            | header::TRAILER
            | header::TRANSFER_ENCODING
            | header::UPGRADE
            | header::PROXY_AUTHENTICATE
            | header::PROXY_AUTHORIZATION
    ) || *name == KEEP_ALIVE
        || *name == PROXY_CONNECTION
}

/// Connection options that name no field that is left by then: the fields of these names are
/// hop-by-hop by themselves.
const USUAL_OPTIONS: [&str; 4] = ["close", "keep-alive", "upgrade", "te"];

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn a_request_loses_what_ends_here_and_keeps_the_rest() {
        let headers = map(&[
            ("connection", "close, x-named"),
            ("x-named", "1"),
            ("cookie", "a=b"),
            ("authorization", "Basic x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x-wxgate-account", "shop"),
            ("x-api-key", "k"),
            ("te", "trailers"),
            ("keep-alive", "5"),
            ("x-rid", "1"),
            ("wechatmp-timestamp", "1"),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
        ]);
        let headers = without_named(&headers);
        let left = |goes: fn(&HeaderName) -> bool| {
            let mut left: Vec<_> =
                headers.keys().filter(|name| goes(name)).map(HeaderName::as_str).collect();
            left.sort_unstable();
            left.join(" ")
        };
        assert_eq!(left(goes_to_platform), "content-type wechatmp-timestamp x-rid");
        let generic = "accept-encoding content-type wechatmp-timestamp x-rid";
        assert_eq!(left(goes_to_generic), generic);
        let authorized = "accept-encoding authorization content-type wechatmp-timestamp x-rid";
        assert_eq!(left(goes_to_generic_authorized), authorized);
    }

    #[test]
    fn an_answer_cannot_speak_for_our_origin() {
        let mut headers = map(&[
            ("set-cookie", "a=b"),
            ("x-wxgate-error", "no"),
            ("num-used", "3"),
            ("clear-site-data", "*"),
        ]);
        clean_response(&mut headers);
        assert_eq!(headers["num-used"], "3");
        assert!(!headers.contains_key("set-cookie") && !headers.contains_key("x-wxgate-error"));
        assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
    }
}
