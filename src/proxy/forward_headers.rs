//! Which headers pass, in both directions.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::authenticate::API_KEY;

/// Takes out what ends here: hop-by-hop fields and what `Connection` names (RFC 9110 section
/// 7.6.1), our credentials, cookies, and what says who the client is.
pub(super) fn clean_request(
    headers: &mut HeaderMap,
    keep_authorization: bool,
    must_be_plain: bool,
) {
    remove_hop_by_hop(headers);
    for name in [
        header::COOKIE,
        header::FORWARDED,
        header::EXPECT,
        header::HOST,
        header::CONTENT_LENGTH,
        API_KEY,
    ] {
        headers.remove(name);
    }
    if !keep_authorization {
        headers.remove(header::AUTHORIZATION);
    }
    remove_where(headers, |name| {
        name.starts_with("x-forwarded-") || name.starts_with("x-wxgate-") || name == "x-real-ip"
    });
    if must_be_plain {
        // An errcode has to be read; the platform's answers are short.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
}

/// Takes out what would speak for our origin in a browser, and says that nothing here is a page.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    for name in [
        header::SET_COOKIE,
        header::STRICT_TRANSPORT_SECURITY,
        CLEAR_SITE_DATA,
        SERVICE_WORKER_ALLOWED,
    ] {
        headers.remove(name);
    }
    remove_where(headers, |name| name.starts_with("x-wxgate-"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in &named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
    ] {
        headers.remove(name);
    }
}

fn remove_where(headers: &mut HeaderMap, is_out: impl Fn(&str) -> bool) {
    let out: Vec<HeaderName> =
        headers.keys().filter(|name| is_out(name.as_str())).cloned().collect();
    for name in &out {
        headers.remove(name);
    }
}

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
        let mut headers = map(&[
            ("connection", "close, x-named"),
            ("x-named", "1"),
            ("cookie", "a=b"),
            ("authorization", "Basic x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x-wxgate-account", "shop"),
            ("x-api-key", "k"),
            ("te", "trailers"),
            ("wechatmp-timestamp", "1"),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
        ]);
        clean_request(&mut headers, false, true);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept-encoding", "content-type", "wechatmp-timestamp"]);
        assert_eq!(headers["accept-encoding"], "identity");
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
